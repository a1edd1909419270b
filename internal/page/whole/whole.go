// Package whole makes a page ready to be shown in its whole length: it has the page load its lazy parts, unfolds the part
// that scrolls in place of the page, and keeps pictures of frames that the browser draws only in view. It draws no picture
// of the page itself.
package whole

import (
	"context"
	_ "embed" // for the script
	"encoding/json"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/page/budget"
	"github.com/savepage/savepage/internal/page/layout"
	"github.com/savepage/savepage/internal/page/session"
)

//go:embed whole.js
var wholeScript string

const (
	// loadPixels bounds the viewport in which lazy pictures load, in pixels of a picture of it.
	loadPixels = 64_000_000
	maxWalk    = 150             // steps through a page that waits to be scrolled
	maxTall    = 12              // windows of the largest size through a page that grows with its window
	maxRounds  = 10              // for a page that grows while it loads
	maxWide    = 10_000          // CSS pixels of a picture
	maxEmbeds  = 20              // frames that are shot on their own
	maxFollow  = 25              // times that a page is scrolled to its end
	slowMotion = 4 * time.Second // for what moves for a second, on a busy machine
	idleFrame  = 2 * time.Second // for a window to be drawn, at most
)

// Extent is the size of the whole page in CSS pixels.
type Extent struct {
	Height int `json:"height"`
	Width  int `json:"width"`
	Left   int `json:"left"` // negative where the page runs from right to left and is wider than the viewport

	Frameset bool `json:"frameset"` // the page is nothing but frames
	More     bool `json:"more"`     // a part that scrolls is too long to be shown
	Still    bool `json:"still"`    // something may stand still while the page scrolls
}

// Asker calls a function of a script that runs beside the page; the text of the script stands before its name.
type Asker interface {
	Ask(ctx context.Context, slack time.Duration, into any, function string, args ...any) error
	// InFrames returns the values of an expression in every frame but the main one.
	InFrames(ctx context.Context, expression string, targets []*session.Target) []json.RawMessage
}

// Network says what the page asks of the network.
type Network interface {
	Waiting() int         // open requests that end
	Quiet() time.Duration // since the last event of one
	ResetQuiet()          // the page was given cause to do something: quiet is counted from here
	SetGrowing(is bool)   // the page's repeated requests bring more of it
}

// Rest waits until the page is at rest.
type Rest interface {
	Quiet(ctx context.Context) error   // nothing changes any more
	Settled(ctx context.Context) error // the document has loaded, and nothing changes any more
}

// Motion brings animations to their end.
type Motion interface {
	End(ctx context.Context) error // that the page has begun because it is seen
}

// Notes keeps what is waited for, and why a picture is partial.
type Notes interface {
	Await(what string)
	Partial(format string, args ...any)
}

// Config is the page, and the parts of the render that this one needs.
type Config struct {
	Width, Height int // of the viewport, CSS pixels
	Scale         float64
	MaxHeight     int           // CSS pixels, where a page is cut
	ScrollDelay   time.Duration // after each step of a walk through the page; 0: it is walked through only where it needs it
	Events        *session.Router
	Page          Asker
	Children      func() []*session.Target // that belong to the page
	Network       Network
	Rest          Rest
	Motion        Motion // nil: the page moves as it likes
	Budget        *budget.Budget
	Notes         Notes
	Check         func(width, height int) error                            // why a picture of so many CSS pixels cannot be made
	Resize        func(ctx context.Context, height int) error              // of the window
	Stretch       func(ctx context.Context, height int) error              // of the window, which may be drawn small until Resize
	Remember      string                                                   // a function of a script: has the page note what the window shows
	Leave         func(ctx context.Context) error                          // called before the page leaves its end, where more of it may come
	Draw          func(ctx context.Context, a layout.Area) ([]byte, error) // a png

	// Listens reports whether the page, or something in it, waits for one of the named events.
	Listens func(ctx context.Context, names ...string) (bool, error)
}

// Page is one page in its whole length. Its methods are for the goroutine of the render.
type Page struct {
	Config
	reveal    *reveal
	cut       bool
	backdrop  savepage.Backdrop
	grows     bool // the page may become longer when it is scrolled
	followed  int  // times that the page was scrolled to its end
	stretched int  // times that the window of a frameset was made taller
	walked    int  // CSS pixels that were walked through with ScrollDelay
}

