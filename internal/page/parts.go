package page

import (
	"context"
	"errors"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/browser"
	"github.com/savepage/savepage/internal/cdp"
	"github.com/savepage/savepage/internal/page/address"
	"github.com/savepage/savepage/internal/page/banner"
	"github.com/savepage/savepage/internal/page/block"
	"github.com/savepage/savepage/internal/page/budget"
	"github.com/savepage/savepage/internal/page/layout"
	"github.com/savepage/savepage/internal/page/note"
	"github.com/savepage/savepage/internal/page/pdf"
	"github.com/savepage/savepage/internal/page/script"
	"github.com/savepage/savepage/internal/page/session"
	"github.com/savepage/savepage/internal/page/settle"
	"github.com/savepage/savepage/internal/page/shot"
	"github.com/savepage/savepage/internal/page/spool"
	"github.com/savepage/savepage/internal/page/steps"
	"github.com/savepage/savepage/internal/page/still"
	"github.com/savepage/savepage/internal/page/targets"
	"github.com/savepage/savepage/internal/page/traffic"
	"github.com/savepage/savepage/internal/page/virtual"
	"github.com/savepage/savepage/internal/page/wall"
	"github.com/savepage/savepage/internal/page/whole"
	"github.com/savepage/savepage/internal/page/witness"
)

// restedFind is how long an element is looked for on a page that is at rest.
const restedFind = 300 * time.Millisecond

// kit is what a render begins with.
type kit struct {
	o    savepage.Options
	to   address.Page
	tab  *browser.Tab
	page *session.Target
	cfg  Config
}

// parts are what a render is made of. Each has its own state; what one needs of another is wired here.
type parts struct {
	kit
	budget   *budget.Budget
	notes    *note.Notes
	events   *session.Router
	targets  *targets.Targets
	requests *traffic.Requests
	main     *traffic.Navigation
	console  *console
	view     *viewport
	block    *block.Interception
	hangs    *hangs
	beside   *script.Beside
	waiter   *settle.Waiter
	still    *still.Still
	camera   *shot.Camera
	whole    *whole.Page
	printer  *pdf.Printer
	witness  *witness.Witness
	runner   *steps.Runner
	banners  *banner.Banners // nil: they may stay
	clock    *virtual.Clock  // nil: the real one
}

