package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/ledger"
)

// How dead deliveries that are all sent again step in: so many in one commit, and one after the other.
const (
	redeliverRows = 1000
	redeliverStep = 20 * time.Millisecond
)

// Redeliver has a delivery sent now, before all others of its receiver. One that has ended starts a schedule of its own;
// its attempts are kept. An unknown or foreign id is *savepage.Error of CodeNotFound.
func (l *Ledger) Redeliver(ctx context.Context, account, id string) (savepage.Delivery, error) {
	found := false
	var to ledger.Receiver
	err := l.do(ctx, func(ctx context.Context, tx *sql.Tx) error {
		const again = `UPDATE deliveries SET next_at = ?1, ended_at = NULL, state = 'pending', earlier = CASE state WHEN 'pending' THEN earlier
			ELSE (SELECT count(*) FROM attempts WHERE delivery = deliveries.id) END
			WHERE id = ?2 AND account = ?3 RETURNING account, receiver`
		err := tx.QueryRowContext(ctx, again, stamp(l.clock.Now()), id, account).Scan(&to.Account, &to.Host)
		found = err == nil
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	}, func(err error) {
		if err == nil && found {
			l.lanes.Urge(to, id)
		}
	})
	if err != nil {
		return savepage.Delivery{}, fmt.Errorf("send delivery %s again: %w", id, err)
	}
	return l.Delivery(ctx, account, id)
}

// RedeliverDead has all of the account's deliveries that died at since or later sent again. They step in one after the
// other, in the order in which they were made. It returns how many they are, and when the last one's turn is.
func (l *Ledger) RedeliverDead(ctx context.Context, account string, since time.Time) (count int, last time.Time, err error) {
	begin := l.clock.Now()
	for {
		moved, err := l.redeliverSome(ctx, account, since, begin.Add(time.Duration(count)*redeliverStep))
		count += moved
		if count > 0 {
			last = begin.Add(time.Duration(count-1) * redeliverStep)
		}
		if err != nil || moved < redeliverRows {
			return count, last, err
		}
	}
}

func (l *Ledger) redeliverSome(ctx context.Context, account string, since, first time.Time) (int, error) {
	var moved []due
	err := l.do(ctx, func(ctx context.Context, tx *sql.Tx) error {
		const again = `UPDATE deliveries SET state = 'pending', ended_at = NULL, next_at = ?1 + ?2 * turn.n,
				earlier = (SELECT count(*) FROM attempts WHERE delivery = deliveries.id)
			FROM (SELECT id, row_number() OVER (ORDER BY created_at, id) - 1 AS n FROM deliveries INDEXED BY deliveries_dead
				WHERE state = 'dead' AND account = ?3 AND ended_at >= ?4 ORDER BY created_at, id LIMIT ?5) AS turn
			WHERE deliveries.id = turn.id RETURNING deliveries.receiver, deliveries.next_at`
		var err error
		moved, err = collect(ctx, tx, scanDue, again, stamp(first), redeliverStep.Microseconds(), account, since.UnixMicro(), redeliverRows)
		return err
	}, func(err error) {
		if err == nil {
			for _, one := range moved {
				l.lanes.Note(ledger.Receiver{Account: account, Host: one.receiver}, one.at)
			}
		}
	})
	if err != nil {
		return 0, fmt.Errorf("send dead deliveries again: %w", err)
	}
	return len(moved), nil
}

// due is when a receiver is to be sent something.
type due struct {
	receiver string
	at       time.Time
}

func scanDue(scan func(dest ...any) error) (due, error) {
	var (
		one  due
		next sql.NullInt64
	)
	err := scan(&one.receiver, &next)
	one.at = moment(next)
	return one, err
}
