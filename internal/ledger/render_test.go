package ledger

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
)

// claims is a record of one capture.
type claims struct {
	found    bool
	fault    error
	lost     bool
	released []time.Duration
	free     bool
}

func (c *claims) Start(_ context.Context, id string, job int64) (capture.Claim, bool, error) {
	return capture.Claim{Capture: savepage.Capture{ID: id, Attempt: 3}, Job: job}, c.found, c.fault
}

func (c *claims) Release(_ context.Context, _ capture.Claim, back capture.Back) error {
	if c.lost {
		return capture.ErrLost
	}
	c.released, c.free = append(c.released, back.Wait), back.Free
	return nil
}

func rendering(c *claims, render func(ctx context.Context, c capture.Claim) error) *Rendering {
	return &Rendering{Claims: c, Running: &Running{}, Render: render, Log: slog.New(slog.DiscardHandler)}
}

func TestRenderingEndsInOneWay(t *testing.T) {
	fault := errors.New("the disk is full")
	for name, c := range map[string]struct {
		claims   claims
		render   error
		want     error
		rendered bool
		released int
	}{
		"finished":                    {claims{found: true}, nil, nil, true, 0},
		"another has it":              {claims{found: true}, capture.ErrLost, nil, true, 0},
		"a fault":                     {claims{found: true}, fault, nil, true, 1},
		"a fault, and another has it": {claims{found: true, lost: true}, fault, nil, true, 0},
		"nothing to do":               {claims{}, nil, nil, false, 0},
		"it cannot be taken":          {claims{fault: fault}, nil, fault, false, 0},
	} {
		rendered := false
		r := rendering(&c.claims, func(context.Context, capture.Claim) error { rendered = true; return c.render })
		if err := r.Run(t.Context(), "cap_1", 7); !errors.Is(err, c.want) || rendered != c.rendered ||
			len(c.claims.released) != c.released {
			t.Errorf("%s: %v, rendered %t, released %v", name, err, rendered, c.claims.released)
		}
		if c.released > 0 && (c.claims.released[0] != Backoff(3) || c.claims.free) {
			t.Errorf("%s: released for %v, free %t", name, c.claims.released[0], c.claims.free)
		}
	}
}

func TestRenderingSurvivesPanic(t *testing.T) {
	c := &claims{found: true}
	if err := rendering(c, func(context.Context, capture.Claim) error { panic("a page") }).Run(t.Context(), "cap_1", 7); err != nil ||
		len(c.released) != 1 {
		t.Errorf("%v, released %v", err, c.released)
	}
}

// TestRenderingStops has the service stop: the capture is given back at once, and the attempt does not count.
func TestRenderingStops(t *testing.T) {
	c := &claims{found: true}
	ctx, stop := context.WithCancel(t.Context())
	err := rendering(c, func(ctx context.Context, _ capture.Claim) error { stop(); <-ctx.Done(); return ctx.Err() }).Run(ctx, "cap_1", 7)
	if err != nil || len(c.released) != 1 || c.released[0] != 0 || !c.free {
		t.Errorf("%v, released %v, free %t", err, c.released, c.free)
	}
}

func TestRunningStopsOneCapture(t *testing.T) {
	c := &claims{found: true, lost: true}
	r := rendering(c, nil)
	r.Render = func(ctx context.Context, claim capture.Claim) error {
		if !r.Running.Holds(7) || r.Running.Holds(8) {
			t.Error("the job is not held while its capture is rendered")
		}
		r.Running.Stop("cap_2")
		if ctx.Err() != nil {
			t.Error("another capture was stopped")
		}
		r.Running.Stop(claim.Capture.ID)
		<-ctx.Done()
		if !errors.Is(context.Cause(ctx), capture.ErrLost) {
			t.Errorf("stopped for %v", context.Cause(ctx))
		}
		return ctx.Err()
	}
	if err := r.Run(t.Context(), "cap_1", 7); err != nil || r.Running.Holds(7) {
		t.Errorf("%v, still held %t", err, r.Running.Holds(7))
	}
}
