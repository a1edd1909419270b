// Package whole makes a page ready to be shown in its whole length: it has the page load its lazy parts, unfolds the part
// that scrolls in place of the page, and keeps pictures of frames that the browser draws only in view. It draws no picture
// of the page itself.
package whole

import (
	"context"
	_ "embed" // for the script
	"time"

	"github.com/savepage/savepage/internal/page/budget"
	"github.com/savepage/savepage/internal/page/layout"
	"github.com/savepage/savepage/internal/page/session"
)

//go:embed whole.js
var wholeScript string

const (
	// loadPixels bounds the viewport in which lazy pictures load, in pixels of the screen: it is drawn too.
	loadPixels = 64_000_000
	maxWalk    = 150             // steps through a page that waits to be scrolled
	maxTall    = 12              // windows of the largest size through a page that grows with its window
	maxRounds  = 10              // for a page that grows while it loads
	maxWide    = 10_000          // CSS pixels of a picture
	maxEmbeds  = 20              // frames that are shot on their own
	slowMotion = 4 * time.Second // for what moves for a second, on a busy machine
	idleFrame  = 2 * time.Second // for a window to be drawn, at most
)

// Extent is the size of the whole page in CSS pixels.
type Extent struct {
	Height int `json:"height"`
	Width  int `json:"width"`
	Left   int `json:"left"` // negative where the page runs from right to left and is wider than the viewport
}

// Asker calls a function of a script that runs beside the page; the text of the script stands before its name.
type Asker interface {
	Ask(ctx context.Context, slack time.Duration, into any, function string, args ...any) error
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

// Motion notes what a page shows only when it is seen.
type Motion interface {
	Conceal(ctx context.Context) error // before the page is seen as a whole
	Reveal(ctx context.Context) error  // when it has been
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
	MaxHeight     int // CSS pixels, where a page is cut
	Events        *session.Router
	Page          Asker
	Network       Network
	Rest          Rest
	Motion        Motion // nil: the page moves as it likes
	Budget        *budget.Budget
	Notes         Notes
	Check         func(width, height int) error                            // why a picture of so many CSS pixels cannot be made
	Resize        func(ctx context.Context, height int) error              // of the window
	Draw          func(ctx context.Context, a layout.Area) ([]byte, error) // a png
}

// Page is one page in its whole length. Its methods are for the goroutine of the render.
type Page struct {
	Config
	cut bool
}

// New returns a Page that has loaded nothing.
func New(c Config) *Page { return &Page{Config: c} }

// Cut reports whether the page is larger than the area that was returned for it.
func (p *Page) Cut() bool { return p.cut }

// LoadAll brings the page to its top, makes it one long page, and has it load its lazy parts, again as long as that makes it
// longer. It gives up on a page without an end: growing says that it would go on.
func (p *Page) LoadAll(ctx context.Context) (is Extent, growing bool, err error) {
	if err := p.Page.Ask(ctx, time.Second, &is, wholeScript+"savepageWhole.prepare"); err != nil {
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
		if err := p.LoadLazy(ctx, height); err != nil {
			return is, false, err
		}
		if err := p.Page.Ask(ctx, time.Second, &is, wholeScript+"savepageWhole.measure"); err != nil {
			return is, false, err
		}
		loaded = height
	}
	return is, min(is.Height, p.MaxHeight) > loaded, nil
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
