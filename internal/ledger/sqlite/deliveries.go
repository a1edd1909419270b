package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/ledger"
)

// owe records deliveries with their jobs.
func (l *Ledger) owe(ctx context.Context, tx *sql.Tx, deliveries []savepage.Delivery) error {
	const insert = `INSERT INTO deliveries (id, capture, batch, account, url, body, state, created_at, next_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`
	jobs := make([]queued, 0, len(deliveries))
	for _, d := range deliveries {
		at := l.firstAttempt(d)
		_, err := tx.ExecContext(ctx, insert, d.ID, d.CaptureID, text(d.BatchID), d.Account, d.URL, d.Body, string(savepage.Pending), stamp(d.CreatedAt), stamp(at))
		if err != nil {
			return fmt.Errorf("insert delivery %s: %w", d.ID, err)
		}
		jobs = append(jobs, deliveryJob{ID: d.ID, at: at})
	}
	return l.enqueue(ctx, tx, jobs...)
}

// firstAttempt is when a new delivery is due: now, unless it says otherwise.
func (l *Ledger) firstAttempt(d savepage.Delivery) time.Time {
	if d.NextAt != nil {
		return *d.NextAt
	}
	return l.now()
}

// woke follows the commit that recorded deliveries.
func (l *Ledger) woke(deliveries []savepage.Delivery) {
	now := l.now()
	for _, d := range deliveries {
		l.due(ledger.QueueWebhook, l.firstAttempt(d).Sub(now))
	}
}

// deliver makes one attempt of a delivery and records what follows from it.
func (l *Ledger) deliver(ctx context.Context, h Handlers, id string, job int64) error {
	d, secrets, err := l.owed(ctx, id)
	if errors.Is(err, sql.ErrNoRows) || (err == nil && d.State != savepage.Pending) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("load delivery %s: %w", id, err)
	}
	leave, aside := l.hosts.Enter(receiver(d.URL), l.now())
	if leave == nil {
		return l.stepAside(ctx, id, job, aside)
	}
	defer leave()
	verdict := h.Deliver(ctx, d, secrets)
	if ctx.Err() != nil && verdict.State != savepage.Delivered {
		return fmt.Errorf("deliver %s: %w", id, ctx.Err()) // it was cut off by the stop: the receiver is not to blame
	}
	return l.record(context.WithoutCancel(ctx), id, job, verdict)
}

// receiver is what the limit of deliveries at once is counted by: host and port.
func receiver(address string) string {
	parsed, err := url.Parse(address)
	if err != nil {
		return address
	}
	return strings.ToLower(parsed.Host)
}

// owed reads a delivery with its attempts, and what it is signed with.
func (l *Ledger) owed(ctx context.Context, id string) (savepage.Delivery, []string, error) {
	d, err := scanDelivery(l.read.QueryRowContext(ctx, `SELECT `+deliveryColumns+` FROM deliveries d WHERE d.id = ?`, id).Scan)
	if err != nil {
		return savepage.Delivery{}, nil, err
	}
	if d.Attempts, err = l.attempts(ctx, id); err != nil {
		return savepage.Delivery{}, nil, err
	}
	secrets, err := l.signing(ctx, &d)
	return d, secrets, err
}

// stepAside puts the delivery's job back for a while: its receiver has enough on its hands. No attempt is used.
func (l *Ledger) stepAside(ctx context.Context, id string, job int64, wait time.Duration) error {
	return l.do(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if err := endJob(ctx, tx, job); err != nil {
			return err
		}
		return l.enqueue(ctx, tx, deliveryJob{ID: id, at: l.now().Add(wait)})
	}, func(err error) {
		if err == nil {
			l.due(ledger.QueueWebhook, wait)
		}
	})
}

