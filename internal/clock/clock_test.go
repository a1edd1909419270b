package clock_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/savepage/savepage/internal/clock"
)

var start = time.Date(2026, 2, 28, 23, 59, 59, 0, time.UTC)

func ended(t *clock.Timer) bool {
	select {
	case <-t.C:
		return true
	default:
		return false
	}
}

func TestManualStandsUntilItIsMoved(t *testing.T) {
	c := clock.Manual(start.In(time.FixedZone("east", 3600)))
	if c.Now() != start || c.Now() != start {
		t.Fatalf("it is %v, want %v", c.Now(), start)
	}
	c.Advance(time.Second)
	c.Step(-time.Hour)
	if want := start.Add(time.Second - time.Hour); c.Now() != want {
		t.Errorf("it is %v, want %v", c.Now(), want)
	}
}

func TestManualTimersEndInOrder(t *testing.T) {
	c := clock.Manual(start)
	late, soon, stopped, now := c.NewTimer(3*time.Second), c.NewTimer(time.Second), c.NewTimer(time.Second), c.NewTimer(0)
	stopped.Stop()
	if !ended(now) || ended(soon) {
		t.Fatal("before time passes only the timer of no duration may have ended")
	}
	c.Step(time.Hour)
	if ended(soon) {
		t.Error("a step ended a timer")
	}
	c.Advance(time.Second)
	if !ended(soon) || ended(late) || ended(stopped) {
		t.Error("after a second only the timer of a second may have ended")
	}
	c.Advance(2 * time.Second)
	late.Reset(time.Second) // it has ended, and nobody has received that
	if ended(late) {
		t.Error("a timer that was set anew had ended")
	}
	c.Advance(time.Second)
	if !ended(late) {
		t.Error("a timer that was set anew did not end")
	}
}

func TestSystemRunsBesideTheMachine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := clock.System()
		c.Step(-2 * time.Hour)
		before := c.Now()
		if got := time.Since(before); got != 2*time.Hour || before.Location() != time.UTC {
			t.Errorf("it is %v behind, in %v", got, before.Location())
		}
		timer := c.NewTimer(time.Minute)
		timer.Reset(time.Second)
		<-timer.C
		if got := c.Now().Sub(before); got != time.Second {
			t.Errorf("%v have passed, want a second", got)
		}
		c.Step(time.Minute)
		if got := c.Now().Sub(before); got != time.Minute+time.Second {
			t.Errorf("%v after the step, want a minute and a second", got)
		}
		timer.Stop()
	})
}

func TestPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, c := range map[string]*clock.Clock{"system": clock.System(), "nil": (*clock.Clock)(nil).Or()} {
			if !c.Pause(t.Context(), time.Hour) {
				t.Errorf("%s: cut off", name)
			}
		}
		c, done := clock.Manual(start), make(chan bool)
		go func() { done <- c.Pause(t.Context(), time.Hour) }()
		synctest.Wait()
		c.Advance(time.Hour)
		if !<-done {
			t.Error("manual: cut off")
		}
		ctx, cancel := context.WithCancel(t.Context())
		go func() { done <- c.Pause(ctx, time.Hour) }()
		cancel()
		if <-done {
			t.Error("a pause outlasted its context")
		}
	})
}

func TestAdvanceRefuses(t *testing.T) {
	for name, move := range map[string]func(){
		"a system clock": func() { clock.System().Advance(time.Second) },
		"the past":       func() { clock.Manual(start).Advance(-time.Second) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("advanced %s", name)
				}
			}()
			move()
		}()
	}
}
