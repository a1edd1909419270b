package page

import (
	"context"
	"time"
)

const (
	// wakePixels bounds the viewport that wakes lazy pictures, in pixels of the screen: it is drawn too.
	wakePixels = 64_000_000
	mostWalk   = 60 // steps through a page that waits to be scrolled
	rounds     = 3  // for a page that grows while it is woken
)

// wholePage is the page from its top to its end, or to where it is cut.
func (j *job) wholePage(ctx context.Context) (area, error) {
	most := j.cfg.MaxHeight
	if j.o.MaxHeight > 0 {
		most = min(most, j.o.MaxHeight)
	}
	woken := j.o.Height
	for range rounds {
		height := min(j.seen.Height, most)
		if height <= woken {
			break
		}
		if err := checkSize(j.o, j.cfg.MaxPixels, j.o.Width, height); err != nil {
			return area{}, err
		}
		if err := j.wake(ctx, height); err != nil {
			return area{}, err
		}
		woken = height
	}
	height := max(j.seen.Height, 1)
	if height > most {
		height, j.cut = most, true
	}
	return area{width: j.o.Width, height: height, viewport: height == j.o.Height}, nil
}

// wake lets the page load what it only loads when it is seen: for a moment the viewport is as tall as the page, or as
// tall as memory allows, and then it is itself again. Scripts that look at their place when they are told of scrolling
// are told. What still has no picture then gets real scrolling.
func (j *job) wake(ctx context.Context, height int) error {
	j.awaiting = "pictures further down the page"
	perRow := float64(j.o.Width) * j.o.Scale * j.o.Scale
	tall := max(j.o.Height, min(height, int(wakePixels/perRow)))
	j.metrics(tall)
	for y := 0; y < height; y += tall {
		if err := j.ask(ctx, 0, nil, "show", y); err != nil {
			return err
		}
		if err := j.arrive(ctx); err != nil {
			return err
		}
	}
	j.metrics(j.o.Height)
	if err := j.ask(ctx, 0, nil, "show", 0); err != nil {
		return err
	}
	if j.bare > 0 {
		most := 3 * time.Second
		if err := j.ask(ctx, most, nil, "walk", mostWalk, most.Milliseconds()); err != nil {
			return err
		}
		if err := j.arrive(ctx); err != nil {
			return err
		}
	}
	if err := j.check(ctx); err != nil {
		return err
	}
	return j.settled(ctx)
}

// arrive waits for the pictures that are coming, as long as the network brings some.
func (j *job) arrive(ctx context.Context) error {
	const unasked = 300 * time.Millisecond // after which a picture that nothing loads is not waited for
	last := time.Now().Add(min(5*time.Second, milliseconds(j.o.Timeout)/4))
	for {
		var is struct {
			Coming int `json:"coming"`
			Bare   int `json:"bare"`
		}
		if err := j.ask(ctx, 0, &is, "pictures"); err != nil {
			return err
		}
		j.bare = is.Bare
		j.w.mu.Lock()
		open, silent := j.w.waiting(), j.w.quietFor()
		j.w.mu.Unlock()
		switch {
		case open == 0 && (is.Coming == 0 || silent >= unasked):
			return nil
		case time.Now().After(last):
			j.partial("pictures further down the page were still coming")
			return nil
		}
		err := j.w.until(ctx, func() (bool, time.Duration) {
			return (open > 0 && j.w.waiting() == 0) || time.Now().After(last), 50 * time.Millisecond
		})
		if err != nil {
			return err
		}
	}
}