// newParts puts the parts together. Handlers of one event are called in the order in which the parts are made. end is called
// with the reason when the page does what no page may.
func newParts(k kit, end context.CancelCauseFunc) *parts {
	p := &parts{kit: k, notes: &note.Notes{}, events: session.NewRouter()}
	p.budget = budget.New(savepage.Milliseconds(k.o.Timeout), k.o.OnTimeout == savepage.OnTimeoutCapture)
	frame := string(k.tab.Target())
	p.targets = targets.New(p.events)
	p.requests = traffic.NewRequests(p.events, frame, p.budget.Stall())
	p.main = traffic.NewNavigation(p.events, frame, p.to.URL, p.requests, end)
	p.targets.First(p.requests.First)
	p.targets.OnBegin(p.requests.Begin)
	p.console = newConsole(p.events, k.tab.Session().Dropped, end)
	p.view = newViewport(p.o, p.page)
	p.block = block.New(block.Config{
		Page: p.page, Frame: frame, To: p.to, Events: p.events, Setup: p.targets, Navigation: p.main, Requests: p.requests,
		AllowLocation: k.allowLocation,
	})
	p.hangs = &hangs{p}
	p.beside = script.New(p.page, p.events, frame, p.budget, p.notes, p.hangs)
	p.waiter = settle.New(settle.Config{
		Until: p.o.WaitUntil, Watch: rests(p.o) || p.o.Animations != savepage.AnimationsAllow, Whole: showsMore(p.o),
		Ends: p.o.Animations == savepage.AnimationsAllow, Postponed: p.postponed, Events: p.events, Page: p.beside,
		Children: p.targets.Children, Navigation: p.main, Network: p.requests, Hangs: p.hangs, Budget: p.budget, Notes: p.notes,
		Broken: p.broken, Further: p.further,
	})
	p.camera = shot.New(shot.Config{
		Options: p.o, To: p.page, Page: p.beside, Budget: p.budget, Notes: p.notes, NewSpool: p.newSpool, Load: p.waiter.Load,
		Stopped: p.o.Time == savepage.TimeVirtual, Common: func() bool { return p.waiter.Seen().Common },
	})
	p.still = still.New(still.Config{
		To: p.page, Events: p.events, Page: p.beside, Notes: p.notes, Children: p.targets.Children, Again: p.again, Redraw: p.camera.Redraw,
	})
	p.witness = &witness.Witness{
		Page: p.beside, Network: p.requests, Rest: p.waiter, Notes: p.notes, Sleep: p.events.Sleep,
		Stands: p.o.Animations == savepage.AnimationsFreeze,
		Timed:  p.o.Time == savepage.TimeVirtual,
		Of:     witness.Of{Whole: showsMore(p.o), Long: p.o.Fullpage || p.o.Format.Info().Paged, Paper: p.o.Format.Info().Paged},
	}
	p.whole = whole.New(whole.Config{
		Width: p.o.Width, Height: p.o.Height, Scale: p.o.Scale, MaxHeight: p.maxHeight(),
		ScrollDelay: savepage.Milliseconds(p.o.ScrollDelay), Events: p.events, Page: p.beside,
		Network: p.requests, Rest: p.waiter, Motion: p.motion(), Budget: p.budget, Notes: p.notes,
		Check: p.checkSize, Resize: p.view.resize, Stretch: p.view.stretch,
		Draw: p.camera.Draw, Listens: p.beside.Listens,
		Remember: witness.Remember(), Leave: p.witness.Leave, Children: p.targets.Children,
	})
	p.runner = steps.New(steps.Config{To: p.page, Page: p.beside, Budget: p.budget, Notes: p.notes, Ready: p.waiter.Ready})
	p.printer = pdf.New(pdf.Config{
		Options: p.o, To: p.page, Page: p.beside, Budget: p.budget, Notes: p.notes, NewSpool: p.newSpool, Load: p.waiter.Load,
	})
	return p
}

// rests reports whether a render may wait for the page to come to rest.
func rests(o savepage.Options) bool {
	switch o.WaitUntil {
	case savepage.WaitLoad, savepage.WaitDOMContentLoaded:
		return showsMore(o)
	default:
		return true
	}
}

// showsMore reports whether the picture may show more of the page than the window does.
func showsMore(o savepage.Options) bool {
	return o.Fullpage || o.Selector != "" || o.Clip != nil || o.Format.Info().Paged
}

// motion is what ends what the page begins while it is loaded in its whole length; nil when it may move as it likes.
func (p *parts) motion() whole.Motion {
	if p.o.Animations == savepage.AnimationsAllow {
		return nil
	}
	return p.still
}

// Functions that say of a look whether nothing on the page moves, and whether it may have come to rest besides.
const (
	calm   = `l => !(l.alive || l.animated || l.driven || l.foreign)`
	atRest = `l => (` + calm + `)(l) && l.ready === 'complete' && l.fonts && !l.loading && (!l.scripted || l.still >= 50)`
)

// further is what is asked of a page that is ready for its picture, when nothing else is done with it before.
func (p *parts) further() session.Further {
	if p.clock != nil || p.banners != nil || p.o.Animations == savepage.AnimationsAllow || showsMore(p.o) || p.busied() {
		return session.Further{}
	}
	p.still.Enable()
	f := session.Further{If: calm, Questions: []session.Question{wall.Question(), still.Question()}}
	if p.o.WaitUntil == savepage.WaitSettled {
		f.If = atRest
	}
	if rests(p.o) {
		f.Questions = append(f.Questions, p.witness.Question(p.window()))
	}
	return f
}

