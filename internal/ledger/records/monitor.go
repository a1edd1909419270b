package records

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/ledger"
)

// Depth returns how much waits and runs in each queue. Captures of batches are a queue of their own here, although all
// captures wait in one order.
func (l *Ledger) Depth(ctx context.Context) ([]capture.Depth, error) {
	now := l.db.clock.Now()
	single := capture.Depth{Queue: ledger.QueueInteractive}
	batch := capture.Depth{Queue: ledger.QueueBatch}
	var oldest [2]sql.NullInt64
	var stores [2]int // captures that wait for a store: those count among the deliveries
	err := l.db.search.QueryRowContext(ctx, depthQuery).Scan(&single.Waiting, &batch.Waiting, &stores[0], &stores[1],
		&single.Running, &batch.Running,
		&oldest[0], &oldest[1])
	if err != nil {
		return nil, fmt.Errorf("count captures: %w", err)
	}
	single.Waiting -= batch.Waiting + single.Running + stores[0]
	batch.Waiting -= batch.Running + stores[1]
	single.Oldest, batch.Oldest = since(oldest[0], now), since(oldest[1], now)
	deliveries, err := l.depth(ctx, now)
	if err != nil {
		return nil, err
	}
	return []capture.Depth{single, deliveries, batch}, nil
}

// depthQuery counts what has not ended, what of that is of batches, what of each kind
// waits for a store or runs, and looks for what of each waits
// longest: among the first hundred of them, because some may wait for a time.
const depthQuery = `SELECT (SELECT coalesce(sum(pending), 0) FROM accounts), (SELECT coalesce(sum(pending_batch), 0) FROM accounts),
	(SELECT count(*) FROM captures INDEXED BY captures_storing WHERE state = 'storing' AND batch IS NULL),
	(SELECT count(*) FROM captures INDEXED BY captures_storing WHERE state = 'storing' AND batch IS NOT NULL),
	(SELECT count(*) FROM captures INDEXED BY captures_running WHERE state = 'running' AND batch IS NULL),
	(SELECT count(*) FROM captures INDEXED BY captures_running WHERE state = 'running' AND batch IS NOT NULL),
	(SELECT min(due_at) FROM (SELECT due_at FROM captures INDEXED BY captures_single
		WHERE batch IS NULL AND state IN ('queued', 'running') AND state = 'queued' AND id > '' ORDER BY id LIMIT 100) AS first),
	(SELECT min(due_at) FROM (SELECT due_at FROM captures INDEXED BY captures_batched
		WHERE batch IS NOT NULL AND state IN ('queued', 'running') AND state = 'queued' AND id > '' ORDER BY id LIMIT 100) AS first)`

// since is how long ago a stored time was; NULL and the future are no time ago.
func since(stored sql.NullInt64, now time.Time) time.Duration {
	if !stored.Valid {
		return 0
	}
	return max(now.Sub(moment(stored)), 0)
}

// Volume returns how many captures are recorded, at most ledger.MostCounted, and how many bytes the database takes.
func (l *Ledger) Volume(ctx context.Context) (v ledger.Volume, err error) {
	if err := l.db.search.QueryRowContext(ctx, recordedQuery, ledger.MostCounted).Scan(&v.Captures); err != nil {
		return v, fmt.Errorf("count captures: %w", err)
	}
	if err := l.db.search.QueryRowContext(ctx, bytesQuery).Scan(&v.Bytes); err != nil {
		return v, fmt.Errorf("size of the database: %w", err)
	}
	return v, nil
}

const (
	recordedQuery = `SELECT count(*) FROM (SELECT 1 FROM captures LIMIT ?) AS recorded`
	bytesQuery    = `SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()`
)

// probeBytes is about what one submission writes.
const probeBytes = 16 << 10

// Ready returns nil when the records can be read, and when a commit as large as that of a submission that has failed can
// be written.
func (l *Ledger) Ready(ctx context.Context) error {
	var one int
	if err := l.db.read.QueryRowContext(ctx, `SELECT 1 FROM accounts LIMIT 1`).Scan(&one); err != nil && !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("read records: %w", err)
	}
	size := max(probeBytes, l.db.unstored.Load())
	const probe = `INSERT INTO probes (id, written_at, filler) VALUES (1, ?1, zeroblob(?2))
		ON CONFLICT (id) DO UPDATE SET written_at = excluded.written_at, filler = excluded.filler`
	err := l.db.do(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, probe, stamp(l.db.clock.Now()), size)
		return err
	}, nil)
	if err != nil {
		return fmt.Errorf("write records: %w", err)
	}
	l.db.unstored.CompareAndSwap(size, 0)
	return nil
}
