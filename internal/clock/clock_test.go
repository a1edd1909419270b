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
	if first, second := c.Now(), c.Now(); first != start || second != start {
		t.Fatalf("it is %v, then %v; want %v", first, second, start)
	}
	c.Advance(time.Second)
	c.Step(time.Hour)
	if want := start.Add(time.Second + time.Hour); c.Now() != want {
		t.Errorf("it is %v, want %v", c.Now(), want)
	}
}

// TestNowNeverGoesBack sets the date back and forth: time goes on as it passes, and follows the date forward only.
func TestNowNeverGoesBack(t *testing.T) {
	c := clock.Manual(start)
	ahead := time.Duration(0)
	for _, one := range []struct{ step, now, wall time.Duration }{
		{0, 0, 0},
		{-13 * time.Hour, 0, -13 * time.Hour},
		{12 * time.Hour, 0, -time.Hour},
		{3 * time.Hour, 2 * time.Hour, 2 * time.Hour},
		{-2 * time.Hour, 2 * time.Hour, 0},
	} {
		c.Step(one.step)
		for range 2 {
			c.Advance(time.Second)
			ahead += time.Second
			if c.Now() != start.Add(one.now+ahead) || c.Wall() != start.Add(one.wall+ahead) {
				t.Errorf("after a step of %v it is %v, and on the wall %v", one.step, c.Now(), c.Wall())
			}
		}
		timer := c.NewTimer(time.Hour)
		timer.ResetAt(c.Now().Add(time.Second))
		c.Advance(time.Second)
		if ahead += time.Second; !ended(timer) {
			t.Errorf("after a step of %v a timer did not end at its time", one.step)
		}
	}
}

// TestDateFollowsLate sets the date forward and back: what ends for good on a date has an hour to see that it was wrong.
func TestDateFollowsLate(t *testing.T) {
	c := clock.Manual(start)
	passed := time.Duration(0)
	for i, one := range []struct{ step, pass, date time.Duration }{
		{0, time.Hour, 0},
		{time.Second, time.Hour, time.Second}, // a correction
		{-time.Second, time.Hour, 0},
		{48 * time.Hour, 59 * time.Minute, time.Second}, // in doubt: the time that never goes back
		{24 * time.Hour, 59 * time.Minute, time.Second}, // still
		{0, time.Minute, 72 * time.Hour},
		{-72 * time.Hour, 0, 0},
	} {
		c.Step(one.step)
		c.Now()
		c.Advance(one.pass)
		passed += one.pass
		if got := c.Date().Sub(start) - passed; got != one.date {
			t.Errorf("%d: %v after a step of %v the date is %v ahead, want %v", i, one.pass, one.step, got, one.date)
		}
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

// TestResetAtMissesNoAdvance sets a timer by a time that was read before time passed.
func TestResetAtMissesNoAdvance(t *testing.T) {
	c := clock.Manual(start)
	c.Step(time.Hour)
	timer, due := c.NewTimer(time.Hour), c.Now().Add(time.Minute)
	c.Advance(time.Minute)
	timer.ResetAt(due)
	if !ended(timer) {
		t.Error("a timer of a time that has come did not end")
	}
	timer.ResetAt(due.Add(time.Second))
	if ended(timer) {
		t.Error("a timer of a time to come has ended")
	}
	c.Advance(time.Second)
	if !ended(timer) {
		t.Error("a timer did not end at its time")
	}
}

func TestMoved(t *testing.T) {
	c := clock.System()
	if c.Moved() || !clock.Manual(start).Moved() {
		t.Error("only the manual clock is another time than the machine's")
	}
	if c.Step(time.Second); !c.Moved() {
		t.Error("a clock that was stepped is another time than the machine's")
	}
	if c.Step(-time.Second); !c.Moved() {
		t.Error("a clock that is ahead of the machine's is another time")
	}
}

func TestSystemRunsBesideTheMachine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := clock.System()
		c.Step(2 * time.Hour)
		before := c.Now()
		if got := time.Until(before); got != 2*time.Hour || before.Location() != time.UTC {
			t.Errorf("it is %v ahead, in %v", got, before.Location())
		}
		timer := c.NewTimer(time.Minute)
		timer.Reset(time.Second)
		<-timer.C
		timer.ResetAt(c.Now().Add(time.Second))
		<-timer.C
		if got := c.Now().Sub(before); got != 2*time.Second {
			t.Errorf("%v have passed, want two seconds", got)
		}
		c.Step(time.Minute)
		if got := c.Now().Sub(before); got != time.Minute+2*time.Second {
			t.Errorf("%v after the step, want a minute and two seconds", got)
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

// TestLead has a clock go by a better one, ahead of it and behind it, and the machine's date be set meanwhile.
func TestLead(t *testing.T) {
	t.Parallel()
	c := clock.Manual(start)
	c.Step(-3 * time.Hour)
	want := start.Add(-3 * time.Hour)
	if c.Now(); c.Led() {
		t.Error("it goes by a better clock")
	}
	for _, by := range []time.Duration{3 * time.Hour, 5 * time.Hour, -time.Hour, 0} {
		c.Lead(by)
		want = want.Add(by)
		for _, step := range []time.Duration{7 * time.Hour, -9 * time.Hour, time.Hour} {
			date := c.Machine()
			c.Step(step)
			c.Advance(time.Second)
			want = want.Add(time.Second)
			if now, wall, of := c.Now(), c.Wall(), c.Date(); !now.Equal(want) || !wall.Equal(want) || !of.Equal(want) || !c.Led() {
				t.Errorf("led by %s, set by %s: %s, %s, %s, want %s", by, step, now, wall, of, want)
			}
			if is := c.Machine(); !is.Equal(date.Add(step + time.Second)) {
				t.Errorf("the machine's date is %s after %s and a step of %s", is, date, step)
			}
		}
	}
	system := clock.System()
	if system.Lead(0); system.Moved() {
		t.Error("what goes on from the machine's date counts as another time")
	}
	if system.Lead(time.Hour); !system.Moved() {
		t.Error("it counts as the machine's")
	}
}
