package whole

import (
	"context"
	_ "embed" // for the scripts
	"slices"
	"time"
)

//go:embed lists.js
var listsScript string

//go:embed reveal.js
var lookScript string

var revealScript = listsScript + lookScript

const (
	restTime = 2500 * time.Millisecond // for what moves because it is seen, at most
	walkTime = 8 * time.Second         // for all places that are scrolled to
	late     = 120 * time.Millisecond  // for scripts that look around a little late
	probes   = 3                       // places that must show something before the others are scrolled to
)

// reveal keeps what the page shows only where it is seen: how its elements look at their best moment, and what it takes out of
// the document where that is out of the window.
type reveal struct {
	Config
	hides bool // something of the page was hidden when it was first looked at
	waits bool // something of the page is still hidden
	heard bool // the page waits for scrolling
	keeps bool // something was seen that may be hidden again
	lost  bool // something could not be kept
}

// begin notes what is hidden before the page is seen as a whole.
func (r *reveal) begin(ctx context.Context) error {
	return r.Page.Ask(ctx, time.Second, &r.hides, revealScript+"savepageReveal.begin")
}

// wake gives scripts of a page that hides something, and that look around a little late, the time to do so.
func (r *reveal) wake(ctx context.Context) error {
	if !r.hides {
		return nil
	}
	return r.Page.Ask(ctx, restTime, nil, revealScript+"savepageReveal.wake", late.Milliseconds(), restTime.Milliseconds())
}

// note notes what the window shows, when it has come to rest, and returns how many elements look better than ever before.
func (r *reveal) note(ctx context.Context) (found int, err error) {
	var is struct {
		Found int  `json:"found"`
		Keeps bool `json:"keeps"`
		Waits bool `json:"waits"`
	}
	err = r.Page.Ask(ctx, restTime, &is, revealScript+"savepageReveal.seen", restTime.Milliseconds(), r.Motion != nil)
	r.keeps, r.waits = r.keeps || is.Keeps, is.Waits
	return is.Found, err
}

// walk scrolls to where something is still hidden, as a reader would. It gives up when the first places show nothing more.
func (r *reveal) walk(ctx context.Context) error {
	if !r.waits || r.Budget.PastDeadline() {
		return nil
	}
	r.Notes.Await("what scrolling shows")
	var stops []int
	if err := r.Page.Ask(ctx, time.Second, &stops, revealScript+"savepageReveal.stops", r.Motion != nil); err != nil || len(stops) == 0 {
		return err
	}
	var err error
	if r.heard, err = r.Listens(ctx, "scroll"); err != nil {
		return err
	}
	if r.heard { // it may take its measures anew, now that the window has its own size again
		if err := r.Page.Ask(ctx, idleFrame, nil, revealScript+"savepageReveal.wake", 2*late.Milliseconds(), 0); err != nil {
			return err
		}
	}
	end, found := time.Now().Add(min(r.Budget.Scaled(walkTime), r.Budget.Timeout()/4)), 0
	for i, y := range probing(stops) {
		if i >= probes && found == 0 || !r.waits {
			break
		}
		if time.Now().After(end) {
			r.Notes.Partial("parts of the page that show when they are scrolled to were not all waited for")
			break
		}
		n, err := r.visit(ctx, y)
		if err != nil {
			return err
		}
		found += n
	}
	return r.Page.Ask(ctx, idleFrame, nil, revealScript+"savepageReveal.visit", 0, 0, 0)
}

// visit scrolls to y and notes what that shows.
func (r *reveal) visit(ctx context.Context, y int) (found int, err error) {
	wait := time.Duration(0)
	if r.heard { // it may look around when the scrolling has ended
		wait = 3 * late
	}
	r.Network.ResetQuiet()
	err = r.Page.Ask(ctx, restTime, nil, revealScript+"savepageReveal.visit", y, wait.Milliseconds(), restTime.Milliseconds())
	if err != nil {
		return 0, err
	}
	if r.Motion != nil {
		if err := r.Motion.End(ctx); err != nil {
			return 0, err
		}
	}
	return r.note(ctx)
}

// probing has the first, the middle and the last place come first.
func probing(stops []int) []int {
	if len(stops) <= probes {
		return stops
	}
	first := []int{stops[0], stops[len(stops)/2], stops[len(stops)-1]}
	return append(first, slices.DeleteFunc(slices.Clone(stops), func(y int) bool { return slices.Contains(first, y) })...)
}

// keep shows what was seen also where the page has hidden it again.
func (r *reveal) keep(ctx context.Context) error {
	if !r.keeps {
		return nil
	}
	var left int
	if err := r.Page.Ask(ctx, restTime, &left, revealScript+"savepageReveal.keep", r.Motion != nil, restTime.Milliseconds()); err != nil {
		return err
	}
	r.lost = r.lost || left > 0
	return nil
}
