package health_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/savepage/savepage/internal/health"
)

var errBroken = errors.New("no space left")

// ward is a board with one part, whose probes a test decides.
type ward struct {
	*health.Board
	broken atomic.Bool
	probes atomic.Int64
	log    bytes.Buffer
}

func newWard() *ward {
	w := &ward{}
	w.Board = health.NewBoard(health.Config{Log: slog.New(slog.NewTextHandler(&w.log, nil))})
	w.Watch(health.Pictures, func(context.Context) error {
		w.probes.Add(1)
		if w.broken.Load() {
			return &fs.PathError{Op: "write", Path: "/secret", Err: errBroken}
		}
		return nil
	})
	return w
}

func (w *ward) fail() {
	w.broken.Store(true)
	w.Report(health.Of(health.Pictures, errBroken))
}

// TestSickPart is the life of a part: those who wait go on when a probe succeeds, and probes come at growing intervals.
func TestSickPart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWard()
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); w.Run(ctx) }()
		if err := w.Await(ctx); err != nil {
			t.Fatal(err)
		}
		w.fail()
		began := time.Now()
		if err := w.Check(ctx, health.Pictures); err == nil || err.Error() != "no space left" {
			t.Errorf("check of a sick part: %v", err)
		}
		waited := make(chan time.Duration, 1)
		go func() {
			if w.Await(ctx) == nil {
				waited <- time.Since(began)
			}
		}()
		if err := w.Await(ctx, health.Database); err != nil {
			t.Errorf("another part is sick: %v", err)
		}
		time.AfterFunc(time.Minute, func() { w.broken.Store(false) })
		after := <-waited
		// 0.25 + 0.5 + 1 + 2 + 4 seconds, then every five.
		if n := w.probes.Load(); n < 15 || n > 18 || after < time.Minute || after > time.Minute+5*time.Second {
			t.Errorf("%d probes in %s", n, after)
		}
		if s := w.States()[0]; s.Sick || s.Faults != 1 {
			t.Errorf("%+v", s)
		}
		for _, line := range []string{"does not work", "no space left", "works again", "part=pictures"} {
			if !strings.Contains(w.log.String(), line) {
				t.Errorf("the log lacks %q: %s", line, &w.log)
			}
		}
		stop()
		<-ended
	})
}

// TestRelapse has a part whose probes succeed while its work fails: it is not tried as if each fault were the first.
func TestRelapse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWard()
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); w.Run(ctx) }()
		waits := make([]time.Duration, 0, 8)
		for range 8 {
			began := time.Now()
			w.Report(health.Of(health.Pictures, errBroken))
			if err := w.Await(ctx); err != nil {
				t.Fatal(err)
			}
			waits = append(waits, time.Since(began))
		}
		if waits[0] != 250*time.Millisecond || waits[1] != 500*time.Millisecond || waits[7] != 5*time.Second {
			t.Errorf("waited %s", waits)
		}
		<-time.After(2 * time.Minute)
		began := time.Now()
		w.fail()
		w.broken.Store(false)
		if err := w.Await(ctx); err != nil || time.Since(began) != 250*time.Millisecond {
			t.Errorf("a new fault: waited %s, %v", time.Since(began), err)
		}
		stop()
		<-ended
	})
}

// TestCheckProbes has a part that nobody reports: a check finds it, and asks at most once a second.
func TestCheckProbes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWard()
		for range 100 {
			if err := w.Check(t.Context(), health.Pictures); err != nil {
				t.Fatal(err)
			}
		}
		if n := w.probes.Load(); n != 1 {
			t.Errorf("%d probes for checks in the same second", n)
		}
		w.broken.Store(true)
		<-time.After(time.Second)
		if err := w.Check(t.Context(), health.Pictures); err == nil || err.Error() != "write: no space left" {
			t.Errorf("check: %v", err)
		}
		if !w.States()[0].Sick {
			t.Error("the check has found it, and nobody waits for it")
		}
		limited, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if err := w.Await(limited); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("awaited a sick part: %v", err)
		}
	})
}

// TestHangingProbe answers a check in its time, and finds the part sick when the probe's own time is over.
func TestHangingProbe(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := health.NewBoard(health.Config{Log: slog.New(slog.DiscardHandler)})
		b.Watch(health.Browser, func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
		limited, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		if err := b.Check(limited, health.Browser); err == nil || !strings.Contains(err.Error(), "no answer yet") || b.States()[0].Sick {
			t.Errorf("check: %v, %+v", err, b.States())
		}
		if err := b.Check(t.Context(), health.Browser); err == nil || !b.States()[0].Sick {
			t.Errorf("check: %v, %+v", err, b.States())
		}
	})
}

// TestFault keeps the part that an error is of.
func TestFault(t *testing.T) {
	t.Parallel()
	inner := health.Of(health.Machine, errBroken)
	if fault, is := health.Find(health.Of(health.Pictures, inner)); !is || fault.Part != health.Machine || !errors.Is(fault, errBroken) {
		t.Errorf("found %v", fault)
	}
	if health.Of(health.Pictures, nil) != nil {
		t.Error("nothing is a fault")
	}
	var none *health.Board
	none.Report(inner)
	if err := none.Await(t.Context()); err != nil || none.States() != nil {
		t.Errorf("no board: %v", err)
	}
}

// TestReasonsTellNoPlace looks at what anybody may read of faults that name files and servers.
func TestReasonsTellNoPlace(t *testing.T) {
	for want, cause := range map[string]error{
		"write: no space left": &fs.PathError{Op: "write", Path: "/secret", Err: errBroken},
		"dial: no space left":  &net.OpError{Op: "dial", Net: "tcp", Addr: &net.TCPAddr{IP: net.IPv4(10, 1, 2, 3), Port: 5432}, Err: errBroken},
	} {
		w := newWard()
		w.Report(health.Of(health.Pictures, fmt.Errorf("connect: %w", cause)))
		if got := w.States()[0].Reason; got != want {
			t.Errorf("anybody reads %q, want %q", got, want)
		}
	}
}
