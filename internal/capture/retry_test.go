package capture

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/health"
)

// TestRunTriesAgain holds what becomes of a capture whose render fails: it goes back, or it ends with a code.
func TestRunTriesAgain(t *testing.T) {
	at := func(code savepage.Code) error { return savepage.Errorf(code, "x") }
	killed, crashed := at(savepage.CodeBrowserLost), errors.Join(at(savepage.CodeBrowserLost), ErrCrashed)
	flooded := errors.Join(at(savepage.CodePageCrashed), ErrCrashed)
	noBrowser := health.Of(health.Browser, errors.New("no browser can be started"))
	long := DefaultConfig().Patience + time.Minute
	half := 500 * time.Millisecond
	lost := &Back{Wait: half, Free: true, Lost: 1}
	for name, c := range map[string]struct {
		err   error
		claim Claim         // Spent, Lost, Deaths
		since time.Duration // since it was first put back for a fault
		back  *Back
		end   savepage.Code
	}{
		"page crashed twice":        {at(savepage.CodePageCrashed), Claim{Spent: 2}, 0, &Back{Wait: half, Lost: 1}, ""},
		"page crashed three times":  {at(savepage.CodePageCrashed), Claim{Spent: 3}, 0, nil, savepage.CodePageCrashed},
		"browser killed":            {killed, Claim{Spent: 2}, 0, lost, ""},
		"browser killed five times": {killed, Claim{Lost: 4}, 0, lost, ""},
		"browser killed each time":  {killed, Claim{Lost: 5}, 0, nil, savepage.CodePageCrashed},
		"browser crashed":           {crashed, Claim{Spent: 2}, 0, lost, ""},
		"browser crashed twice":     {crashed, Claim{Lost: 1}, 0, nil, savepage.CodePageCrashed},
		"killed, then crashed":      {crashed, Claim{Lost: 2}, 0, nil, savepage.CodePageCrashed},
		"crashed, then killed":      {killed, Claim{Lost: 1}, 0, lost, ""},
		"page floods":               {flooded, Claim{Spent: 1}, 0, lost, ""},
		"page floods twice":         {flooded, Claim{Spent: 1, Lost: 1}, 0, nil, savepage.CodePageCrashed},
		"no browser":                {noBrowser, Claim{Spent: 2, Lost: 5}, 0, &Back{Wait: half, Free: true, Fault: true}, ""},
		"no browser, for long":      {noBrowser, Claim{}, long, nil, savepage.CodeServiceFault},
		"no browser, for a while":   {noBrowser, Claim{}, time.Minute, &Back{Wait: 15 * time.Second, Free: true, Fault: true}, ""},
		"no memory":                 {fmt.Errorf("fork: %w", syscall.ENOMEM), Claim{Spent: 2}, 0, &Back{Wait: half, Free: true, Fault: true}, ""},
		"a fault of the page":       {at(savepage.CodeTLSError), Claim{Spent: 1}, 0, nil, savepage.CodeTLSError},
		"selector is not there":     {at(savepage.CodeSelectorNotFound), Claim{Spent: 1}, 0, nil, savepage.CodeSelectorNotFound},
		"an unknown error, twice":   {errors.New("x"), Claim{Spent: 2}, 0, &Back{Wait: half}, ""},
		"an unknown error, thrice":  {errors.New("x"), Claim{Spent: 3}, 0, nil, savepage.CodeInternal},
		"service ended 29 times":    {nil, Claim{Spent: 1, Deaths: 29}, 0, nil, ""},
		"service ended each time":   {nil, Claim{Spent: 2, Deaths: 30}, 0, nil, savepage.CodePageCrashed},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newFlow(t)
			f.shots.err = c.err
			held := claim(savepage.Options{URL: "http://a.test"})
			held.Spent, held.Lost, held.Deaths = c.claim.Spent, c.claim.Lost, c.claim.Deaths
			if c.since > 0 {
				held.FaultedAt = time.Now().Add(-c.since)
			}
			if err := f.Run(t.Context(), held); err != nil {
				t.Fatal(err)
			}
			var want []Back
			if c.back != nil {
				want = []Back{*c.back}
			}
			if !slices.Equal(f.ledger.released, want) || (c.back == nil) != (len(f.ledger.outcomes) == 1) {
				t.Errorf("%s: released %v, want %v", name, f.ledger.released, want)
			}
			if c.back != nil || len(f.ledger.outcomes) != 1 {
				return
			}
			if got := f.ledger.outcomes[0].Error; got == nil && c.end != "" || got != nil && got.Code != c.end {
				t.Errorf("%s: ended with %v, want %q", name, got, c.end)
			}
		})
	}
}

