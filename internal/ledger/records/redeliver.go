package records

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
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
		ds.tell.Urged = append(ds.tell.Urged, urged{d.Account, d.Receiver, d.ID})
		return err
	}, func(err error) {
		if err == nil && to != nil {
			ds.urge(*to, id)
		}
	})
	if err != nil {
		return savepage.Delivery{}, fmt.Errorf("send delivery %s again: %w", id, err)
	}
	return ds.Delivery(ctx, account, id)
}

// What has ended: of a state of the account, or of a state of one of its captures.
const (
	allDead = ` FROM deliveries INDEXED BY deliveries_dead
		WHERE state = 'dead' AND account = ? AND ended_at >= ? AND ended_at <= ? ORDER BY created_at, id LIMIT ?`
	allDelivered = ` FROM deliveries INDEXED BY deliveries_delivered
		WHERE state = 'delivered' AND account = ? AND ended_at >= ? AND ended_at <= ? ORDER BY created_at, id LIMIT ?`
	deadOfCapture = ` FROM deliveries INDEXED BY deliveries_capture
		WHERE capture = ? AND state = 'dead' AND +account = ? AND ended_at >= ? AND ended_at <= ? ORDER BY created_at, id LIMIT ?`
	deliveredOfCapture = ` FROM deliveries INDEXED BY deliveries_capture
		WHERE capture = ? AND state = 'delivered' AND +account = ? AND ended_at >= ? AND ended_at <= ? ORDER BY created_at, id LIMIT ?`

	sendAgain = `UPDATE deliveries SET state = 'pending', ended_at = NULL, next_at = ? + ? * turn.n,
			earlier = (SELECT count(*) FROM attempts WHERE delivery = deliveries.id)
		FROM (SELECT id, row_number() OVER (ORDER BY created_at, id) - 1 AS n`
	inTurn = `) AS turn WHERE deliveries.id = turn.id RETURNING deliveries.receiver, deliveries.next_at`

	countEnded = `SELECT count(*) FROM (SELECT id`
	counted    = `) AS ended`
)

// ended are the statements for what has ended.
type ended struct{ again, count string }

func endedIn(state savepage.DeliveryState, ofCapture bool) ended {
	switch {
	case state == savepage.Delivered && ofCapture:
		return ended{sendAgain + deliveredOfCapture + inTurn, countEnded + deliveredOfCapture + counted}
	case state == savepage.Delivered:
		return ended{sendAgain + allDelivered + inTurn, countEnded + allDelivered + counted}
	case ofCapture:
		return ended{sendAgain + deadOfCapture + inTurn, countEnded + deadOfCapture + counted}
	default:
		return ended{sendAgain + allDead + inTurn, countEnded + allDead + counted}
	}
}

// RedeliverEnded has all of the account's deliveries that are selected sent again, or counts them. They step in one after the
// other, those of each state in the order in which they were made. What ends meanwhile is not among them.
func (ds *deliveries) RedeliverEnded(ctx context.Context, account string, which capture.Redelivery) (capture.Redelivered, error) {
	var all capture.Redelivered
	begin := ds.clock.Now()
	for _, state := range which.States {
		of := endedIn(state, which.CaptureID != "")
		args := []any{account, which.Since.UnixMicro(), begin.UnixMicro()}
		if which.CaptureID != "" {
			args = append([]any{which.CaptureID}, args...)
		}
		if which.CountOnly {
			var n int
			if err := ds.search.QueryRowContext(ctx, of.count, append(args, capture.CountedAtMost-all.Count)...).Scan(&n); err != nil {
				return all, fmt.Errorf("count deliveries that have ended: %w", err)
			}
			all.Count += n
			continue
		}
		for more := true; more; {
			moved, err := ds.redeliverSome(ctx, account, of.again, ledger.RedeliverTurn(begin, all.Count), args)
			all.Count += moved
			if all.Count > 0 {
				all.Last = ledger.RedeliverTurn(begin, all.Count-1)
			}
			if err != nil {
				return all, err
			}
			more = moved == ledger.RedeliverRows
		}
	}
	return all, nil
}

func (ds *deliveries) redeliverSome(ctx context.Context, account, again string, first time.Time, which []any) (int, error) {
	args := append([]any{stamp(first), ledger.RedeliverStep.Microseconds()}, which...)
	args = append(args, ledger.RedeliverRows)
	var moved []due
	err := ds.do(ctx, func(ctx context.Context, tx *sql.Tx) error {
		var err error
		moved, err = collect(ctx, tx, scanDue, again, args...)
		for _, one := range moved {
			ds.tell.owes(one.to(account), one.at)
		}
		return err
	}, func(err error) {
		if err == nil {
			for _, one := range moved {
				ds.note(one.to(account), one.at)
			}
		}
	})
	if err != nil {
		return 0, fmt.Errorf("send deliveries that have ended again: %w", err)
	}
	return len(moved), nil
}

// due is when a receiver is to be sent something.
type due struct {
	receiver string
	at       time.Time
}

func (d due) to(account string) ledger.Due {
	return ledger.Due{Receiver: ledger.Receiver{Account: account, Host: d.receiver}, Kind: ledger.Tried}
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
