package records

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Writer begins transactions that write.
type Writer struct {
	*sql.DB

	// First runs first in each; nil for nothing.
	First func(ctx context.Context, tx *sql.Tx) (Turn, error)
}

// Turn is what a transaction knows of itself.
type Turn struct {
	// Committed is asked when the answer to the commit was lost: whether the transaction was committed. nil: it was not.
	Committed func(ctx context.Context) bool
	Others    bool // there are nodes beside this one, to be told what follows from it
}

// InTx runs fn in one transaction and commits when it returns nil.
func (w Writer) InTx(ctx context.Context, fn func(tx *sql.Tx) error) error {
	return w.inTurn(ctx, func(tx *sql.Tx, _ Turn) error { return fn(tx) })
}

// inTurn is InTx for who has to know the turn.
func (w Writer) inTurn(ctx context.Context, fn func(tx *sql.Tx, turn Turn) error) error {
	tx, err := w.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	var turn Turn
	if w.First != nil {
		turn, err = w.First(ctx, tx)
	}
	if err == nil {
		err = fn(tx, turn)
	}
	if err != nil {
		return errors.Join(err, rollback(tx))
	}
	if err := tx.Commit(); err != nil && (turn.Committed == nil || !turn.Committed(ctx)) {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

func rollback(tx *sql.Tx) error {
	if err := tx.Rollback(); err != nil && !errors.Is(err, sql.ErrTxDone) {
		return fmt.Errorf("roll back: %w", err)
	}
	return nil
}

// stamp is how a time is stored; a zero time is NULL.
func stamp(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}

// text is how a text that may be absent is stored: an empty one is NULL.
func text(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// moment reads a stored time back; NULL is the zero time.
func moment(stored sql.NullInt64) time.Time {
	if !stored.Valid {
		return time.Time{}
	}
	return time.UnixMicro(stored.Int64).UTC()
}
