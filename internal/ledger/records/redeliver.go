package records

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/ledger"
)

// Redeliver has a delivery sent now, before all others of its receiver. One that has ended starts a schedule of its own;
// its attempts are kept. An unknown or foreign id is *savepage.Error of CodeNotFound.
func (ds *deliveries) Redeliver(ctx context.Context, account, id string) (savepage.Delivery, error) {
	var to *ledger.Receiver
	err := ds.do(ctx, func(ctx context.Context, tx *sql.Tx) error {
		to = nil
		const query = `SELECT ` + deliveryColumns +
			`, (SELECT count(*) FROM attempts WHERE delivery = d.id) FROM deliveries d WHERE d.id = ? AND d.account = ?`
		var attempts int
		d, err := scanDelivery(func(dest ...any) error {
			return tx.QueryRowContext(ctx, query, id, account).Scan(append(dest, &attempts)...)
		})
		if errors.Is(err, sql.ErrNoRows) {
			return nil // the look-up below returns the error
		}
		if err != nil {
			return err
		}
		d = ledger.Redelivered(d, attempts, ds.clock.Now())
		const again = `UPDATE deliveries SET state = ?, next_at = ?, ended_at = NULL, earlier = ?, asked = ? WHERE id = ?`
		_, err = tx.ExecContext(ctx, again, string(d.State), stamp(*d.NextAt), d.Earlier, d.Asked, d.ID)
		to = &ledger.Receiver{Account: d.Account, Host: d.Receiver}
		return err
	}, func(err error) {
		if err == nil && to != nil {
			ds.lanes.Urge(*to, id)
		}
	})
	if err != nil {
		return savepage.Delivery{}, fmt.Errorf("send delivery %s again: %w", id, err)
	}
	return ds.Delivery(ctx, account, id)
}

// RedeliverDead has all of the account's deliveries that died at since or later sent again. They step in one after the
// other, in the order in which they were made. It returns how many they are, and when the last one's turn is.
func (ds *deliveries) RedeliverDead(ctx context.Context, account string, since time.Time) (count int, last time.Time, err error) {
	begin := ds.clock.Now()
	for {
		moved, err := ds.redeliverSome(ctx, account, since, ledger.RedeliverTurn(begin, count))
		count += moved
		if count > 0 {
			last = ledger.RedeliverTurn(begin, count-1)
		}
		if err != nil || moved < ledger.RedeliverRows {
			return count, last, err
		}
	}
}

func (ds *deliveries) redeliverSome(ctx context.Context, account string, since, first time.Time) (int, error) {
	var moved []due
	err := ds.do(ctx, func(ctx context.Context, tx *sql.Tx) error {
		const again = `UPDATE deliveries SET state = 'pending', ended_at = NULL, next_at = ?1 + ?2 * turn.n,
				earlier = (SELECT count(*) FROM attempts WHERE delivery = deliveries.id)
			FROM (SELECT id, row_number() OVER (ORDER BY created_at, id) - 1 AS n FROM deliveries INDEXED BY deliveries_dead
				WHERE state = 'dead' AND account = ?3 AND ended_at >= ?4 ORDER BY created_at, id LIMIT ?5) AS turn
			WHERE deliveries.id = turn.id RETURNING deliveries.receiver, deliveries.next_at`
		var err error
		moved, err = collect(ctx, tx, scanDue, again, stamp(first), ledger.RedeliverStep.Microseconds(), account, since.UnixMicro(),
			ledger.RedeliverRows)
		return err
	}, func(err error) {
		if err == nil {
			for _, one := range moved {
				ds.lanes.Note(ledger.Receiver{Account: account, Host: one.receiver}, ledger.Tried, one.at)
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
