package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/savepage/savepage/internal/ledger"
)

// saveBreaker writes the breaker of a receiver as it is now. Commits come one after the other, so the last one to write has
// the newest state, whichever attempt it belongs to.
func (l *Ledger) saveBreaker(ctx context.Context, tx *sql.Tx, r ledger.Receiver) error {
	b := l.lanes.Breaker(r)
	if !b.Open() {
		if _, err := tx.ExecContext(ctx, `DELETE FROM receivers WHERE account = ? AND receiver = ?`, r.Account, r.Host); err != nil {
			return fmt.Errorf("close breaker: %w", err)
		}
		return nil
	}
	const save = `INSERT OR REPLACE INTO receivers (account, receiver, failures, opened_at, probe_at, wait_us) VALUES (?, ?, ?, ?, ?, ?)`
	_, err := tx.ExecContext(ctx, save, r.Account, r.Host, b.Failures, stamp(b.OpenedAt), stamp(b.ProbeAt), b.Wait.Microseconds())
	if err != nil {
		return fmt.Errorf("save breaker: %w", err)
	}
	return nil
}

// tell writes the line of a breaker's change.
func (l *Ledger) tell(ctx context.Context, r ledger.Receiver, c ledger.Change) {
	b := l.lanes.Breaker(r)
	switch c {
	case ledger.Opened:
		l.log.WarnContext(ctx, "receiver fails: its deliveries wait", "account", r.Account, "receiver", r.Host, "failures", b.Failures, "probe_at", b.ProbeAt)
	case ledger.Closed:
		l.log.InfoContext(ctx, "receiver answers again", "account", r.Account, "receiver", r.Host)
	case ledger.Delayed, ledger.Unchanged:
	}
}

// fillLanes tells the lanes what is owed, and which breakers were open before a restart.
func (l *Ledger) fillLanes(ctx context.Context) error {
	if err := l.purgeReceivers(ctx); err != nil {
		return err
	}
	open, err := collect(ctx, l.read, scanReceiver, `SELECT account, receiver, failures, opened_at, probe_at, wait_us FROM receivers`)
	if err != nil {
		return fmt.Errorf("read breakers: %w", err)
	}
	for _, one := range open {
		l.lanes.Restore(one.Receiver, one.Breaker)
	}
	return l.noteAll(ctx)
}

type knownReceiver struct {
	ledger.Receiver
	ledger.Breaker
}

func scanReceiver(scan func(dest ...any) error) (knownReceiver, error) {
	var (
		one           knownReceiver
		opened, probe sql.NullInt64
		wait          int64
	)
	err := scan(&one.Account, &one.Host, &one.Failures, &opened, &probe, &wait)
	one.OpenedAt, one.ProbeAt, one.Wait = moment(opened), moment(probe), time.Duration(wait)*time.Microsecond
	return one, err
}

const nextReceiverQuery = `SELECT account, receiver, next_at FROM deliveries INDEXED BY deliveries_due
	WHERE state = 'pending' AND (account, receiver) > (?, ?) ORDER BY account, receiver, next_at LIMIT 1`

// noteAll tells the lanes of every receiver when its first delivery is due. It seeks from one receiver to the next: a
// million deliveries to one cost as much as one.
func (l *Ledger) noteAll(ctx context.Context) error {
	var r ledger.Receiver
	for {
		var next sql.NullInt64
		err := l.read.QueryRowContext(ctx, nextReceiverQuery, r.Account, r.Host).Scan(&r.Account, &r.Host, &next)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("look for receivers: %w", err)
		}
		l.lanes.Note(r, moment(next))
	}
}

// purgeReceivers forgets the breakers of receivers for which nothing is owed any more.
func (l *Ledger) purgeReceivers(ctx context.Context) error {
	const old = `DELETE FROM receivers WHERE NOT EXISTS
		(SELECT 1 FROM deliveries d INDEXED BY deliveries_due WHERE d.state = 'pending' AND d.account = receivers.account AND d.receiver = receivers.receiver)`
	err := l.do(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, old)
		return err
	}, nil)
	if err != nil {
		return fmt.Errorf("forget breakers: %w", err)
	}
	return nil
}
