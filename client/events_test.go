package client_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/client"
	"github.com/savepage/savepage/internal/capture"
)

func TestWatch(t *testing.T) {
	f, c := start(t)
	accepted, err := c.Submit(t.Context(), savepage.Options{URL: "http://e.test"})
	if err != nil {
		t.Fatal(err)
	}
	f.mu.Lock()
	f.c.State, f.c.Attempt, f.c.StartedAt = savepage.Running, 1, time.Now()
	f.mu.Unlock()
	f.progress.Begin("cap_1")
	defer f.progress.End("cap_1")
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	var names []string
	var done *client.Capture
	for e, err := range c.Watch(ctx, accepted.CaptureID) {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, e.Name+e.Phase)
		switch e.Name {
		case "started":
			f.progress.Step("cap_1", capture.Step{Seq: 12, Kind: capture.StepPhase, Attempt: 1, Phase: capture.PhaseNavigate})
		case "phase":
			f.end(succeed)
		case "done":
			done = e.Capture
		}
	}
	if !slices.Equal(names, []string{"queued", "started", "phasenavigate", "done"}) || done == nil || done.Width != 10 ||
		done.Status != savepage.Success {
		t.Errorf("%v, %+v", names, done)
	}
}

func TestWatchEndsWithTheContext(t *testing.T) {
	_, c := start(t)
	accepted, err := c.Submit(t.Context(), savepage.Options{URL: "http://e.test"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var last error
	for e, err := range c.Watch(ctx, accepted.CaptureID) {
		if e.Name == "queued" {
			cancel()
		}
		last = err
	}
	if !errors.Is(last, context.Canceled) {
		t.Errorf("%v", last)
	}
}

func TestWatchIsRefused(t *testing.T) {
	_, c := start(t)
	var refused *savepage.Error
	for _, err := range c.Watch(t.Context(), "cap_2") {
		if !errors.As(err, &refused) || refused.Code != savepage.CodeNotFound {
			t.Errorf("%v", err)
		}
	}
	if refused == nil {
		t.Error("no error")
	}
}
