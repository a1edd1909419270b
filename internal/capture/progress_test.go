package capture

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/savepage/savepage"
)

// heard writes down what it is told.
type heard struct{ said []string }

func (h *heard) Begin(id string) { h.said = append(h.said, "begin "+id) }
func (h *heard) End(id string)   { h.said = append(h.said, "end "+id) }
func (h *heard) Step(id string, s Step) {
	h.said = append(h.said, fmt.Sprintf("%s %d %d %s %s%s", id, s.Seq, s.Attempt, s.Kind, s.Phase, s.Code))
}

// reporting is a renderer that goes through the phases.
type reporting struct{ *shots }

func (r reporting) Render(ctx context.Context, o savepage.Options) (Shot, error) {
	for _, p := range []Phase{PhaseNavigate, PhaseSettle, PhaseShoot, PhaseEncode} {
		Report(ctx, p)
	}
	return r.shots.Render(ctx, o)
}

func TestRunTellsHowItComesAlong(t *testing.T) {
	f, h := newFlow(t), &heard{}
	f.progress, f.renderer = h, reporting{f.shots}
	if err := f.Run(t.Context(), claim(savepage.Options{URL: "http://a.test"})); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"begin cap_1", "cap_1 11 1 started ", "cap_1 12 1 phase navigate", "cap_1 13 1 phase settle", "cap_1 14 1 phase shoot",
		"cap_1 15 1 phase encode", "cap_1 16 1 phase store", "end cap_1",
	}
	if !slices.Equal(h.said, want) {
		t.Errorf("%q", h.said)
	}
	h.said, f.shots.err = nil, savepage.Errorf(savepage.CodeBrowserLost, "x")
	if err := f.Run(t.Context(), claim(savepage.Options{URL: "http://a.test"})); err != nil {
		t.Fatal(err)
	}
	if got := h.said[len(h.said)-2:]; !slices.Equal(got, []string{"cap_1 17 1 retried browser_lost", "end cap_1"}) {
		t.Errorf("%q", got)
	}
}

// Nobody hears a report without a capture behind it, and it does no harm.
func TestReportWithoutACapture(t *testing.T) {
	Report(t.Context(), PhaseNavigate)
	f := newFlow(t)
	f.renderer = reporting{f.shots}
	if err := f.Run(t.Context(), claim(savepage.Options{URL: "http://a.test"})); err != nil {
		t.Fatal(err)
	}
}

func TestStepsAscend(t *testing.T) {
	all := []int{SeqQueued}
	for attempt := 1; attempt < 3; attempt++ {
		all = append(all, SeqStarted(attempt))
		for _, p := range []Phase{PhaseNavigate, PhaseSettle, PhaseShoot, PhaseEncode, PhaseStore} {
			all = append(all, seqOf(attempt, p))
		}
		all = append(all, SeqRetried(attempt), SeqDone(attempt))
	}
	if !slices.IsSorted(all) || len(slices.Compact(all)) != 17 {
		t.Errorf("%v", all)
	}
}
