package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/savepage/savepage/internal/clock"
	"github.com/savepage/savepage/internal/health"
	"github.com/savepage/savepage/internal/ledger"
	"github.com/savepage/savepage/internal/ledger/records"
)

// turns has those who write do so one after the other, as SQLite's lock does: what one transaction decides by what it has read
// is still so when it commits.
type turns struct {
	db    *sql.DB
	epoch int64 // of the server; 0 for one who writes beside it
}

// group begins the transactions of the one goroutine that commits in groups. When the answer to a commit is lost, the server is
// asked for it.
func (t turns) group() records.Writer { return records.Writer{DB: t.db, First: t.mark} }

// others begins all other transactions.
func (t turns) others() records.Writer { return records.Writer{DB: t.db, First: t.wait} }

// takeOver begins an epoch: whoever served the database before can write nothing any more.
func (t turns) takeOver(ctx context.Context) (turns, error) {
	if err := t.db.QueryRowContext(ctx, `UPDATE writer SET epoch = epoch + 1 RETURNING epoch`).Scan(&t.epoch); err != nil {
		return t, fmt.Errorf("take the database over: %w", err)
	}
	return t, nil
}

// wait waits for the turn of a transaction and makes sure that its epoch has not ended.
func (t turns) wait(ctx context.Context, tx *sql.Tx) (committed func(ctx context.Context) bool, err error) {
	var one int
	const lock = `SELECT 1 FROM writer WHERE CAST(?1 AS bigint) IN (0, epoch) FOR NO KEY UPDATE`
	return nil, t.fenced(tx.QueryRowContext(ctx, lock, t.epoch).Scan(&one))
}

// mark waits too, and marks the transaction.
func (t turns) mark(ctx context.Context, tx *sql.Tx) (committed func(ctx context.Context) bool, err error) {
	mark := rand.Int64() //nolint:gosec // no secret: it differs from the one before
	const lock = `UPDATE writer SET mark = ?1 WHERE epoch = ?2 RETURNING mark`
	err = t.fenced(tx.QueryRowContext(ctx, lock, mark, t.epoch).Scan(&mark))
	return func(ctx context.Context) bool { return t.committed(ctx, mark) }, err
}

// fenced says why a transaction may not write.
func (t turns) fenced(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return health.Of(health.Database, fmt.Errorf("%w now, and has taken it over from this one: stop one of them", ledger.ErrServed))
	}
	if err != nil {
		return fmt.Errorf("wait for the turn to write: %w", err)
	}
	return nil
}

// How often the server is asked what became of a transaction, and how often at the most.
const (
	askEvery = 250 * time.Millisecond
	asks     = 120
)

// committed asks whether the last transaction that was marked is the one with the mark. The lock waits for a session that has
// not ended yet. Who cannot be told takes the transaction for undone.
func (t turns) committed(ctx context.Context, mark int64) bool {
	for range asks {
		var last sql.NullInt64
		err := t.db.QueryRowContext(ctx, `SELECT mark FROM writer FOR SHARE`).Scan(&last)
		if err == nil {
			return last.Int64 == mark
		}
		if !clock.System().Pause(ctx, askEvery) {
			return false
		}
	}
	return false
}
