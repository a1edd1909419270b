package ledger

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/savepage/savepage"
)

// ErrNothingOwed says that a delivery is not pending any more, or gone.
var ErrNothingOwed = errors.New("nothing is owed")

// Outbox is what Post asks of the records of deliveries.
type Outbox interface {
	// Due is Owed.Due.
	Due(ctx context.Context, r Receiver, kind Kind, limit int) (ids []string, more time.Time, err error)
	// Owed returns a pending delivery with its attempts and headers, and what it is signed with, or ErrNothingOwed.
	Owed(ctx context.Context, id string) (d savepage.Delivery, secrets []string, err error)
	// Record writes an attempt down, moves its delivery on as Settled says, and keeps the receiver's breaker when it is not
	// nil, in one transaction. It returns the delivery as it is then, or
	// ErrNothingOwed when the delivery was not pending any more: the breaker is kept all the same.
	Record(ctx context.Context, r Receiver, id string, sent Sent, b func() Breaker) (Recorded, error)
}

// Recorded is a delivery after an attempt.
type Recorded struct {
	Attempts int64                  // that were made
	State    savepage.DeliveryState // Pending also for one that was sent again by hand meanwhile
	Next     time.Time              // when it is due again; zero: never
}

// Post is what a Dispatcher asks of records: it sends what the Outbox holds and counts it.
type Post struct {
	Outbox  Outbox
	Lanes   *Lanes
	Deliver func(ctx context.Context, d savepage.Delivery, secrets []string) savepage.Verdict
	Totals  *DeliveryTotals
	Log     *slog.Logger
}

// DeliveryTotals counts deliveries that have ended since the start. The zero value is ready.
type DeliveryTotals struct{ Delivered, Died atomic.Uint64 }

// Due reads what the receiver is to be sent now.
func (p *Post) Due(ctx context.Context, r Receiver, kind Kind, limit int) ([]string, time.Time, error) {
	ids, more, err := p.Outbox.Due(ctx, r, kind, limit)
	if err != nil {
		return nil, time.Time{}, p.fault(ctx, "look for due deliveries", err)
	}
	return ids, more, nil
}

// Attempt sends a delivery once.
func (p *Post) Attempt(ctx context.Context, id string, loaded func()) (*Sent, error) {
	d, secrets, err := p.Outbox.Owed(ctx, id)
	loaded()
	if errors.Is(err, ErrNothingOwed) {
		return nil, nil //nolint:nilnil // nothing to do is no error
	}
	if err != nil {
		return nil, p.fault(ctx, "load delivery "+id, err)
	}
	verdict, err := p.send(ctx, d, secrets)
	if err != nil {
		return nil, p.fault(ctx, "send delivery "+id, err)
	}
	if verdict.State == "" || ctx.Err() != nil && verdict.State != savepage.Delivered {
		return nil, nil //nolint:nilnil // there was none, or it was cut off by the stop: the receiver is not to blame
	}
	sent := &Sent{Verdict: verdict, Asked: d.Asked}
	if n := len(d.Attempts); n > 0 {
		sent.Before = d.Attempts[n-1].At
	}
	return sent, nil
}

// send calls the handler and turns a panic into an error: one delivery must not end the others.
func (p *Post) send(ctx context.Context, d savepage.Delivery, secrets []string) (v savepage.Verdict, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("deliver panicked: %v\n%s", cause, debug.Stack())
		}
	}()
	return p.Deliver(ctx, d, secrets), nil
}

// Record writes an attempt down and moves its delivery and its receiver's breaker on.
func (p *Post) Record(ctx context.Context, r Receiver, id string, sent Sent, c Change) (time.Time, error) {
	var breaker func() Breaker
	if c != Unchanged {
		// As it is in the transaction: the last one to write has the newest state, whichever attempt it belongs to.
		breaker = func() Breaker { return p.Lanes.Breaker(r) }
	}
	recorded, err := p.Outbox.Record(ctx, r, id, sent, breaker)
	if err != nil && !errors.Is(err, ErrNothingOwed) {
		return time.Time{}, p.fault(ctx, "record an attempt of delivery "+id, err)
	}
	p.logChange(ctx, r, c)
	if err == nil {
		p.count(ctx, id, sent.Attempt, recorded)
	}
	return recorded.Next, nil
}

// fault logs an internal error unless the end of ctx is its cause.
func (p *Post) fault(ctx context.Context, what string, err error) error {
	if ctx.Err() == nil {
		p.Log.ErrorContext(ctx, "delivering met a fault", "operation", what, "error", err)
	}
	return fmt.Errorf("%s: %w", what, err)
}

// logChange writes the line of a breaker's change.
func (p *Post) logChange(ctx context.Context, r Receiver, c Change) {
	b := p.Lanes.Breaker(r)
	switch c {
	case Opened:
		p.Log.WarnContext(ctx, "receiver fails: its deliveries wait", "account", r.Account, "receiver", r.Host, "failures", b.Failures,
			"probe_at", b.ProbeAt)
	case Closed:
		p.Log.InfoContext(ctx, "receiver answers again", "account", r.Account, "receiver", r.Host)
	case Delayed, Unchanged:
	}
}

// count follows the commit of an attempt.
func (p *Post) count(ctx context.Context, id string, a savepage.Attempt, recorded Recorded) {
	switch recorded.State {
	case savepage.Delivered:
		p.Totals.Delivered.Add(1)
	case savepage.Dead:
		p.Totals.Died.Add(1)
		p.Log.WarnContext(ctx, "delivery is dead", "delivery", id, "attempts", recorded.Attempts, "outcome", a.Outcome,
			"status", a.Status, "reason", a.Error)
	case savepage.Pending:
	}
}