// TestRunAfterALostBrowser has a capture rendered apart when its browser was lost before.
func TestRunAfterALostBrowser(t *testing.T) {
	f := newFlow(t)
	for _, lost := range []int{0, 1} {
		c := claim(savepage.Options{URL: "http://a.test"})
		c.Lost = lost
		if err := f.Run(t.Context(), c); err != nil || f.shots.apart != (lost > 0) {
			t.Errorf("after %d lost: apart %t, %v", lost, f.shots.apart, err)
		}
	}
}

// full is a store without room.
type full struct{ Blobs }

func (full) Put(context.Context, string, io.Reader) error { return syscall.ENOSPC }

// TestRunWithoutAStore puts the capture back and makes the store sick.
func TestRunWithoutAStore(t *testing.T) {
	f := newFlow(t)
	f.Service.blobs = full{}
	f.watch(health.Pictures)
	c := claim(savepage.Options{URL: "http://a.test"})
	c.Spent = f.cfg.MaxAttempts
	if err := f.Run(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if len(f.ledger.released) != 1 || !f.ledger.released[0].Free || !f.health.States()[0].Sick {
		t.Errorf("released %v, %+v", f.ledger.released, f.health.States())
	}
}

// watch gives the flow a board with a part that works when it is probed.
func (f *flow) watch(part health.Part) {
	f.health = health.NewBoard(health.Config{Log: slog.New(slog.DiscardHandler)})
	f.health.Watch(part, func(context.Context) error { return nil })
}

// TestRunWithoutARecord has the database fail when the end is recorded: it is recorded when the database works again, with the
// picture that was made.
func TestRunWithoutARecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFlow(t)
		f.watch(health.Database)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); f.health.Run(ctx) }()
		f.ledger.finishErr = health.Of(health.Database, errors.New("disk full"))
		f.ledger.finishOnce = true
		if err := f.Run(ctx, claim(savepage.Options{URL: "http://a.test"})); err != nil {
			t.Fatal(err)
		}
		if len(f.ledger.outcomes) != 1 || len(f.blobs.all) != 1 || f.ledger.outcomes[0].State != savepage.Success {
			t.Errorf("outcomes %v, pictures %d", f.ledger.outcomes, len(f.blobs.all))
		}
		stop()
		<-ended
	})
}

// TestGiveUp ends what has waited for a sick part for too long, with the part's name, and nothing before.
func TestGiveUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFlow(t)
		broken := errors.New("none")
		f.watch(health.Database)
		f.health.Watch(health.Browser, func(context.Context) error { return broken })
		f.overdue = f.ledger
		f.ledger.waiting = []Claim{claim(savepage.Options{URL: "http://a.test"})}
		giveUp := func() int {
			n, err := f.GiveUp(t.Context(), time.Now())
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		<-time.After(2 * f.cfg.Patience)
		if giveUp() != 0 {
			t.Error("gave up while all parts work")
		}
		f.health.Report(health.Of(health.Browser, broken))
		<-time.After(f.cfg.Patience - time.Second)
		if giveUp() != 0 {
			t.Error("gave up too soon")
		}
		<-time.After(2 * time.Second)
		if giveUp() != 1 {
			t.Error("still waits")
		}
		if got := f.ledger.outcomes[0].Error; got.Code != savepage.CodeServiceFault || !strings.Contains(got.Message, "browser") {
			t.Errorf("ended with %v", got)
		}
		if want := time.Now().Add(-f.cfg.Patience); !f.ledger.overdue.Equal(want) {
			t.Errorf("asked for those before %s, want %s", f.ledger.overdue, want)
		}
		f.ledger.waiting = []Claim{claim(savepage.Options{URL: "http://a.test"})}
		broken = nil // mended since the last probe
		if giveUp() != 0 || f.health.States()[0].Sick {
			t.Error("gave up though the part works again")
		}
		broken = errors.New("none")
		f.health.Report(health.Of(health.Browser, broken))
		f.health.Report(health.Of(health.Database, errors.New("full")))
		<-time.After(2 * f.cfg.Patience)
		if giveUp() != 0 {
			t.Error("gave up without a database that could record it")
		}
	})
}
