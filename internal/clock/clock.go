// Package clock is the time by which things are ordered, fall due and expire. The program makes one Clock and passes it to
// all who ask; a test makes one that it drives, or one that runs beside the machine's. What only measures how long
// something took, bounds a wait for the network or repaints a screen uses package time: there the machine's monotonic
// time is right, whatever the date is.
package clock

import (
	"context"
	"sync/atomic"
	"time"
)

// Clock tells the time and waits by it. Make one with System or Manual. It is safe for concurrent use.
type Clock struct {
	offset atomic.Int64 // nanoseconds that steps have added
	manual *manual      // nil: time passes by itself
}

// System is the machine's clock.
func System() *Clock { return &Clock{} }

// Manual is a clock for tests that stands at start until Advance or Step moves it.
func Manual(start time.Time) *Clock { return &Clock{manual: &manual{start: start.UTC()}} }

// Or returns c, and the machine's clock for nil.
func (c *Clock) Or() *Clock {
	if c == nil {
		return System()
	}
	return c
}

// Now returns the time in UTC, without a monotonic reading: it goes back when the clock is set back.
func (c *Clock) Now() time.Time {
	now := time.Now().UTC()
	if c.manual != nil {
		now = c.manual.now()
	}
	return now.Add(time.Duration(c.offset.Load()))
}

// Step sets the clock forward, or back for a negative value, as an administrator or a time server does: Now jumps, and no
// timer ends sooner or later for it.
func (c *Clock) Step(by time.Duration) { c.offset.Add(int64(by)) }

// Moved reports whether Now is another time than the machine's.
func (c *Clock) Moved() bool { return c.manual != nil || c.offset.Load() != 0 }

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
		resetAt: func(at time.Time) { c.manual.setAt(one, at.Add(-time.Duration(c.offset.Load()))) },
	}
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
