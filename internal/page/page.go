// Package page makes the picture of one page in one tab: it prepares the tab, navigates, waits until the page has
// settled, and shoots. It owns the scripts that run beside a page and the judgement of what happened to it. It starts no
// browser, opens no connection, stores nothing, and trusts no picture without the navigation's own outcome.
package page

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"sync"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/blocklist"
	"github.com/savepage/savepage/internal/browser"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/consent"
	"github.com/savepage/savepage/internal/picture"
)

// Config bounds the pictures. A zero field means its default.
type Config struct {
	MaxPixels int64  // of a picture, the browser's or the scaled one; 600 million
	MaxHeight int    // CSS pixels of a full page, where it is cut; 100,000
	Hold      int    // bytes of a picture that are held in memory; 32 MiB. A larger one is in a file
	Spool     string // folder for that file; the system's for temporary files

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
	return &Renderer{pool: pool, cfg: cfg, log: log, lists: cfg.Lists, consentRules: sync.OnceValues(bannerRules)}
}

// bannerRules reads what cookie banners are known by.
func bannerRules() (*consent.Rules, error) {
	return consent.Load(blocklist.CookieCSS(), blocklist.CookieSelectors())
}

// Render makes the picture that the options ask for. What a client may be told is *savepage.Error, and the report is
// filled as far as it is known also then. Waiting for a free tab does not count against the timeout. When ctx ends, its
// error is returned.
func (r *Renderer) Render(ctx context.Context, o savepage.Options) (capture.Shot, error) {
	o = o.WithDefaults()
	to, err := destination(o)
	if err == nil {
		err = r.admit(o)
	}
	if err != nil {
		return capture.Shot{}, err
	}
	take := r.pool.Take
	if o.Animations == savepage.AnimationsAllow {
		take = r.pool.TakeMoving
	}
	tab, err := take(ctx)
	if err != nil {
		return capture.Shot{}, fmt.Errorf("take a tab: %w", err)
	}
	defer tab.Close()
	j, ctx := newJob(ctx, r.cfg, o, to, tab)
	defer j.end()
	j.lists, j.consentRules = r.lists, r.consentRules
	if err := j.run(ctx); err != nil {
		err = j.explain(ctx, err)
		r.logFailure(ctx, o, err)
		if j.large != nil {
			_ = j.large.Close()
		}
		return capture.Shot{Report: j.report(), Loaded: j.arrived, Phases: j.phases}, err
	}
	return capture.Shot{Bytes: j.bytes, Large: j.large, Width: j.width, Height: j.height, Report: j.report(), Loaded: true, Phases: j.phases, Hasty: j.hasty}, nil
}

// admit refuses at once what can be known to be too large before the page is asked for.
func (r *Renderer) admit(o savepage.Options) error {
	if o.Selector != "" || o.Fullpage || o.Clip != nil || o.Format == savepage.FormatPDF {
		return nil // the page says how large it is
	}
	return checkSize(o, r.cfg.MaxPixels, o.Width, o.Height)
}

// logFailure writes down faults of ours: those that say nothing to a client.
func (r *Renderer) logFailure(ctx context.Context, o savepage.Options, err error) {
	var told *savepage.Error
	if ctx.Err() == nil && !errors.As(err, &told) {
		r.log.Error("capture failed", "url", named(o.URL), "error", err)
	}
}

// checkSize refuses a picture of width x height CSS pixels that no encoder or no memory holds.
func checkSize(o savepage.Options, maxPixels int64, width, height int) error {
	if o.Format == savepage.FormatPDF {
		return nil // no pixels
	}
	w, h := devicePixels(width, o.Scale), devicePixels(height, o.Scale)
	if o.ThumbWidth > 0 {
		th := picture.ScaledHeight(w, h, o.ThumbWidth)
		if err := checkFormat(o.Format, o.ThumbWidth, th, maxPixels); err != nil {
			return err
		}
		// What is scaled is shot as png.
		return checkFormat(savepage.FormatPNG, w, h, maxPixels)
	}
	if o.Format == savepage.FormatWebP && int64(w)*int64(h)*4 > rasterBudget {
		return tooLarge(w, h, fmt.Sprintf("a webp is drawn at once and may have %d million pixels", rasterBudget/4/1_000_000))
	}
	return checkFormat(o.Format, w, h, maxPixels)
}

func checkFormat(f savepage.Format, w, h int, maxPixels int64) error {
	switch {
	case int64(w)*int64(h) > maxPixels:
		return tooLarge(w, h, fmt.Sprintf("the limit is %d million pixels", maxPixels/1_000_000))
	case f == savepage.FormatJPEG && max(w, h) > picture.MaxJPEGSide:
		return tooLarge(w, h, fmt.Sprintf("a jpeg has at most %d pixels a side", picture.MaxJPEGSide))
	case f == savepage.FormatWebP && max(w, h) > picture.MaxWebPSide:
		return tooLarge(w, h, fmt.Sprintf("a webp has at most %d pixels a side", picture.MaxWebPSide))
	}
	return nil
}

func tooLarge(w, h int, limit string) error {
	return savepage.Errorf(savepage.CodeTooLarge, "the picture would have %d x %d pixels and %s: set max_height, scale or another format", w, h, limit)
}

// devicePixels is a length of the picture as the browser rounds it.
func devicePixels(css int, scale float64) int { return int(math.Round(float64(css) * scale)) }

func milliseconds(n int) time.Duration { return time.Duration(n) * time.Millisecond }