// busied reports whether something is done with the page, or asked of it, that options ask for.
func (p *parts) busied() bool {
	o := p.o
	texts := len(o.Click) + len(o.Steps) + len(o.Hide) + len(o.RequireText) + len(o.FailOnText)
	return texts > 0 || o.WaitForSelector+o.WaitForText+o.JS+o.CSS != "" || o.Delay > 0
}

// postponed reports whether what moves on the page will have the delay on a clock of its own.
func (p *parts) postponed() bool { return p.clock != nil && p.o.Delay > 0 && !p.clock.Started() }

// again waits for what the page does when its animations have ended.
func (p *parts) again(ctx context.Context) error {
	if p.o.WaitUntil == savepage.WaitSettled && !p.budget.PastDeadline() {
		return p.waiter.Settled(ctx)
	}
	return p.waiter.Look(ctx, 0)
}

// findTime is how long an element is looked for that the page may still bring: not long where it is at rest.
func (p *parts) findTime() time.Duration {
	if p.waiter.Rested() {
		return min(restedFind, p.budget.Find())
	}
	return p.budget.Find()
}

// find looks for a visible element, for at most the given time. The answer is nil when there is none.
func (p *parts) find(ctx context.Context, selector string, atMost time.Duration) (*layout.Box, error) {
	var at *struct {
		layout.Box
		Wrong string `json:"wrong"` // why the selector is not valid; the rest is then empty
	}
	err := p.beside.Ask(ctx, atMost, &at, actScript+"savepageAct.find", selector, atMost.Milliseconds())
	if err != nil || at == nil {
		return nil, err
	}
	if at.Wrong != "" {
		return nil, savepage.Errorf(savepage.CodeInvalidRequest, "%s is not a valid CSS selector", note.Quoted(selector))
	}
	return &at.Box, nil
}

// checkSize refuses a picture of so many CSS pixels that cannot be made.
func (k *kit) checkSize(width, height int) error {
	return shot.CheckSize(k.o, k.cfg.MaxPixels, width, height)
}

// window is the area that is in view.
func (k *kit) window() layout.Area {
	return layout.Area{Width: k.o.Width, Height: k.o.Height, Viewport: true}
}

// maxHeight is where a page is cut.
func (k *kit) maxHeight() int {
	if k.o.MaxHeight > 0 {
		return min(k.cfg.MaxHeight, k.o.MaxHeight)
	}
	return k.cfg.MaxHeight
}

// newSpool takes the bytes of a picture.
func (k *kit) newSpool() *spool.Spool { return spool.New(k.cfg.Spool, k.cfg.Hold) }

// died tells the end of a renderer from the end of its browser, which also ends the renderer.
func died(tab *browser.Tab) error {
	select {
	case <-tab.Lost():
		return errLost()
	default:
		return savepage.Errorf(savepage.CodePageCrashed, "the page ended its renderer, mostly by using too much memory")
	}
}

// excess says that the page has sent the browser's debugger more than any page may; nil when that is not why the session
// ended.
func excess(err error) error {
	switch {
	case errors.Is(err, cdp.ErrTooLong):
		return savepage.Errorf(savepage.CodePageCrashed, "the page made the browser report something too long to be read")
	case errors.Is(err, cdp.ErrFlooded):
		return savepage.Errorf(savepage.CodePageCrashed, "the page did more at once than can be followed")
	default:
		return nil
	}
}

// closed says why the session ended. The tab's own word comes in the same moment.
func closed(tab *browser.Tab) error {
	select {
	case <-tab.Lost():
	case <-tab.Crashed():
		return died(tab)
	case <-time.After(time.Second):
	}
	return errLost()
}

func errLost() error {
	return savepage.Errorf(savepage.CodeBrowserLost, "the browser ended while it rendered the page")
}
