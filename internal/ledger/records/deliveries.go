package records

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

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

// outbox is the record as ledger.Post sees it.
type outbox struct {
	*deliveries

	accounts *accounts
	uploads  *uploads
	stored   ledger.StoredHandler
}

const (
	dueQuery = `SELECT id FROM deliveries INDEXED BY deliveries_due
		WHERE state = 'pending' AND account = ? AND receiver = ? AND tried = ? AND next_at <= ? ORDER BY next_at, id LIMIT ?`
	nextDeliveryQuery = `SELECT next_at FROM deliveries INDEXED BY deliveries_due
		WHERE state = 'pending' AND account = ? AND receiver = ? AND tried = ? AND next_at > ? ORDER BY next_at LIMIT 1`
)

// Due reads what the receiver is to be sent now, of a kind.
func (o *outbox) Due(ctx context.Context, r ledger.Receiver, kind ledger.Kind, limit int) ([]string, time.Time, error) {
	now := o.clock.Now()
	ids, err := collect(ctx, o.read, scanText, dueQuery, r.Account, r.Host, kind, stamp(now), limit)
	if err != nil || len(ids) == limit {
		return ids, now, err
	}
	var next sql.NullInt64
	err = o.read.QueryRowContext(ctx, nextDeliveryQuery, r.Account, r.Host, kind, stamp(now)).Scan(&next)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return ids, moment(next), err
}

const owedQuery = `SELECT ` + deliveryColumns + `, coalesce((SELECT trace FROM captures WHERE captures.id = d.capture),
	(SELECT trace FROM batches WHERE batches.id = d.batch), '') FROM deliveries d WHERE d.id = ?`

// Owed reads a pending delivery with its attempts, and what it is signed with.
func (o *outbox) Owed(ctx context.Context, id string) (savepage.Delivery, []string, error) {
	var trace string
	d, err := scanDelivery(func(dest ...any) error {
		return o.read.QueryRowContext(ctx, owedQuery, id).Scan(append(dest, &trace)...)
	})
	d.Trace = trace
	if errors.Is(err, sql.ErrNoRows) || err == nil && d.State != savepage.Pending {
		return savepage.Delivery{}, nil, ledger.ErrNothingOwed
	}
	if err != nil {
		return savepage.Delivery{}, nil, err
	}
	if !o.hosts.Mine(d.Receiver) {
		return savepage.Delivery{}, nil, ledger.ErrNothingOwed // by this node
	}
	if o.accounts.shared && !o.self.sure() {
		return savepage.Delivery{}, nil, errUnsure
	}
	list := []savepage.Delivery{d}
	if err := addAttempts(ctx, o.read, list); err != nil {
		return savepage.Delivery{}, nil, err
	}
	if d.Store != "" {
		d, err = o.upload(ctx, list[0])
		return d, nil, err
	}
	secrets, err := o.accounts.signing(ctx, &list[0])
	return list[0], secrets, err
}

// Record writes an attempt down and moves its delivery and its receiver's breaker on, in one commit.
func (o *outbox) Record(
	ctx context.Context, r ledger.Receiver, id string, sent ledger.Sent, b func() ledger.Breaker,
) (ledger.Recorded, error) {
	var recorded ledger.Recorded
	var stored []reuseResult
	gone := false
	err := o.do(ctx, func(ctx context.Context, tx *sql.Tx) error {
		stored = nil
		// The transaction can commit only under this node's name, and as long as it lives nobody else has its hosts.
		if gone = !o.hosts.Mine(r.Host); gone {
			return nil
		}
		if b != nil {
			if err := saveBreaker(ctx, tx, r, b()); err != nil {
				return err
			}
		}
		d, err := scanDelivery(tx.QueryRowContext(ctx, pendingQuery, id).Scan)
		if gone = errors.Is(err, sql.ErrNoRows); gone {
			return nil
		}
		if err != nil {
			return err
		}
		if recorded.Attempts, err = addAttempt(ctx, tx, id, sent.Verdict); err != nil {
			return err
		}
		d = ledger.Settled(d, sent, int(recorded.Attempts), o.clock.Now())
		recorded.State, recorded.Next = d.State, time.Time{}
		if d.NextAt != nil {
			recorded.Next = *d.NextAt
		}
		if err := settleDelivery(ctx, tx, d); err != nil {
			return err
		}
		stored, err = o.uploads.endStoring(ctx, tx, d, sent.Verdict, o.stored.Owe)
		return err
	}, func(err error) {
		if err == nil && !gone && len(stored) > 0 {
			o.uploads.ended(stored...)
		}
	})
	switch {
	case err != nil:
		return ledger.Recorded{}, err
	case gone:
		return ledger.Recorded{}, ledger.ErrNothingOwed
	}
	for _, one := range stored {
		o.stored.Ended(ctx, one.capture)
	}
	return recorded, nil
}

const pendingQuery = `SELECT ` + deliveryColumns + ` FROM deliveries d WHERE d.id = ? AND d.state = 'pending'`

// settleDelivery keeps a delivery as it is after an attempt.
func settleDelivery(ctx context.Context, tx *sql.Tx, d savepage.Delivery) error {
	var next, ended any
	if d.NextAt != nil {
		next = stamp(*d.NextAt)
	}
	if d.EndedAt != nil {
		ended = stamp(*d.EndedAt)
	}
	const move = `UPDATE deliveries SET state = ?, tried = 1, next_at = ?, ended_at = ?, earlier = ? WHERE id = ?`
	if _, err := tx.ExecContext(ctx, move, string(d.State), next, ended, d.Earlier, d.ID); err != nil {
		return fmt.Errorf("move delivery %s on: %w", d.ID, err)
	}
	return nil
}

func addAttempt(ctx context.Context, tx *sql.Tx, id string, v savepage.Verdict) (number int64, err error) {
	const insert = `INSERT INTO attempts (delivery, number, at, outcome, status, latency_ms, error, answer, next_at, sent)
		SELECT ?1, coalesce(max(number), 0) + 1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9 FROM attempts WHERE delivery = ?1 RETURNING number`
	a := v.Attempt
	sent, err := column(a.Request)
	if err != nil {
		return 0, fmt.Errorf("encode the request of an attempt: %w", err)
	}
	var next any
	if v.State == savepage.Pending {
		next = stamp(v.NextAt)
	}
	err = tx.QueryRowContext(ctx, insert, id, stamp(a.At), string(a.Outcome), a.Status, a.LatencyMS, a.Error, a.Answer, next, sent).
		Scan(&number)
	if err != nil {
		return 0, fmt.Errorf("insert attempt: %w", err)
	}
	return number, nil
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
	encoded, err := json.Marshal(ids)
	if err != nil {
		return fmt.Errorf("encode ids: %w", err)
	}
	const query = `SELECT delivery, number, at, outcome, status, latency_ms, error, answer, next_at, sent FROM attempts
		WHERE delivery IN (SELECT value FROM json_each(?)) ORDER BY delivery, number`
	found, err := collect(ctx, q, scanAttempt, query, string(encoded))
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
