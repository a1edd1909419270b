// Package page makes the picture of one page in one tab. It owns the flow, prepare, navigate, settle, shoot, report, and
// the judgement of what happened to the page; each thing that a render can do more is a part, a package below this one with
// its own state, and wired in job.go. It starts no browser, opens no connection, stores nothing, and trusts no picture
// without the navigation's own outcome.
package page

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/blocklist"
	"github.com/savepage/savepage/internal/browser"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/consent"
	"github.com/savepage/savepage/internal/health"
	"github.com/savepage/savepage/internal/page/address"
	"github.com/savepage/savepage/internal/page/pdf"
	"github.com/savepage/savepage/internal/page/session"
	"github.com/savepage/savepage/internal/page/shot"
)

// Config bounds the pictures. A zero field means its default.
type Config struct {
	MaxPixels int64  // of a picture, the browser's or the scaled one; 600 million
	MaxHeight int    // CSS pixels of a full page, where it is cut; 100,000
	Hold      int    // bytes of a picture that are held in memory; 32 MiB. A larger one is in a file
	Spool     string // folder for that file; the system's for temporary files

	AgentSuffix string // behind user agents that the client has not given itself

	Lists func() (*blocklist.Lists, error) // filter lists; those of the program
}

const (
	defaultMaxPixels = 600_000_000
	defaultMaxHeight = 100_000
	defaultHold      = 32 << 20
)

// Renderer makes pictures with the tabs of a pool. It is safe for concurrent use.
type Renderer struct {
	pool *browser.Pool
	cfg  Config
	log  *slog.Logger

	lists        func() (*blocklist.Lists, error)
	consentRules func() (*consent.Rules, error) // read when they are first asked for

	session func(*browser.Tab) session.Session // the route to a tab's page
}

// New returns a Renderer. The pool stays the caller's to close.
func New(pool *browser.Pool, cfg Config, log *slog.Logger) *Renderer {
	if cfg.MaxPixels == 0 {
		cfg.MaxPixels = defaultMaxPixels
	}
	if cfg.MaxHeight == 0 {
		cfg.MaxHeight = defaultMaxHeight
	}
	if cfg.Hold == 0 {
		cfg.Hold = defaultHold
	}
	if cfg.Lists == nil {
		cfg.Lists = blocklist.NewSource("", log).Lists
	}
	return &Renderer{
		pool: pool, cfg: cfg, log: log, lists: cfg.Lists, consentRules: sync.OnceValues(bannerRules), session: pageOf,
	}
}

// bannerRules reads what cookie banners are known by.
func bannerRules() (*consent.Rules, error) {
	return consent.Load(blocklist.CookieCSS(), blocklist.CookieSelectors())
}

// pageOf is the route to a tab's page.
func pageOf(tab *browser.Tab) session.Session { return session.Of(tab.Session()) }

// Render makes the picture that the options ask for. What a client may be told is *savepage.Error, and the report is
// filled as far as it is known also then. Waiting for a free tab does not count against the timeout. When ctx ends, its
// error is returned.
func (r *Renderer) Render(ctx context.Context, o savepage.Options) (capture.Shot, error) {
	j, ctx, err := r.begin(ctx, o.WithDefaults())
	if err != nil {
		return capture.Shot{}, err
	}
	defer j.end()
	for _, step := range j.steps() {
		if j.isOver(step) {
			continue
		}
		limited, done := j.enter(ctx, step)
		err := done(step.do(limited))
		if errors.Is(err, errReserve) {
			err = j.showAsIs(ctx)
		}
		if err != nil {
			err = j.explain(ctx, err)
			r.logFailure(ctx, o, err)
			return j.failed(), err
		}
	}
	j.tab.Succeeded()
	return j.shot(), nil
}

// steps is the whole render, in order.
func (j *job) steps() []step {
	return []step{
		{capture.PhaseNavigate, untilTimeout, j.setup.prepare},
		{capture.PhaseNavigate, untilTimeout, j.navigate},
		{capture.PhaseSettle, untilDeadline, j.settle},
		{capture.PhaseSettle, untilDeadline, j.actions.run},
		{capture.PhaseSettle, untilEnd, j.reader.look},
		{capture.PhaseSettle, untilEnd, j.judge},
		{capture.PhaseShoot, untilEnd, j.freeze},
		{capture.PhaseShoot, untilDeadline, j.frame.choose},
		{capture.PhaseShoot, untilDeadline, j.clearLate},
		{capture.PhaseShoot, untilDeadline, j.frame.choose}, // anew, if a banner came late
		{capture.PhaseShoot, untilEnd, j.frame.confirm},
		{capture.PhaseShoot, untilEnd, j.freeze}, // what was loaded since may move
		{capture.PhaseShoot, untilEnd, j.reader.read},
		{capture.PhaseShoot, untilDeadline, j.whole.Keep},
		{capture.PhaseShoot, untilEnd, j.shoot},
		{capture.PhaseShoot, untilEnd, j.judge},
		{capture.PhaseShoot, untilEnd, j.sound},
	}
}

// begin takes a tab for a render that can be done at all.
func (r *Renderer) begin(ctx context.Context, o savepage.Options) (*job, context.Context, error) {
	to, err := address.Of(o)
	if err == nil {
		err = r.admit(o)
	}
	if err != nil {
		return nil, nil, err
	}
	tab, err := r.take(ctx, o, to)
	if err != nil {
		return nil, nil, health.Of(health.Browser, fmt.Errorf("take a tab: %w", err)) // the page was not asked for
	}
	j, ctx := newJob(ctx, r, o, to, tab)
	return j, ctx, nil
}

// take takes the tab that a render needs.
func (r *Renderer) take(ctx context.Context, o savepage.Options, to address.Page) (*browser.Tab, error) {
	moving := o.Animations == savepage.AnimationsAllow
	switch {
	case capture.IsApart(ctx):
		return r.pool.TakeApart(ctx, moving)
	case moving:
		return r.pool.TakeMoving(ctx)
	case needsBlank(o):
		return r.pool.Take(ctx)
	default:
		return r.pool.TakeAt(ctx, to.URL)
	}
}

// admit refuses at once what can be known to be too large, or not to be printed, before the page is asked for.
func (r *Renderer) admit(o savepage.Options) error {
	if o.Format.Info().Paged {
		return pdf.Check(o)
	}
	if o.Selector != "" || o.Fullpage || o.Clip != nil {
		return nil // the page says how large it is
	}
	return shot.CheckSize(o, r.cfg.MaxPixels, o.Width, o.Height)
}

// logFailure writes down internal errors: those that say nothing to a client.
func (r *Renderer) logFailure(ctx context.Context, o savepage.Options, err error) {
	var told *savepage.Error
	if ctx.Err() == nil && !errors.As(err, &told) {
		r.log.Error("capture failed", "url", address.Named(o.URL), "error", err)
	}
}