// record writes an attempt down, moves its delivery on and ends its job, in one commit.
func (l *Ledger) record(ctx context.Context, id string, job int64, v savepage.Verdict) error {
	err := l.do(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if gone, err := l.settleDelivery(ctx, tx, id, v); err != nil || gone {
			return errors.Join(err, endJob(ctx, tx, job))
		}
		const insert = `INSERT INTO attempts (delivery, number, at, outcome, status, latency_ms, error, answer)
			SELECT ?1, coalesce(max(number), 0) + 1, ?2, ?3, ?4, ?5, ?6, ?7 FROM attempts WHERE delivery = ?1`
		a := v.Attempt
		_, err := tx.ExecContext(ctx, insert, id, stamp(a.At), string(a.Outcome), a.Status, a.LatencyMS, a.Error, a.Answer)
		if err != nil {
			return fmt.Errorf("insert attempt: %w", err)
		}
		if err := endJob(ctx, tx, job); err != nil || v.State != savepage.Pending {
			return err
		}
		return l.enqueue(ctx, tx, deliveryJob{ID: id, at: v.NextAt})
	}, func(err error) {
		if err == nil && v.State == savepage.Pending {
			l.due(ledger.QueueWebhook, v.NextAt.Sub(l.now()))
		}
	})
	if err != nil {
		return fmt.Errorf("record attempt of delivery %s: %w", id, err)
	}
	return nil
}

// settleDelivery moves a pending delivery on; it reports whether there is none.
func (l *Ledger) settleDelivery(ctx context.Context, tx *sql.Tx, id string, v savepage.Verdict) (bool, error) {
	var next, ended any
	if v.State == savepage.Pending {
		next = stamp(v.NextAt)
	} else {
		ended = stamp(l.now())
	}
	const move = `UPDATE deliveries SET state = ?, next_at = ?, ended_at = ? WHERE id = ? AND state = 'pending'`
	return missed(tx.ExecContext(ctx, move, string(v.State), next, ended, id))
}

// Deliveries returns what was owed for a capture, oldest first, each with its attempts.
func (l *Ledger) Deliveries(ctx context.Context, account, captureID string) ([]savepage.Delivery, error) {
	const query = `SELECT ` + deliveryColumns + ` FROM deliveries d WHERE d.capture = ? AND d.account = ? ORDER BY d.created_at, d.id`
	list, err := collect(ctx, l.read, scanDelivery, query, captureID, account)
	if err != nil {
		return nil, fmt.Errorf("read deliveries of capture %s: %w", captureID, err)
	}
	for i := range list {
		if list[i].Attempts, err = l.attempts(ctx, list[i].ID); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// PendingDeliveries counts the deliveries of all accounts that have not ended.
func (l *Ledger) PendingDeliveries(ctx context.Context) (int, error) {
	var n int
	if err := l.read.QueryRowContext(ctx, `SELECT count(*) FROM deliveries INDEXED BY deliveries_pending WHERE state = 'pending'`).Scan(&n); err != nil {
		return 0, fmt.Errorf("count pending deliveries: %w", err)
	}
	return n, nil
}

// deliveryColumns are what scanDelivery reads, of deliveries d.
const deliveryColumns = `d.id, d.capture, coalesce(d.batch, ''), d.account, d.url, d.body, d.state, d.created_at, d.next_at, d.ended_at`

func scanDelivery(scan func(dest ...any) error) (savepage.Delivery, error) {
	var (
		d                    savepage.Delivery
		created, next, ended sql.NullInt64
	)
	err := scan(&d.ID, &d.CaptureID, &d.BatchID, &d.Account, &d.URL, &d.Body, &d.State, &created, &next, &ended)
	d.CreatedAt = moment(created)
	if next.Valid {
		d.NextAt = new(moment(next))
	}
	if ended.Valid {
		d.EndedAt = new(moment(ended))
	}
	return d, err
}

func (l *Ledger) attempts(ctx context.Context, delivery string) ([]savepage.Attempt, error) {
	const query = `SELECT number, at, outcome, status, latency_ms, error, answer FROM attempts WHERE delivery = ? ORDER BY number`
	list, err := collect(ctx, l.read, scanAttempt, query, delivery)
	if err != nil {
		return nil, fmt.Errorf("read attempts of delivery %s: %w", delivery, err)
	}
	return list, nil
}

func scanAttempt(scan func(dest ...any) error) (savepage.Attempt, error) {
	var (
		a  savepage.Attempt
		at sql.NullInt64
	)
	err := scan(&a.Number, &at, &a.Outcome, &a.Status, &a.LatencyMS, &a.Error, &a.Answer)
	a.At = moment(at)
	return a, err
}

// collect reads all rows of a query.
func collect[T any](ctx context.Context, q queries, scan func(func(dest ...any) error) (T, error), query string, args ...any) ([]T, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var list []T
	for rows.Next() {
		one, err := scan(rows.Scan)
		if err != nil {
			return nil, err
		}
		list = append(list, one)
	}
	return list, rows.Err()
}
