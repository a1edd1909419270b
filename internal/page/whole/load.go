package whole

import (
	"context"
	"time"
)

// LoadLazy lets the page load what it only loads when it is seen, and waits until it has come to rest. A page that is shown as
// it is, is not loaded.
func (p *Page) LoadLazy(ctx context.Context, height int) error {
	if err := p.loadLazy(ctx, height); err != nil || p.Budget.PastDeadline() {
		return err
	}
	if err := p.reveal.walk(ctx); err != nil {
		return err
	}
	return p.settle(ctx)
}

// settle waits until the page is at rest, in its own window.
func (p *Page) settle(ctx context.Context) error {
	p.Network.SetGrowing(true)
	defer p.Network.SetGrowing(false)
	if err := p.Rest.Settled(ctx); err != nil {
		return err
	}
	return p.Page.Ask(ctx, slowMotion, nil, wholeScript+"savepageWhole.motion", slowMotion.Milliseconds())
}

// loadLazy shows the page in a window that is for a moment as tall as the page, or as tall as memory allows, and then is itself
// again. Scripts that look at their place when they are told of scrolling are told. What still waits then gets real scrolling.
func (p *Page) loadLazy(ctx context.Context, height int) error {
	if p.Budget.PastDeadline() {
		if height > p.Height {
			p.Notes.Partial("pictures further down the page were not waited for")
		}
		return nil
	}
	p.Notes.Await("pictures further down the page")
	p.Network.SetGrowing(true)
	defer p.Network.SetGrowing(false)
	if err := p.reveal.begin(ctx); err != nil {
		return err
	}
	stretched, err := p.inTallWindow(ctx, height)
	if err != nil {
		return err
	}
	unseen := 0
	if err := p.Page.Ask(ctx, 0, &unseen, wholeScript+"savepageWhole.unseen"); err != nil {
		return err
	}
	if !stretched && unseen == 0 && !p.slow(height) {
		return nil
	}
	if err := p.walk(ctx, height); err != nil {
		return err
	}
	p.Network.ResetQuiet()
	return p.awaitImages(ctx)
}

// follow scrolls a page of a height to its end, if that may make it longer, again as long as it does so, and says whether it
// would go on. Then it waits until the page has come to rest at its top, and measures it.
func (p *Page) follow(ctx context.Context, height int, last time.Time) (is Extent, growing bool, err error) {
	if p.Budget.PastDeadline() {
		is, err = p.measure(ctx)
		return is, false, err
	}
	if !p.grows {
		if p.grows, err = p.Listens(ctx, "scroll", "wheel"); err != nil {
			return is, false, err
		}
	}
	for p.grows && height < p.MaxHeight {
		if is, err = p.scrollToEnd(ctx); err != nil {
			return is, false, err
		}
		growing = is.Height > height
		if height = is.Height; !growing || p.followed >= maxFollow || time.Now().After(last) {
			break
		}
	}
	if p.followed > 0 {
		if err := p.Leave(ctx); err != nil {
			return is, false, err
		}
		if err := p.ToTop(ctx); err != nil {
			return is, false, err
		}
	}
	if err := p.settle(ctx); err != nil {
		return is, false, err
	}
	is, err = p.measure(ctx)
	p.grows = p.grows || is.Height > height+height/50
	return is, growing, err
}

// scrollToEnd scrolls to the end of the page for real, and measures the page when it is at rest.
func (p *Page) scrollToEnd(ctx context.Context) (is Extent, err error) {
	p.Notes.Await("what comes at the end of the page")
	p.Network.SetGrowing(true)
	defer p.Network.SetGrowing(false)
	p.followed++
	p.Network.ResetQuiet()
	if err := p.Page.Ask(ctx, idleFrame, nil, wholeScript+"savepageWhole.end"); err != nil {
		return is, err
	}
	if err := p.Rest.Quiet(ctx); err != nil {
		return is, err
	}
	return p.measure(ctx)
}

// slow reports whether the page is to be walked through with pauses, and was not that far yet.
func (p *Page) slow(height int) bool { return p.ScrollDelay > 0 && height > p.walked }

// walk scrolls through the page as a reader would, with the pause that the client asks for after each step.
func (p *Page) walk(ctx context.Context, height int) error {
	most, pause := 3*time.Second, time.Duration(0)
	if p.slow(height) {
		most, pause, p.walked = p.Budget.Timeout()/2, p.ScrollDelay, height
	}
	arrived := true
	err := p.Page.Ask(ctx, most, &arrived, wholeScript+"savepageWhole.walk", maxWalk, most.Milliseconds(), pause.Milliseconds())
	if err == nil && !arrived && pause > 0 {
		p.Notes.Partial("the page was not scrolled to its end with scroll_delay within half of the timeout")
	}
	return err
}

// inTallWindow shows the page in a window as tall as itself. stretched says that the page has grown with its window, so
// that not all of it was in view.
func (p *Page) inTallWindow(ctx context.Context, height int) (stretched bool, err error) {
	perRow := float64(p.Width) * p.Scale * p.Scale
	tall := max(p.Height, min(height, int(loadPixels/perRow)))
	if err := p.Stretch(ctx, tall); err != nil {
		return false, err
	}
	for step, end := 0, height; step < maxTall && step*tall < end; step++ {
		var is struct {
			Height int `json:"height"`
		}
		if err := p.Page.Ask(ctx, idleFrame, &is, wholeScript+"savepageWhole.show", step*tall); err != nil {
			return false, err
		}
		p.Network.ResetQuiet()
		stretched = stretched || is.Height > height+height/10
		if err := p.awaitImages(ctx); err != nil {
			return false, err
		}
		if err := p.Rest.Quiet(ctx); err != nil {
			return false, err
		}
		if err := p.embeds(ctx); err != nil {
			return false, err
		}
		if err := p.reveal.wake(ctx); err != nil {
			return false, err
		}
		if p.Motion != nil {
			if err := p.Motion.End(ctx); err != nil {
				return false, err
			}
		}
		if _, err := p.reveal.note(ctx); err != nil {
			return false, err
		}
	}
	if err := p.Page.Ask(ctx, 0, nil, p.Remember); err != nil {
		return false, err
	}
	if err := p.Resize(ctx, p.Height); err != nil {
		return false, err
	}
	err = p.Page.Ask(ctx, idleFrame, nil, wholeScript+"savepageWhole.show", 0)
	p.Network.ResetQuiet()
	return stretched, err
}

// awaitImages waits for the pictures that are coming, as long as the network brings some.
func (p *Page) awaitImages(ctx context.Context) error {
	unasked := p.Budget.Scaled(400 * time.Millisecond) // after which a picture that nothing loads is not waited for
	timeout := p.Budget.Timeout()
	stall, last := p.Budget.Stall(), time.Now().Add(timeout/3)
	for {
		var is struct {
			Coming int `json:"coming"`
		}
		if err := p.Page.Ask(ctx, 0, &is, wholeScript+"savepageWhole.pictures"); err != nil {
			return err
		}
		open, silent := p.Network.Waiting(), p.Network.Quiet()
		switch {
		case open == 0 && (is.Coming == 0 || silent >= unasked):
			return nil
		case silent >= stall, time.Now().After(last):
			p.Notes.Partial("pictures further down the page were still coming")
			return nil
		}
		again := time.Now().Add(50 * time.Millisecond)
		err := p.Events.Until(ctx, func() (bool, time.Duration) {
			left := time.Until(again)
			return (open > 0 && p.Network.Waiting() == 0) || left <= 0, max(left, time.Millisecond)
		})
		if err != nil {
			return err
		}
	}
}
