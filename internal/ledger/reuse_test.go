package ledger

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
)

// found is what the records hold.
type found struct {
	kept   *savepage.Capture
	leader Leader
	fault  error
}

func (f found) Kept(context.Context, capture.Submission) (*savepage.Capture, error) {
	return f.kept, f.fault
}

func (f found) Leader(context.Context, capture.Submission) (Leader, error) { return f.leader, nil }

func wanted(class Class, flight string) capture.Submission {
	sub := capture.Submission{Flight: flight, Capture: savepage.Capture{Account: "a", Interactive: class == Interactive}}
	if class == Batch {
		sub.Capture.BatchID = "bat_1"
	}
	return sub
}

func TestSharingDecides(t *testing.T) {
	kept := &savepage.Capture{ID: "cap_kept"}
	leader := func(class Class) Leader { return Leader{Found: true, Class: class} }
	running := Leader{Found: true, Running: true, Class: Batch}
	for name, c := range map[string]struct {
		sub   capture.Submission
		found found
		want  capture.Reuse
	}{
		"without a flight nothing is shared": {wanted(Async, ""), found{kept: kept, leader: running}, capture.ReuseNone},
		"a kept picture goes first":          {wanted(Async, "f"), found{kept: kept, leader: running}, capture.ReuseHit},
		"one that is wanted as soon":         {wanted(Async, "f"), found{leader: leader(Async)}, capture.ReuseJoined},
		"one that is wanted sooner":          {wanted(Batch, "f"), found{leader: leader(Interactive)}, capture.ReuseJoined},
		"one that is wanted less soon":       {wanted(Interactive, "f"), found{leader: leader(Async)}, capture.ReuseMiss},
		"one that runs":                      {wanted(Interactive, "f"), found{leader: running}, capture.ReuseJoined},
		"nothing":                            {wanted(Batch, "f"), found{}, capture.ReuseMiss},
	} {
		got, from, err := new(Sharing).Decide(t.Context(), c.sub, c.found)
		if got != c.want || err != nil || (from != nil) != (c.want == capture.ReuseHit) {
			t.Errorf("%s: %q, %v, %v; want %q", name, got, from, err, c.want)
		}
	}
	fault := errors.New("the disk is full")
	if _, _, err := new(Sharing).Decide(t.Context(), wanted(Async, "f"), found{fault: fault}); !errors.Is(err, fault) {
		t.Errorf("a fault became %v", err)
	}
}

// TestSharingWithinATransaction has equal submissions come together, when the records know none of them yet.
func TestSharingWithinATransaction(t *testing.T) {
	var s Sharing
	other := wanted(Async, "f")
	other.Capture.Account = "b"
	for i, step := range []struct {
		sub  capture.Submission
		want capture.Reuse
	}{
		{wanted(Async, "f"), capture.ReuseMiss},
		{wanted(Async, "f"), capture.ReuseJoined},
		{wanted(Batch, "f"), capture.ReuseJoined},
		{wanted(Interactive, "f"), capture.ReuseMiss}, // must not wait for one that comes later
		{wanted(Interactive, "f"), capture.ReuseJoined},
		{wanted(Async, "g"), capture.ReuseMiss},
		{other, capture.ReuseMiss},
	} {
		if got, _, err := s.Decide(t.Context(), step.sub, found{}); got != step.want || err != nil {
			t.Errorf("step %d: %q, %v; want %q", i, got, err, step.want)
		}
	}
}

func TestReuseResult(t *testing.T) {
	created := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	taken := created.Add(-time.Hour)
	from := Ended(savepage.Capture{ID: "cap_from", State: savepage.Running}, capture.Outcome{
		State: savepage.Failed, FinishedAt: taken, Picture: &savepage.Picture{Name: "p"}, Report: &savepage.Report{Title: "t"},
		Error: savepage.Errorf(savepage.CodeBlank, "x"),
	})
	c := savepage.Capture{ID: "cap_1", State: savepage.Queued, CreatedAt: created, Options: savepage.Options{URL: "u"}}
	got := ReuseResult(c, from, created.Add(1500*time.Millisecond+7))
	want := c
	want.State, want.FinishedAt, want.CapturedAt, want.Source = savepage.Failed, created.Add(1500*time.Millisecond), taken, "cap_from"
	want.Picture, want.Report, want.Error = from.Picture, from.Report, from.Error
	want.Timing = savepage.Timing{QueueMS: 1500, TotalMS: 1500}
	if got.ID != want.ID || got.State != want.State || got.FinishedAt != want.FinishedAt || got.CapturedAt != want.CapturedAt ||
		got.Source != want.Source ||
		got.Picture != want.Picture || got.Report != want.Report || got.Error != want.Error || got.Timing != want.Timing ||
		got.Options.URL != "u" {
		t.Errorf("got %+v, want %+v", got, want)
	}
	from.Source = "cap_first"
	if got := ReuseResult(c, from, created.Add(-time.Second)); got.Source != "cap_first" || got.Timing.QueueMS != 0 {
		t.Errorf("source %s, waited %d ms", got.Source, got.Timing.QueueMS)
	}
}
