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
	single, err := l.captureDepth(ctx, now, ledger.QueueInteractive, `batch IS NULL`)
	if err != nil {
		return nil, err
	}
	batch, err := l.captureDepth(ctx, now, ledger.QueueBatch, `batch IS NOT NULL`)
	if err != nil {
		return nil, err
	}
	deliveries, err := l.depth(ctx, now)
	if err != nil {
		return nil, err
	}
	return []capture.Depth{single, deliveries, batch}, nil
}

func (l *Ledger) captureDepth(ctx context.Context, now time.Time, queue, which string) (capture.Depth, error) {
	depth := capture.Depth{Queue: queue}
	query := `SELECT count(*) FILTER (WHERE state = 'queued'), count(*) FILTER (WHERE state = 'running'),
		coalesce(min(due_at) FILTER (WHERE state = 'queued'), ?1) FROM captures INDEXED BY captures_pending
		WHERE state IN ('queued', 'running') AND ` + which
	var oldest int64
	if err := l.db.search.QueryRowContext(ctx, query, now.UnixMicro()).Scan(&depth.Waiting, &depth.Running, &oldest); err != nil {
		return depth, fmt.Errorf("count captures: %w", err)
	}
	depth.Oldest = max(now.Sub(time.UnixMicro(oldest)), 0)
	return depth, nil
}

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
