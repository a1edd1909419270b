package page

import (
	"context"
	_ "embed" // for the script
	"time"
)

//go:embed whole.js
var wholeScript string

const (
	// wakePixels bounds the viewport that wakes lazy pictures, in pixels of the screen: it is drawn too.
	wakePixels = 64_000_000
	mostWalk   = 150 // steps through a page that waits to be scrolled
	mostTall   = 12  // windows of the largest size through a page that grows with its window
	mostRounds = 10  // for a page that grows while it is woken
	mostWide   = 10_000
	slowMotion = 4 * time.Second // for what moves for a second, on a busy machine
	idleFrame  = 2 * time.Second // for a window to be drawn, at most
)

// extent is the size of the whole page in CSS pixels.
type extent struct {
	Height int `json:"height"`
	Width  int `json:"width"`
	Left   int `json:"left"` // negative where the page runs from right to left and is wider than the viewport
}

// whole calls a function of whole.js.
func (j *job) whole(ctx context.Context, slack time.Duration, into any, function string, args ...any) error {
	return j.call(ctx, slack, into, wholeScript+"savepageWhole."+function, args)
}

// wholePage is the page from its top to its end, or to where it is cut.
func (j *job) wholePage(ctx context.Context) (area, error) {
	j.awaiting = "the whole page"
	most := j.mostHigh()
	var is extent
	if err := j.whole(ctx, time.Second, &is, "prepare"); err != nil {
		return area{}, err
	}
	is, growing, err := j.wakeAll(ctx, is, most)
	if err != nil {
		return area{}, err
	}
	if is.Left != 0 {
		if err := j.whole(ctx, 0, nil, "aside", is.Left); err != nil {
			return area{}, err
		}
	}
	return j.wholly(is, growing), nil
}

// mostHigh is where a page is cut.
func (j *job) mostHigh() int {
	if j.o.MaxHeight > 0 {
		return min(j.cfg.MaxHeight, j.o.MaxHeight)
	}
	return j.cfg.MaxHeight
}

// wholly is the area of the whole page, as far as a picture may reach.
func (j *job) wholly(is extent, growing bool) area {
	most := j.mostHigh()
	a := area{x: is.Left, width: min(is.Width, mostWide), height: max(is.Height, 1)}
	if growing || a.height > most || is.Width > mostWide {
		a.height, j.cut = min(a.height, most), true
	}
	a.viewport = a.height == j.o.Height && a.width == j.o.Width
	return a
}

// wakeAll wakes the page, and again as long as that makes it longer. It gives up, and says so, on a page without an end.
func (j *job) wakeAll(ctx context.Context, is extent, most int) (extent, bool, error) {
	woken, last := j.o.Height, time.Now().Add(milliseconds(j.o.Timeout)/3)
	for range mostRounds {
		height := min(is.Height, most)
		if height <= woken || time.Now().After(last) {
			break
		}
		if err := checkSize(j.o, j.cfg.MaxPixels, min(is.Width, mostWide), height); err != nil {
			return is, false, err
		}
		if err := j.wake(ctx, height); err != nil {
			return is, false, err
		}
		if err := j.whole(ctx, time.Second, &is, "measure"); err != nil {
			return is, false, err
		}
		woken = height
	}
	return is, min(is.Height, most) > woken, nil
}

// wake lets the page load what it only loads when it is seen: for a moment the viewport is as tall as the page, or as
// tall as memory allows, and then it is itself again. Scripts that look at their place when they are told of scrolling
// are told. What still waits then gets real scrolling. A page that is shown as it is, is not woken.
func (j *job) wake(ctx context.Context, height int) error {
	if j.hasty {
		if height > j.o.Height {
			j.partial("pictures further down the page were not waited for")
		}
		return nil
	}
	j.awaiting = "pictures further down the page"
	j.grow(true)
	defer j.grow(false)
	if err := j.conceal(ctx); err != nil {
		return err
	}
	stretched, err := j.tall(ctx, height)
	if err != nil {
		return err
	}
	unseen := 0
	if err := j.whole(ctx, 0, &unseen, "unseen"); err != nil {
		return err
	}
	if stretched || unseen > 0 {
		most := 3 * time.Second
		if err := j.whole(ctx, most, nil, "walk", mostWalk, most.Milliseconds()); err != nil {
			return err
		}
		j.stirred()
		if err := j.arrive(ctx); err != nil {
			return err
		}
	}
	if err := j.check(ctx); err != nil {
		return err
	}
	if err := j.settled(ctx); err != nil {
		return err
	}
	return j.whole(ctx, slowMotion, nil, "motion", slowMotion.Milliseconds())
}

// tall shows the page in a window as tall as itself. stretched says that the page has grown with its window, so that not
// all of it was in view.
func (j *job) tall(ctx context.Context, height int) (stretched bool, err error) {
	perRow := float64(j.o.Width) * j.o.Scale * j.o.Scale
	tall := max(j.o.Height, min(height, int(wakePixels/perRow)))
	if err := j.resize(ctx, tall); err != nil {
		return false, err
	}
	for step, end := 0, height; step < mostTall && step*tall < end; step++ {
		var is struct {
			Height int `json:"height"`
		}
		if err := j.whole(ctx, idleFrame, &is, "show", step*tall); err != nil {
			return false, err
		}
		j.stirred()
		stretched = stretched || is.Height > height+height/10
		if err := j.arrive(ctx); err != nil {
			return false, err
		}
		if err := j.quiet(ctx); err != nil {
			return false, err
		}
		if err := j.embeds(ctx); err != nil {
			return false, err
		}
	}
	if err := j.reveal(ctx); err != nil {
		return false, err
	}
	if err := j.resize(ctx, j.o.Height); err != nil {
		return false, err
	}
	err = j.whole(ctx, idleFrame, nil, "show", 0)
	j.stirred()
	return stretched, err
}

// stirred notes that the page was given cause to do something: quiet is counted from here.
func (j *job) stirred() {
	j.w.mu.Lock()
	j.w.net.active = time.Now()
	j.w.mu.Unlock()
}

// resize sets the height of the window, and returns when the page has it.
func (j *job) resize(ctx context.Context, height int) error {
	j.metrics(height)
	return j.check(ctx)
}

// grow notes that what the page asks for again brings more of it.
func (j *job) grow(is bool) {
	j.w.mu.Lock()
	j.w.net.growing = is
	j.w.mu.Unlock()
}

// arrive waits for the pictures that are coming, as long as the network brings some.
func (j *job) arrive(ctx context.Context) error {
	unasked := j.scaled(400 * time.Millisecond) // after which a picture that nothing loads is not waited for
	timeout := milliseconds(j.o.Timeout)
	stall, last := min(j.scaled(5*time.Second), timeout/4), time.Now().Add(timeout/3)
	for {
		var is struct {
			Coming int `json:"coming"`
		}
		if err := j.ask(ctx, 0, &is, "pictures"); err != nil {
			return err
		}
		j.w.mu.Lock()
		open, silent := j.w.waiting(), j.w.quietFor()
		j.w.mu.Unlock()
		switch {
		case open == 0 && (is.Coming == 0 || silent >= unasked):
			return nil
		case silent >= stall, time.Now().After(last):
			j.partial("pictures further down the page were still coming")
			return nil
		}
		again := time.Now().Add(50 * time.Millisecond)
		err := j.w.until(ctx, func() (bool, time.Duration) {
			left := time.Until(again)
			return (open > 0 && j.w.waiting() == 0) || left <= 0, max(left, time.Millisecond)
		})
		if err != nil {
			return err
		}
	}
}
