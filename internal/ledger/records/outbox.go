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

// loadsAtOnce is how many deliveries are read together.
const loadsAtOnce = 64

// outbox is the record as ledger.Post sees it. What is read at the same time shares statements, and so does what is recorded.
type outbox struct {
	*deliveries

	accounts *accounts
	uploads  *uploads
	stored   ledger.StoredHandler
	loads    *ledger.Group[*load]
}

// newOutbox opens the record for those who send, until done is called.
func (l *Ledger) newOutbox(ctx context.Context, stored ledger.StoredHandler) (o *outbox, done func()) {
	o = &outbox{deliveries: l.deliveries, accounts: l.accounts, uploads: l.uploads, stored: stored}
	reading, stop := context.WithCancel(context.WithoutCancel(ctx))
	o.loads = ledger.NewGroup(loadsAtOnce, func(batch []*load) { o.loadAll(reading, batch) })
	return o, func() { stop(); o.loads.Close() }
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

// Owed reads a pending delivery with its attempts, and what it is signed with.
func (o *outbox) Owed(ctx context.Context, id string) (savepage.Delivery, []string, error) {
	l := &load{id: id, done: make(chan struct{})}
	if err := o.loads.Add(ctx, l); err != nil {
		return savepage.Delivery{}, nil, fmt.Errorf("read: %w", err)
	}
	select {
	case <-l.done:
	case <-ctx.Done():
		return savepage.Delivery{}, nil, ctx.Err()
	}
	if l.err != nil {
		return savepage.Delivery{}, nil, l.err
	}
	d := l.delivery
	if d.ID == "" || !o.hosts.Mine(d.Receiver) {
		return savepage.Delivery{}, nil, ledger.ErrNothingOwed // by this node
	}
	if o.accounts.shared && !o.self.sure() {
		return savepage.Delivery{}, nil, errUnsure
	}
	if d.Store != "" {
		d, err := o.upload(ctx, d)
		return d, nil, err
	}
	secret, err := o.accounts.addPrivate(ctx, &d, l.sealed)
	if secret != "" || err != nil {
		return d, []string{secret}, err
	}
	return d, l.secrets, nil
}

// load is a delivery that somebody waits for.
type load struct {
	id   string
	done chan struct{} // closed when the rest is set

	delivery savepage.Delivery // without an id: none is pending
	tried    bool              // it has attempts
	sealed   string            // what is private of its capture
	secrets  []string          // of its account
	err      error
}

const owedQuery = `SELECT ` + deliveryColumns + `, d.tried, coalesce((SELECT trace FROM captures WHERE captures.id = d.capture),
		(SELECT trace FROM batches WHERE batches.id = d.batch), ''),
		coalesce((SELECT sealed FROM private WHERE private.capture = d.capture AND private.account = d.account), '')
	FROM deliveries d WHERE d.id IN (SELECT value FROM json_each(?)) AND d.state = 'pending'`

// loadAll reads deliveries and tells those who wait for them.
func (o *outbox) loadAll(ctx context.Context, batch []*load) {
	err := o.readAll(ctx, batch)
	for _, l := range batch {
		if l.err == nil {
			l.err = err
		}
		close(l.done)
	}
}

func (o *outbox) readAll(ctx context.Context, batch []*load) error {
	ids := make([]string, len(batch))
	for i, l := range batch {
		ids[i] = l.id
	}
	named, err := textList(ids)
	if err != nil {
		return err
	}
	found, err := collect(ctx, o.read, scanLoad, owedQuery, named)
	if err == nil {
		err = addEarlier(ctx, o.read, found)
	}
	if err != nil {
		return err
	}
	read := map[string]load{}
	for _, one := range found {
		read[one.delivery.ID] = one
	}
	secrets := map[string][]string{}
	for _, l := range batch {
		one, is := read[l.id]
		if !is {
			continue
		}
		l.delivery, l.sealed = one.delivery, one.sealed
		account := one.delivery.Account
		if one.delivery.Store == "" && secrets[account] == nil {
			secrets[account], l.err = o.accounts.Signing(ctx, account)
		}
		l.secrets = secrets[account]
	}
	return nil
}

func scanLoad(scan func(dest ...any) error) (l load, err error) {
	var trace string
	l.delivery, err = scanDelivery(func(dest ...any) error { return scan(append(dest, &l.tried, &trace, &l.sealed)...) })
	l.delivery.Trace = trace
	return l, err
}

// addEarlier reads the attempts of those that have been tried.
func addEarlier(ctx context.Context, q Queries, found []load) error {
	var tried []savepage.Delivery
	for _, one := range found {
		if one.tried {
			tried = append(tried, one.delivery)
		}
	}
	if err := addAttempts(ctx, q, tried); err != nil {
		return err
	}
	for i := range found {
		if found[i].tried {
			found[i].delivery, tried = tried[0], tried[1:]
		}
	}
	return nil
}

// recording is an attempt on its way into the database.
type recording struct {
	outbox   *outbox
	receiver ledger.Receiver
	id       string
	sent     ledger.Sent
	request  any // of the attempt, as it is kept
	breaker  func() ledger.Breaker

	// The answer, set by recordAll.
	gone   bool
	is     ledger.Recorded
	stored []reuseResult
}

// Record writes an attempt down and moves its delivery and its receiver's breaker on, in one commit.
func (o *outbox) Record(
	ctx context.Context, receiver ledger.Receiver, id string, sent ledger.Sent, b func() ledger.Breaker,
) (ledger.Recorded, error) {
	request, err := column(sent.Attempt.Request)
	if err != nil {
		return ledger.Recorded{}, fmt.Errorf("encode the request of an attempt: %w", err)
	}
	r := &recording{outbox: o, receiver: receiver, id: id, sent: sent, request: request, breaker: b}
	err = o.submit(ctx, &write{sent: r, after: func(err error) {
		if err == nil && len(r.stored) > 0 {
			o.uploads.ended(r.stored...)
		}
	}})
	switch {
	case err != nil:
		return ledger.Recorded{}, err
	case r.gone:
		return ledger.Recorded{}, ledger.ErrNothingOwed
	}
	for _, one := range r.stored {
		o.stored.Ended(ctx, one.capture)
	}
	return r.is, nil
}

// recordAll writes attempts down, all or none: an error means that the transaction must be rolled back.
func recordAll(ctx context.Context, tx *sql.Tx, list []*recording) error {
	var own []*recording
	for _, r := range list {
		r.gone, r.is, r.stored = false, ledger.Recorded{}, nil
		// The transaction can commit only under this node's name, and as long as it lives nobody else has its hosts.
		if r.gone = !r.outbox.hosts.Mine(r.receiver.Host); r.gone {
			continue
		}
		own = append(own, r)
		if r.breaker != nil {
			if err := saveBreaker(ctx, tx, r.receiver, r.breaker()); err != nil {
				return err
			}
		}
	}
	if len(own) == 0 {
		return nil
	}
	pending, err := readPending(ctx, tx, own)
	if err != nil {
		return err
	}
	settled := make([]savepage.Delivery, 0, len(own))
	attempts := make([]any, 0, len(own)*newAttempts.Width)
	now := own[0].outbox.clock.Now()
	for _, r := range own {
		p, is := pending[r.id]
		if r.gone = !is; r.gone {
			continue
		}
		r.is.Attempts = p.attempts + 1
		attempts = append(attempts, r.attempt()...)
		d := ledger.Settled(p.Delivery, r.sent, int(r.is.Attempts), now)
		if r.is.State = d.State; d.NextAt != nil {
			r.is.Next = *d.NextAt
		}
		settled = append(settled, d)
		delete(pending, r.id)
	}
	if err := newAttempts.Exec(ctx, tx, attempts); err != nil {
		return fmt.Errorf("insert attempts: %w", err)
	}
	if err := settleAll(ctx, tx, settled); err != nil {
		return err
	}
	return endStored(ctx, tx, own, settled)
}

// endStored ends captures whose stores have taken their pictures, or never will.
func endStored(ctx context.Context, tx *sql.Tx, own []*recording, settled []savepage.Delivery) (err error) {
	of := map[string]savepage.Delivery{}
	for _, d := range settled {
		of[d.ID] = d
	}
	for _, r := range own {
		if d, is := of[r.id]; is && !r.gone && err == nil {
			r.stored, err = r.outbox.uploads.endStoring(ctx, tx, d, r.sent.Verdict, r.outbox.stored.Owe)
		}
	}
	return err
}

// attempted is a pending delivery and how many attempts of it are recorded.
type attempted struct {
	savepage.Delivery

	attempts int64
}

const pendingQuery = `SELECT ` + deliveryColumns + `, coalesce((SELECT max(number) FROM attempts WHERE attempts.delivery = d.id), 0)
	FROM deliveries d WHERE d.id IN (SELECT value FROM json_each(?)) AND d.state = 'pending'`

func readPending(ctx context.Context, tx *sql.Tx, list []*recording) (map[string]attempted, error) {
	ids := make([]string, len(list))
	for i, r := range list {
		ids[i] = r.id
	}
	named, err := textList(ids)
	if err != nil {
		return nil, err
	}
	found, err := collect(ctx, tx, func(scan func(dest ...any) error) (one attempted, err error) {
		one.Delivery, err = scanDelivery(func(dest ...any) error { return scan(append(dest, &one.attempts)...) })
		return one, err
	}, pendingQuery, named)
	if err != nil {
		return nil, fmt.Errorf("read pending deliveries: %w", err)
	}
	pending := make(map[string]attempted, len(found))
	for _, one := range found {
		pending[one.ID] = one
	}
	return pending, nil
}

// newAttempts inserts attempts.
var newAttempts = Insertion{
	Head: `INSERT INTO attempts (delivery, number, at, outcome, status, latency_ms, error, answer, next_at, sent) VALUES `,
	Row:  `(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, Width: 10,
}

// attempt is the row of newAttempts.
func (r *recording) attempt() []any {
	a := r.sent.Attempt
	var next any
	if r.sent.State == savepage.Pending {
		next = stamp(r.sent.NextAt)
	}
	return []any{
		r.id, r.is.Attempts, stamp(a.At), string(a.Outcome), a.Status, a.LatencyMS, a.Error, a.Answer, next, r.request,
	}
}
