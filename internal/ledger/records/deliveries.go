package records

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/ledger"
)

// A delivery needs no job: its row says that it is pending and when it is due. The dispatcher of package ledger asks for
// what is due and decides the order.

// deliveries is the record of deliveries, and their lanes.
type deliveries struct {
	*db

	lanes  *ledger.Lanes
	hosts  *ledger.Hosts
	totals ledger.DeliveryTotals
}

// owe records deliveries.
func (ds *deliveries) owe(ctx context.Context, tx *sql.Tx, deliveries []savepage.Delivery) error {
	const insert = `INSERT INTO deliveries (id, capture, batch, account, url, receiver, body, state, created_at, next_at, store)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
	for _, d := range deliveries {
		_, err := tx.ExecContext(ctx, insert, d.ID, d.CaptureID, text(d.BatchID), d.Account, d.URL, ledger.ReceiverOf(d).Host, d.Body,
			string(savepage.Pending),
			stamp(d.CreatedAt), stamp(ledger.FirstAttempt(d, ds.clock.Now())), d.Store)
		if err != nil {
			return fmt.Errorf("insert delivery %s: %w", d.ID, err)
		}
		ds.tell.owes(ledger.Due{Receiver: ledger.ReceiverOf(d), Kind: ledger.Fresh}, ledger.FirstAttempt(d, ds.clock.Now()))
	}
	return nil
}

// noted follows the commit that recorded deliveries.
func (ds *deliveries) noted(deliveries []savepage.Delivery) {
	for _, d := range deliveries {
		ds.note(ledger.Due{Receiver: ledger.ReceiverOf(d), Kind: ledger.Fresh}, ledger.FirstAttempt(d, ds.clock.Now()))
	}
}

// settleAll keeps deliveries as they are after an attempt of each. Those that are the same then share a statement.
func settleAll(ctx context.Context, tx *sql.Tx, list []savepage.Delivery) error {
	type settled struct {
		state       savepage.DeliveryState
		next, ended any
		earlier     int
	}
	alike := map[settled][]string{}
	for _, d := range list {
		s := settled{state: d.State, earlier: d.Earlier}
		if d.NextAt != nil {
			s.next = stamp(*d.NextAt)
		}
		if d.EndedAt != nil {
			s.ended = stamp(*d.EndedAt)
		}
		alike[s] = append(alike[s], d.ID)
	}
	const move = `UPDATE deliveries SET state = ?, tried = 1, next_at = ?, ended_at = ?, earlier = ?
		WHERE id IN (SELECT value FROM json_each(?))`
	for s, ids := range alike {
		named, err := textList(ids)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, move, string(s.state), s.next, s.ended, s.earlier, named); err != nil {
			return fmt.Errorf("move %d deliveries on: %w", len(ids), err)
		}
	}
	return nil
}

// deliveryColumns are what scanDelivery reads, of deliveries d.
const deliveryColumns = `d.id, d.capture, coalesce(d.batch, ''), d.account, d.url, d.receiver, d.body, d.state, d.created_at, d.next_at,
	d.ended_at, d.earlier, d.asked, d.store`

func scanDelivery(scan func(dest ...any) error) (savepage.Delivery, error) {
	var (
		d                    savepage.Delivery
		created, next, ended sql.NullInt64
	)
	err := scan(&d.ID, &d.CaptureID, &d.BatchID, &d.Account, &d.URL, &d.Receiver, &d.Body, &d.State, &created, &next, &ended, &d.Earlier,
		&d.Asked, &d.Store)
	d.CreatedAt = moment(created)
	if next.Valid {
		d.NextAt = new(moment(next))
	}
	if ended.Valid {
		d.EndedAt = new(moment(ended))
	}
	return d, err
}

// addAttempts reads the attempts of deliveries.
func addAttempts(ctx context.Context, q Queries, list []savepage.Delivery) error {
	if len(list) == 0 {
		return nil
	}
	ids, index := make([]string, len(list)), make(map[string]int, len(list))
	for i, d := range list {
		ids[i], index[d.ID] = d.ID, i
	}
	encoded, err := textList(ids)
	if err != nil {
		return err
	}
	const query = `SELECT delivery, number, at, outcome, status, latency_ms, error, answer, next_at, sent FROM attempts
		WHERE delivery IN (SELECT value FROM json_each(?)) ORDER BY delivery, number`
	found, err := collect(ctx, q, scanAttempt, query, encoded)
	if err != nil {
		return fmt.Errorf("read attempts: %w", err)
	}
	for _, one := range found {
		d := &list[index[one.delivery]]
		d.Attempts = append(d.Attempts, one.Attempt)
	}
	return nil
}

type deliveryAttempt struct {
	delivery string
	savepage.Attempt
}

func scanAttempt(scan func(dest ...any) error) (deliveryAttempt, error) {
	var (
		a        deliveryAttempt
		at, next sql.NullInt64
		sent     sql.NullString
	)
	err := scan(&a.delivery, &a.Number, &at, &a.Outcome, &a.Status, &a.LatencyMS, &a.Error, &a.Answer, &next, &sent)
	if err == nil {
		err = decode(sent, &a.Request)
	}
	a.At = moment(at)
	if next.Valid {
		a.NextAt = new(moment(next))
	}
	return a, err
}
