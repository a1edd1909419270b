// Package clock is the time by which things are ordered, fall due and expire. The program makes one Clock and passes it to
// all who ask; a test makes one that it drives, or one that runs beside the machine's. What only measures how long
// something took, bounds a wait for the network or repaints a screen uses package time: there the machine's monotonic
// time is right, whatever the date is.
package clock

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// Clock tells the time and waits by it. Its time never goes back: when the machine's date is set back, Now goes on from
// where it was, and what waits for a time that was computed before waits no longer for it. When the date is set forward, Now
// follows at once. Make one with System or Manual. It is safe for concurrent use.
type Clock struct {
	offset atomic.Int64 // nanoseconds that steps have added to the machine's date
	manual *manual      // nil: time passes by itself
	began  time.Time    // with the machine's monotonic reading

	mu    sync.Mutex
	lead  time.Duration // the most by which the date has been ahead of began and the time that has passed since
	leads bool          // lead is known
	led   bool          // by Lead: the date does not count any more, lead stays
	doubt time.Duration // how much time will have passed when the date is no longer in doubt
	sure  time.Duration // lead as it was before the date was in doubt
}

// A date that is set forward by jump or more is in doubt for a while: it may be set back soon. Less is a correction.
const (
	jump    = time.Minute
	inDoubt = time.Hour
)

// System is the machine's clock.
func System() *Clock { return &Clock{began: time.Now()} }

// Manual is a clock for tests that stands at start until Advance or Step moves it.
func Manual(start time.Time) *Clock {
	return &Clock{began: start.UTC(), manual: &manual{start: start.UTC()}}
}

// Or returns c, and the machine's clock for nil.
func (c *Clock) Or() *Clock {
	if c == nil {
		return System()
	}
	return c
}

// Now returns the time in UTC, without a monotonic reading. It is the machine's date, or later while that has been set back:
// it never goes back.
func (c *Clock) Now() time.Time {
	_, now := c.read()
	return now
}

// Wall returns the machine's date as it is now, which may have been set back: the time that others go by. What is signed
// carries it. With Lead it is Now.
func (c *Clock) Wall() time.Time {
	wall, _ := c.read()
	return wall
}

// Date returns the machine's date for what ends for good on a date. It follows a date that is set forward only an hour later.
func (c *Clock) Date() time.Time {
	wall, now := c.read()
	c.mu.Lock()
	defer c.mu.Unlock()
	begun := now.Add(-c.lead)
	if sure := begun.Add(c.sure); begun.Sub(c.base()) < c.doubt && sure.Before(wall) {
		return sure
	}
	return wall
}

// machine returns the machine's date and how much time has passed.
func (c *Clock) machine() (wall time.Time, passed time.Duration) {
	if c.manual != nil {
		passed = c.manual.passed()
		wall = c.base().Add(passed)
	} else {
		now := time.Now()
		passed = now.Sub(c.began)
		wall = now.UTC().Round(0)
	}
	return wall.Add(time.Duration(c.offset.Load())), passed
}

// read returns the machine's date and the time that never goes back.
func (c *Clock) read() (wall, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	wall, passed := c.machine()
	if c.led {
		now = c.base().Add(passed + c.lead)
		return now, now
	}
	lead := wall.Sub(c.base()) - passed
	if c.leads && lead >= c.lead+jump {
		if passed >= c.doubt {
			c.sure = c.lead
		}
		c.doubt = passed + inDoubt
	}
	if !c.leads || lead > c.lead {
		c.lead, c.leads = lead, true
	}
	return wall, c.base().Add(passed + c.lead)
}

// base is the date at which it began.
func (c *Clock) base() time.Time { return c.began.UTC().Round(0) }

// Step sets the machine's date forward, or back for a negative value, as an administrator or a time server does: no timer
// ends sooner or later for it.
func (c *Clock) Step(by time.Duration) {
	c.read() // what was before the step has been seen
	c.offset.Add(int64(by))
}

// Lead has the clock go on from its date and so much, with the time that passes: a step of the machine's date changes nothing from
// now on. It is for who knows a better clock, and may set the time back: whoever shares that one would wait for what was said before.
func (c *Clock) Lead(by time.Duration) {
	wall := c.Wall().Add(by)
	c.mu.Lock()
	defer c.mu.Unlock()
	_, passed := c.machine()
	c.lead, c.leads, c.led = wall.Sub(c.base())-passed, true, true
	c.sure, c.doubt = c.lead, 0
}

// Led reports whether Lead was called.
func (c *Clock) Led() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.led
}

// Machine returns the machine's date, also where the clock goes by a better one.
func (c *Clock) Machine() time.Time {
	date, _ := c.machine()
	return date
}

// apart is how much Now may differ from the machine's date before it counts as moved.
const apart = 5 * time.Millisecond

// Moved reports whether Now is another time than the machine's.
func (c *Clock) Moved() bool {
	_, now := c.read()
	return c.manual != nil || c.offset.Load() != 0 || now.Sub(c.Machine()).Abs() > apart
}

// Advance lets time pass on a manual clock and ends the timers that this makes due, in order. It panics on a system clock,
// where time passes by itself, and when by is negative.
func (c *Clock) Advance(by time.Duration) {
	if c.manual == nil || by < 0 {
		panic("clock: Advance moves only a manual clock, and only forward")
	}
	c.manual.advance(by)
}

// Timer sends on C once, when the time that it was last set to has come.
type Timer struct {
	C       <-chan time.Time
	reset   func(d time.Duration)
	resetAt func(at time.Time)
	stop    func()
}

// NewTimer starts a timer that ends after d.
func (c *Clock) NewTimer(d time.Duration) *Timer {
	if c.manual != nil {
		return c.newManualTimer(d)
	}
	t := time.NewTimer(d)
	return &Timer{
		C: t.C, stop: func() { t.Stop() },
		reset:   func(d time.Duration) { t.Reset(d) },
		resetAt: func(at time.Time) { t.Reset(at.Sub(c.Now())) },
	}
}

func (c *Clock) newManualTimer(d time.Duration) *Timer {
	one := &pending{send: make(chan time.Time, 1)}
	c.manual.set(one, d)
	return &Timer{
		C: one.send, stop: func() { c.manual.stop(one) },
		reset:   func(d time.Duration) { c.manual.set(one, d) },
		resetAt: func(at time.Time) { c.manual.setAt(one, at.Add(-c.leading())) },
	}
}

// leading is how far Now is ahead of began and the time that has passed since.
func (c *Clock) leading() time.Duration {
	c.read()
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lead
}

// Reset sets the timer to d from now. What it would have sent before is not sent any more.
func (t *Timer) Reset(d time.Duration) { t.reset(d) }

// ResetAt sets the timer to a time. Where the time follows from an earlier Now it is the better Reset: what has passed
// since is not waited for again.
func (t *Timer) ResetAt(at time.Time) { t.resetAt(at) }

// Stop ends the timer. What it would have sent is not sent any more.
func (t *Timer) Stop() { t.stop() }

// Pause waits. It returns false when ctx has ended first.
func (c *Clock) Pause(ctx context.Context, d time.Duration) bool {
	timer := c.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}
