package ledger

import (
	"context"
	"sync"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/clock"
	"github.com/savepage/savepage/internal/health"
)

// Waits after a internal fault, such as a full disk: they double from the first to the longest.
const (
	faultWait    = time.Second
	faultWaitMax = time.Minute
)

// lookAgain is how long the dispatcher sleeps at most: the clock may have been set.
const lookAgain = 5 * time.Second

// Backoff is how long to wait after the nth internal fault in a row.
func Backoff(n int) time.Duration {
	return min(faultWait<<min(max(n-1, 0), 10), faultWaitMax)
}

// freeDeaths is how often the service may end while it renders a capture before that waits.
const freeDeaths = 3

// AfterDeath is how long a capture waits that was rendered when the service ended, for the nth time.
func AfterDeath(n int) time.Duration {
	if n <= freeDeaths {
		return 0
	}
	return min(time.Second<<min(n-freeDeaths, 10), 10*time.Minute)
}

// Owed is what the dispatcher asks of the records of deliveries. A fault is logged by who returns it.
type Owed interface {
	// Due returns the ids of at most limit pending deliveries of the receiver and kind that are due, in order, and when the
	// next one after them is due; zero when there is none.
	Due(ctx context.Context, r Receiver, kind Kind, limit int) (ids []string, more time.Time, err error)
	// Attempt makes one attempt of a delivery. It calls loaded when it has read the delivery and begins to send it. It returns
	// nil when there is nothing to do for it, and when ctx has cut the attempt off.
	Attempt(ctx context.Context, id string, loaded func()) (*Sent, error)
	// Record writes an attempt down and what it did to the receiver's breaker. It returns when the delivery is due again;
	// zero: never.
	Record(ctx context.Context, r Receiver, id string, sent Sent, c Change) (next time.Time, err error)
}

// Sent is an attempt that was made.
type Sent struct {
	savepage.Verdict

	Asked  int       // how often the delivery had been sent again by hand when the attempt began
	Before time.Time // of the attempt before; zero: it was the first
}

// Dispatcher sends what is due in the order of its lanes. While the database is sick it begins nothing: an attempt that can
// not be recorded would be made again.
type Dispatcher struct {
	Lanes  *Lanes
	Owed   Owed
	Clock  *clock.Clock
	Grace  time.Duration // for attempts under way when Run's context ends
	Health *health.Board // nil: all is well
}

// Run sends until ctx ends, and returns when no attempt is under way any more.
func (d *Dispatcher) Run(ctx context.Context) {
	sending, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	var workers sync.WaitGroup
	d.hand(ctx, func(s step) { workers.Go(func() { d.work(sending, s) }) })
	grace := time.AfterFunc(d.Grace, cut)
	defer grace.Stop()
	workers.Wait()
}

// hand gives out steps until ctx ends.
func (d *Dispatcher) hand(ctx context.Context, send func(s step)) {
	timer := d.Clock.NewTimer(0)
	defer timer.Stop()
	for d.Health.Await(ctx, health.Database) == nil {
		now := d.Clock.Now()
		s, wait, found := d.Lanes.take(now)
		switch {
		case found && s.id != "":
			send(s)
			continue
		case found:
			d.read(ctx, s)
			continue
		case wait < 0 || wait > lookAgain:
			wait = lookAgain
		}
		timer.ResetAt(now.Add(wait))
		select {
		case <-ctx.Done():
		case <-d.Lanes.wake:
		case <-timer.C:
		}
	}
}

// read asks for what is due in a lane. After a fault it is asked again later.
func (d *Dispatcher) read(ctx context.Context, s step) {
	ids, more, err := d.Owed.Due(ctx, s.Receiver, s.kind, laneBatch+len(s.except))
	if err != nil {
		ids, more = nil, d.Clock.Now().Add(faultWait)
	}
	d.Lanes.read(s, ids, more)
}

// work makes one attempt and records it. Only the end of ctx keeps it from either.
func (d *Dispatcher) work(ctx context.Context, s step) {
	loaded := sync.OnceFunc(func() { d.Lanes.loaded(s) })
	sent := d.attempt(ctx, s, loaded)
	loaded()
	if sent == nil {
		d.Lanes.answered(s, nil, d.Clock.Now())
		d.Lanes.recorded(s, time.Time{}, d.Clock.Now())
		return
	}
	change := d.Lanes.answered(s, sent, d.Clock.Now())
	next := d.record(ctx, s, *sent, change)
	d.Lanes.recorded(s, next, d.Clock.Now())
}

// record returns when the delivery is due again. The receiver has answered: the attempt is written down whatever ends
// meanwhile.
func (d *Dispatcher) record(ctx context.Context, s step, sent Sent, c Change) time.Time {
	durable := context.WithoutCancel(ctx)
	for n := 1; ; n++ {
		next, err := d.Owed.Record(durable, s.Receiver, s.id, sent, c)
		if err == nil || !d.pause(ctx, n) {
			return next
		}
	}
}

func (d *Dispatcher) attempt(ctx context.Context, s step, loaded func()) *Sent {
	for n := 1; ; n++ {
		sent, err := d.Owed.Attempt(ctx, s.id, loaded)
		if err == nil {
			return sent
		}
		if !d.pause(ctx, n) {
			return nil
		}
	}
}

// pause waits after the nth internal fault in a row, and for the database while it is sick; false when ctx has ended.
func (d *Dispatcher) pause(ctx context.Context, n int) bool {
	return d.Clock.Pause(ctx, Backoff(n)) && d.Health.Await(ctx, health.Database) == nil
}
