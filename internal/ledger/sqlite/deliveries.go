package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"runtime/debug"
	"strings"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/ledger"
)

// A delivery needs no job: its row says that it is pending and when it is due. The dispatcher of package ledger asks for
// what is due and decides the order.

// owe records deliveries.
func (l *Ledger) owe(ctx context.Context, tx *sql.Tx, deliveries []savepage.Delivery) error {
	const insert = `INSERT INTO deliveries (id, capture, batch, account, url, receiver, body, state, created_at, next_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
	for _, d := range deliveries {
		_, err := tx.ExecContext(ctx, insert, d.ID, d.CaptureID, text(d.BatchID), d.Account, d.URL, receiver(d.URL), d.Body, string(savepage.Pending),
			stamp(d.CreatedAt), stamp(l.firstAttempt(d)))
		if err != nil {
			return fmt.Errorf("insert delivery %s: %w", d.ID, err)
		}
	}
	return nil
}

// firstAttempt is when a new delivery is due: now, unless it says otherwise.
func (l *Ledger) firstAttempt(d savepage.Delivery) time.Time {
	if d.NextAt != nil {
		return *d.NextAt
	}
	return l.clock.Now()
}

// woke follows the commit that recorded deliveries.
func (l *Ledger) woke(deliveries []savepage.Delivery) {
	for _, d := range deliveries {
		l.lanes.Note(ledger.Receiver{Account: d.Account, Host: receiver(d.URL)}, l.firstAttempt(d))
	}
}

// receiver is the host and port of an address.
func receiver(address string) string {
	parsed, err := url.Parse(address)
	if err != nil {
		return address
	}
	return strings.ToLower(parsed.Host)
}

// post is the ledger as the dispatcher sees it.
type post struct {
	*Ledger
	deliver func(ctx context.Context, d savepage.Delivery, secrets []string) savepage.Verdict
}

const (
	dueQuery = `SELECT id FROM deliveries INDEXED BY deliveries_due
		WHERE state = 'pending' AND account = ? AND receiver = ? AND next_at <= ? ORDER BY next_at, id LIMIT ?`
	nextDeliveryQuery = `SELECT next_at FROM deliveries INDEXED BY deliveries_due
		WHERE state = 'pending' AND account = ? AND receiver = ? AND next_at > ? ORDER BY next_at LIMIT 1`
)

// Due reads what the receiver is to be sent now.
func (p *post) Due(ctx context.Context, r ledger.Receiver, limit int) ([]string, time.Time, error) {
	now := p.clock.Now()
	ids, err := collect(ctx, p.read, scanText, dueQuery, r.Account, r.Host, stamp(now), limit)
	if err != nil {
		return nil, time.Time{}, p.fault(ctx, "look for due deliveries", err)
	}
	if len(ids) == limit {
		return ids, now, nil
	}
	var next sql.NullInt64
	err = p.read.QueryRowContext(ctx, nextDeliveryQuery, r.Account, r.Host, stamp(now)).Scan(&next)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, time.Time{}, p.fault(ctx, "look for the next delivery", err)
	}
	return ids, moment(next), nil
}

// fault logs an error of ours unless the end of ctx is its cause.
func (l *Ledger) fault(ctx context.Context, what string, err error) error {
	if ctx.Err() == nil {
		l.log.ErrorContext(ctx, "delivering met a fault", "operation", what, "error", err)
	}
	return fmt.Errorf("%s: %w", what, err)
}

// Attempt sends a delivery once.
func (p *post) Attempt(ctx context.Context, id string) (*savepage.Verdict, error) {
	d, secrets, err := p.owed(ctx, id)
	if errors.Is(err, sql.ErrNoRows) || (err == nil && d.State != savepage.Pending) {
		return nil, nil //nolint:nilnil // nothing to do is no error
	}
	if err != nil {
		return nil, p.fault(ctx, "load delivery "+id, err)
	}
	verdict, err := p.send(ctx, d, secrets)
	if err != nil {
		return nil, p.fault(ctx, "send delivery "+id, err)
	}
	if ctx.Err() != nil && verdict.State != savepage.Delivered {
		return nil, nil //nolint:nilnil // it was cut off by the stop: the receiver is not to blame
	}
	return &verdict, nil
}

// send calls the handler and turns a panic into an error: one delivery must not end the others.
func (p *post) send(ctx context.Context, d savepage.Delivery, secrets []string) (v savepage.Verdict, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("deliver panicked: %v\n%s", cause, debug.Stack())
		}
	}()
	return p.deliver(ctx, d, secrets), nil
}

// owed reads a delivery with its attempts, and what it is signed with.
func (l *Ledger) owed(ctx context.Context, id string) (savepage.Delivery, []string, error) {
	d, err := scanDelivery(l.read.QueryRowContext(ctx, `SELECT `+deliveryColumns+` FROM deliveries d WHERE d.id = ?`, id).Scan)
	if err != nil {
		return savepage.Delivery{}, nil, err
	}
	list := []savepage.Delivery{d}
	if err := l.addAttempts(ctx, list); err != nil {
		return savepage.Delivery{}, nil, err
	}
	secrets, err := l.signing(ctx, &list[0])
	return list[0], secrets, err
}

// Record writes an attempt down and moves its delivery and its receiver's breaker on, in one commit.
func (p *post) Record(ctx context.Context, r ledger.Receiver, id string, v savepage.Verdict, c ledger.Change) error {
	var number int64
	gone := false
	err := p.do(ctx, func(ctx context.Context, tx *sql.Tx) error {
		var err error
		if c != ledger.Unchanged {
			if err := p.saveBreaker(ctx, tx, r); err != nil {
				return err
			}
		}
		if gone, err = p.settleDelivery(ctx, tx, id, v); err != nil || gone {
			return err
		}
		number, err = addAttempt(ctx, tx, id, v)
		return err
	}, nil)
	if err != nil {
		return p.fault(ctx, "record an attempt of delivery "+id, err)
	}
	p.tell(ctx, r, c)
	if !gone {
		p.count(ctx, id, v, number)
	}
	return nil
}

// settleDelivery moves a pending delivery on; it reports whether there is none.
func (l *Ledger) settleDelivery(ctx context.Context, tx *sql.Tx, id string, v savepage.Verdict) (bool, error) {
	var next, ended any
	if v.State == savepage.Pending {
		next = stamp(v.NextAt)
	} else {
		ended = stamp(l.clock.Now())
	}
	const move = `UPDATE deliveries SET state = ?, next_at = ?, ended_at = ? WHERE id = ? AND state = 'pending'`
	return missed(tx.ExecContext(ctx, move, string(v.State), next, ended, id))
}

func addAttempt(ctx context.Context, tx *sql.Tx, id string, v savepage.Verdict) (number int64, err error) {
	const insert = `INSERT INTO attempts (delivery, number, at, outcome, status, latency_ms, error, answer, next_at)
		SELECT ?1, coalesce(max(number), 0) + 1, ?2, ?3, ?4, ?5, ?6, ?7, ?8 FROM attempts WHERE delivery = ?1 RETURNING number`
	a := v.Attempt
	var next any
	if v.State == savepage.Pending {
		next = stamp(v.NextAt)
	}
	err = tx.QueryRowContext(ctx, insert, id, stamp(a.At), string(a.Outcome), a.Status, a.LatencyMS, a.Error, a.Answer, next).Scan(&number)
	if err != nil {
		return 0, fmt.Errorf("insert attempt: %w", err)
	}
	return number, nil
}

// count follows the commit of an attempt.
func (l *Ledger) count(ctx context.Context, id string, v savepage.Verdict, attempts int64) {
	switch v.State {
	case savepage.Delivered:
		l.deliveredTotal.Add(1)
	case savepage.Dead:
		l.deadTotal.Add(1)
		l.log.WarnContext(ctx, "delivery is dead", "delivery", id, "attempts", attempts, "outcome", v.Attempt.Outcome,
			"status", v.Attempt.Status, "reason", v.Attempt.Error)
	case savepage.Pending:
	}
}

// deliveryColumns are what scanDelivery reads, of deliveries d.
const deliveryColumns = `d.id, d.capture, coalesce(d.batch, ''), d.account, d.url, d.receiver, d.body, d.state, d.created_at, d.next_at, d.ended_at, d.earlier`

func scanDelivery(scan func(dest ...any) error) (savepage.Delivery, error) {
	var (
		d                    savepage.Delivery
		created, next, ended sql.NullInt64
	)
	err := scan(&d.ID, &d.CaptureID, &d.BatchID, &d.Account, &d.URL, &d.Receiver, &d.Body, &d.State, &created, &next, &ended, &d.Earlier)
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
func (l *Ledger) addAttempts(ctx context.Context, list []savepage.Delivery) error {
	if len(list) == 0 {
		return nil
	}
	ids, places := make([]string, len(list)), make(map[string]int, len(list))
	for i, d := range list {
		ids[i], places[d.ID] = d.ID, i
	}
	encoded, err := json.Marshal(ids)
	if err != nil {
		return fmt.Errorf("encode ids: %w", err)
	}
	const query = `SELECT delivery, number, at, outcome, status, latency_ms, error, answer, next_at FROM attempts
		WHERE delivery IN (SELECT value FROM json_each(?)) ORDER BY delivery, number`
	found, err := collect(ctx, l.read, scanAttempt, query, string(encoded))
	if err != nil {
		return fmt.Errorf("read attempts: %w", err)
	}
	for _, one := range found {
		d := &list[places[one.delivery]]
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
	)
	err := scan(&a.delivery, &a.Number, &at, &a.Outcome, &a.Status, &a.LatencyMS, &a.Error, &a.Answer, &next)
	a.At = moment(at)
	if next.Valid {
		a.NextAt = new(moment(next))
	}
	return a, err
}
