package hostile_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/browser"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/hostile"
)

// bombsAtOnce is how many bombs are rendered at once, each with an honest page beside it.
const bombsAtOnce = 3

// TestBombs renders every page of group H with honest captures beside it: those succeed, in at most two renders, and
// afterwards the browser works and nothing is left.
func TestBombs(t *testing.T) {
	if *unguarded {
		return
	}
	r := newRig(t, belts{guard: true, flags: true, jail: browser.JailAuto})
	turns := make(chan struct{}, bombsAtOnce)
	t.Run("bombs", func(t *testing.T) {
		for _, b := range hostile.Bombs() {
			t.Run(b.ID, func(t *testing.T) {
				t.Parallel()
				turns <- struct{}{}
				defer func() { <-turns }()
				r.explode(t, b)
			})
		}
	})
	r.crowd(t)
	if _, err := r.honest(t); err != nil {
		t.Errorf("H31: after all bombs an honest capture ends with %v", err)
	}
	rows.add("H31", "after all bombs an honest capture", "succeeds", fmt.Sprintf("%d browsers were replaced", r.pool.Stats().Restarts))
}

// crowd is H30: twenty pages that compute without end, on four pages at once, and an honest one among them.
func (r *rig) crowd(t *testing.T) {
	t.Helper()
	var work sync.WaitGroup
	for range 20 {
		work.Go(func() {
			_, err := r.render(t.Context(), savepage.Options{HTML: "<script>while (true);</script>", Timeout: 3000, Width: 400, Height: 300})
			if isLost(err) {
				t.Errorf("H30: a page that computes without end loses the browser")
			}
		})
	}
	_, err := r.honest(t)
	if err != nil {
		t.Errorf("H30: an honest capture ends with %v", err)
	}
	work.Wait()
	rows.add("H30", "20 pages that compute without end, and an honest one", "the honest one succeeds", fmt.Sprint(err))
}

// explode renders a bomb, and honest pages for as long as that takes.
func (r *rig) explode(t *testing.T, b hostile.Bomb) {
	t.Helper()
	ended := make(chan struct{})
	var beside, lost atomic.Int64
	honest := make(chan error, 1)
	go func() {
		var faults []error
		for first := true; first || !closed(ended); first = false {
			renders, err := r.honest(t)
			if renders > 1 {
				lost.Add(1)
			}
			if err == nil && renders > 2 {
				err = fmt.Errorf("after %d renders", renders)
			}
			if err != nil {
				faults = append(faults, err)
			}
			beside.Add(1)
		}
		honest <- errors.Join(faults...)
	}()
	o := savepage.Options{URL: r.site.BombURL(b), Timeout: 6000, Width: 400, Height: 300, Fullpage: true}
	if len(b.Ends) == 0 {
		o.Delay = 1500 // for the bomb to go on
	}
	shot, renders, err := r.again(t.Context(), o)
	close(ended)
	besides := <-honest
	seen := endOf(shot, err)
	var faults []string
	if besides != nil {
		faults = append(faults, fmt.Sprintf("an honest capture beside it ends with %v", besides))
	}
	ours := isLost(err) && !errors.Is(err, capture.ErrCrashed) || strings.HasPrefix(seen, string(savepage.CodeInternal))
	if ours || len(b.Ends) > 0 && !slices.Contains(b.Ends, seen) {
		faults = append(faults, fmt.Sprintf("it ends with %s (%v), want one of %v", seen, err, b.Ends))
	}
	switch {
	case b.Gap == "" && len(faults) > 0:
		t.Errorf("%s (%s): %s", b.ID, b.Title, strings.Join(faults, "; "))
	case b.Gap != "" && len(faults) == 0:
		t.Errorf("%s (%s) holds, although %q: it is no gap any more", b.ID, b.Title, b.Gap)
	}
	want := "honest captures succeed, ends as one of " + strings.Join(b.Ends, ", ")
	if len(b.Ends) == 0 {
		want = "honest captures succeed, the service is not at fault"
	}
	rows.add(b.ID, b.Title, want,
		fmt.Sprintf("%s, renders %d; %d beside it, %d rendered twice; %s", seen, renders, beside.Load(), lost.Load(), strings.Join(faults, "; ")))
}

// honest renders a small page and looks at its title.
func (r *rig) honest(t *testing.T) (renders int, err error) {
	t.Helper()
	shot, renders, err := r.again(t.Context(), savepage.Options{
		HTML: "<title>honest</title><p>honest", Timeout: 120_000, Width: 400, Height: 300,
	})
	if err == nil && shot.Report.Title != "honest" {
		return renders, fmt.Errorf("the title is %q", shot.Report.Title)
	}
	return renders, err
}

// again renders a page as the service does: after a lost browser in one of its own, until it must be the page that ends them.
func (r *rig) again(ctx context.Context, o savepage.Options) (shot capture.Shot, renders int, err error) {
	for {
		renders++
		shot, err = r.render(ctx, o)
		crashed := errors.Is(err, capture.ErrCrashed)
		if crashed && capture.IsApart(ctx) || !crashed && !isLost(err) {
			return shot, renders, err
		}
		ctx = capture.Apart(ctx)
	}
}

func isLost(err error) bool {
	told, is := errors.AsType[*savepage.Error](err)
	return is && told.Code == savepage.CodeBrowserLost
}

func closed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// endOf is the end of a capture in one word.
func endOf(shot capture.Shot, err error) string {
	if err == nil {
		return hostile.Captured
	}
	return outcome(shot, err)
}