// New returns a Page that has loaded nothing.
func New(c Config) *Page { return &Page{Config: c, reveal: &reveal{Config: c}} }

// Cut reports whether something of the page was left out: it is larger than the area that was returned for it, or it would
// have gone on, or it takes things out of the document that are out of the window, and they could not be put back.
func (p *Page) Cut() bool { return p.cut || p.reveal.lost }

// Keep has what was seen be seen in the picture, where the page has hidden it again.
func (p *Page) Keep(ctx context.Context) error { return p.reveal.keep(ctx) }

// Forget has nothing put back that the page has taken out of the document so far: it was to go.
func (p *Page) Forget(ctx context.Context) error {
	return p.Page.Ask(ctx, 0, nil, revealScript+"savepageLists.forget")
}

// LoadAll brings the page to its top, makes it one long page, and has it load its lazy parts, again as long as that makes it
// longer. It gives up on a page without an end: growing says that it would go on.
func (p *Page) LoadAll(ctx context.Context) (is Extent, growing bool, err error) {
	is, err = p.prepare(ctx)
	if err != nil || is.Frameset {
		return is, false, err
	}
	loaded, last := p.Height, time.Now().Add(p.Budget.Timeout()/3)
	for range maxRounds {
		height := min(is.Height, p.MaxHeight)
		if height <= loaded || time.Now().After(last) {
			break
		}
		if err := p.Check(min(is.Width, maxWide), height); err != nil {
			return is, false, err
		}
		if err := p.loadLazy(ctx, height); err != nil {
			return is, false, err
		}
		if err := p.reveal.walk(ctx); err != nil {
			return is, false, err
		}
		if is, growing, err = p.follow(ctx, height, last); err != nil {
			return is, false, err
		}
		loaded = height
		if growing && p.followed > maxFollow {
			break
		}
	}
	growing = growing || min(is.Height, p.MaxHeight) > loaded
	is, err = p.kept(ctx, is, growing)
	return is, growing, err
}

// prepare brings the page to its top and makes it one long page. The frames of a frameset are then loaded in their whole length.
func (p *Page) prepare(ctx context.Context) (is Extent, err error) {
	err = p.Page.Ask(ctx, time.Second, &is, wholeScript+"savepageWhole.prepare", p.MaxHeight)
	if err == nil && is.Frameset && !p.Budget.PastDeadline() {
		return p.loadFrames(ctx, is)
	}
	return is, err
}

// kept has what was seen be seen in the picture, and measures a page that this has changed.
func (p *Page) kept(ctx context.Context, is Extent, growing bool) (Extent, error) {
	p.cut = p.cut || growing || is.More
	if !p.reveal.keeps {
		return is, nil
	}
	if err := p.Keep(ctx); err != nil {
		return is, err
	}
	return p.measure(ctx)
}

// measure says how large the page is now. What it has loaded is unfolded too.
func (p *Page) measure(ctx context.Context) (is Extent, err error) {
	err = p.Page.Ask(ctx, time.Second, &is, wholeScript+"savepageWhole.measure", p.MaxHeight)
	return is, err
}

// Area scrolls the page sideways to where it is shown from, and returns the area of the whole page, as far as a picture may
// reach.
func (p *Page) Area(ctx context.Context, is Extent, growing bool) (layout.Area, error) {
	if is.Left != 0 {
		if err := p.Page.Ask(ctx, 0, nil, wholeScript+"savepageWhole.aside", is.Left); err != nil {
			return layout.Area{}, err
		}
	}
	a := layout.Area{X: is.Left, Width: min(is.Width, maxWide), Height: max(is.Height, 1)}
	if growing || a.Height > p.MaxHeight || is.Width > maxWide {
		a.Height, p.cut = min(a.Height, p.MaxHeight), true
	}
	a.Viewport = a.Height == p.Height && a.Width == p.Width
	return a, nil
}

// ToTop scrolls the page to its top.
func (p *Page) ToTop(ctx context.Context) error {
	return p.Page.Ask(ctx, 0, nil, wholeScript+"savepageWhole.show", 0)
}
