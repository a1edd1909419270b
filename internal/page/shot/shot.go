// Package shot draws a page: in one piece, or in tiles that are joined to a picture while the browser draws the next. It
// knows what the browser and the formats can hold, and which letters the picture lacks. Which part of the page is drawn is
// decided by others.
package shot

import (
	"context"
	_ "embed" // for the scripts
	"errors"
	"fmt"
	"image/color"
	"math"
	"os"
	"time"

	"github.com/chromedp/cdproto/emulation"
	cdpage "github.com/chromedp/cdproto/page"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/cdp"
	"github.com/savepage/savepage/internal/page/budget"
	"github.com/savepage/savepage/internal/page/layout"
	"github.com/savepage/savepage/internal/page/session"
	"github.com/savepage/savepage/internal/page/spool"
	"github.com/savepage/savepage/internal/picture"
)

//go:embed webp.js
var webpScript string

const (
	// onePiece is how many pixels are drawn at once; more are drawn in tiles, for the sake of memory: one clip takes 7
	// to 8 times its bitmap.
	onePiece = 24_000_000
	// tilePixels and tileRows bound a tile. GL compositors repeat the picture beyond 8,192 rows.
	tilePixels = 12_000_000
	tileRows   = 8000
)

// Page is asked by scripts beside its own.
type Page interface {
	// Ask calls a function of a script; the text of the script stands before its name.
	Ask(ctx context.Context, slack time.Duration, into any, function string, args ...any) error
	// Await waits for an answer that a script of the page may hold up, for as long as makes sense.
	Await(ctx context.Context, sent *cdp.Pending, slack time.Duration)
	// Begin has an expression run and does not wait for its value, which End reads.
	Begin(ctx context.Context, expression string) (*cdp.Pending, error)
	End(ctx context.Context, begun *cdp.Pending, slack time.Duration, into any) error
}

// Notes keeps what is waited for.
type Notes interface {
	Await(what string)
}

// Config is the page, and the parts of the render that this one needs.
type Config struct {
	Options  savepage.Options
	To       session.Sender
	Page     Page
	Budget   *budget.Budget
	Notes    Notes
	NewSpool func() *spool.Spool
	Stopped  bool                        // the page's clock: it has no idle moments
	Common   func() bool                 // no letter is on the page that a font may lack
	Load     func(context.Context) error // waits for the load event of a document that the page goes to
}

// Picture is what was drawn.
type Picture struct {
	Bytes         []byte
	Large         *os.File // in place of Bytes, when they are too many to be held
	Width, Height int      // pixels
	Blank         bool     // one colour only
	Encode        time.Duration
}

// Camera draws one page. Its methods are for the goroutine of the render.
type Camera struct {
	Config
	spool   *spool.Spool // of tiles
	made    Picture
	letters *cdp.Pending // those without a glyph, which are looked for beside the shot; nil: they are not
}

// New returns a Camera. Close must be called.
func New(c Config) *Camera { return &Camera{Config: c} }

// Picture is what was drawn last. Its file is the caller's to close.
func (c *Camera) Picture() Picture { return c.made }

// Close drops tiles that were not joined.
func (c *Camera) Close() { c.spool.Drop() }

// Take draws an area as the options want it.
func (c *Camera) Take(ctx context.Context, a layout.Area) error {
	c.Notes.Await("the browser to draw the picture")
	c.spool = c.NewSpool()
	w, h := layout.DevicePixels(a.Width, c.Options.Scale), layout.DevicePixels(a.Height, c.Options.Scale)
	if joined := sink(c.spool, c.Options, w, h); joined != nil {
		return c.tiles(ctx, a, joined)
	}
	return c.direct(ctx, a)
}

// Repaint has the browser draw all of the page anew with the next picture. What it has drawn piece by piece, while something
// moved, may differ by one from what it draws at once.
func (c *Camera) Repaint() {
	Behind(c.To, color.NRGBA{R: 254, G: 254, B: 254, A: 255})
	if c.Options.Transparent || c.Options.Background != "" {
		Behind(c.To, c.Options.Backdrop())
		return
	}
	c.To.Send(emulation.CommandSetDefaultBackgroundColorOverride, nil)
}

// Behind sets what stands behind a page without a background of its own.
func Behind(to session.Sender, c color.NRGBA) *cdp.Pending {
	// Not cdproto's type: it leaves out an alpha of 0, and the default is 1.
	return to.Send(emulation.CommandSetDefaultBackgroundColorOverride, map[string]any{"color": map[string]any{
		"r": c.R, "g": c.G, "b": c.B, "a": float64(c.A) / 0xff,
	}})
}

// Redraw has the browser draw a pixel of the page.
func (c *Camera) Redraw(ctx context.Context) error {
	_, err := c.Draw(ctx, layout.Area{Width: 1, Height: 1})
	return err
}

// Draw returns a png of an area, drawn at once.
func (c *Camera) Draw(ctx context.Context, a layout.Area) ([]byte, error) {
	return c.received(ctx, c.ask(a, tileFormat))
}

// direct takes the picture in one shot, as the browser encodes it.
func (c *Camera) direct(ctx context.Context, a layout.Area) error {
	asked := c.ask(a, c.Options.Format)
	c.lookForLetters(ctx)
	data, err := c.received(ctx, asked)
	if err != nil {
		return err
	}
	capture.Report(ctx, capture.PhaseEncode)
	began := time.Now()
	_, blank, err := picture.Blank(data)
	c.made.Encode += time.Since(began)
	if err != nil {
		return fmt.Errorf("look at the picture: %w", err)
	}
	c.made.Blank = blank
	if c.Options.Format != savepage.FormatPNG {
		return c.keep(data)
	}
	began = time.Now()
	err = c.packOnce(ctx, data)
	c.made.Encode += time.Since(began)
	return err
}

func (c *Camera) keep(data []byte) error {
	var err error
	c.made.Bytes = data
	if c.made.Width, c.made.Height, err = picture.Size(data); err != nil {
		return fmt.Errorf("read the size of the picture: %w", err)
	}
	return nil
}

// tiles takes the area in tiles, from top to bottom: the browser draws the next while the last is joined.
func (c *Camera) tiles(ctx context.Context, a layout.Area, sink picture.Sink) error {
	parts := c.divide(a)
	next := c.ask(parts[0], tileFormat)
	var first color.NRGBA
	c.made.Blank = true
	for i := range parts {
		tile, err := c.received(ctx, next)
		if err != nil {
			return err
		}
		if i+1 < len(parts) {
			next = c.ask(parts[i+1], tileFormat)
		}
		began := time.Now()
		if c.made.Blank {
			var colour color.NRGBA
			if colour, c.made.Blank, err = picture.Blank(tile); err != nil {
				return fmt.Errorf("look at a tile: %w", err)
			}
			if i == 0 {
				first = colour
			}
			c.made.Blank = c.made.Blank && colour == first
		}
		if err := sink.Add(tile); err != nil {
			return fmt.Errorf("join tile %d of %d: %w", i+1, len(parts), err)
		}
		c.made.Encode += time.Since(began)
	}
	capture.Report(ctx, capture.PhaseEncode)
	began := time.Now()
	if err := sink.Close(); err != nil {
		return fmt.Errorf("join tiles: %w", err)
	}
	err := c.packJoined(ctx)
	c.made.Encode += time.Since(began)
	return err
}

// collect takes what the tiles were joined to.
func (c *Camera) collect(ctx context.Context) error {
	if c.Options.Format.Info().Encoder == savepage.EncoderBrowser {
		png, err := c.spool.All()
		if err == nil {
			png, err = c.encode(ctx, png)
		}
		if err != nil {
			return err
		}
		return c.keep(png)
	}
	start, err := c.spool.Start()
	if err == nil {
		err = c.keep(start)
	}
	if err != nil {
		return err
	}
	if c.made.Large, err = c.spool.Take(); c.made.Large != nil {
		c.made.Bytes = nil
	}
	return err
}

// encode has the browser make a webp of a png, beside the page.
func (c *Camera) encode(ctx context.Context, png []byte) ([]byte, error) {
	c.Notes.Await("the browser to encode the picture")
	var data []byte
	if err := c.Page.Ask(ctx, c.Budget.Drawing(), &data, webpScript, png, float64(c.Options.Quality)/100); err != nil {
		return nil, err
	}
	return data, nil
}

// divide cuts an area into tiles that end between two rows of the picture.
func (c *Camera) divide(a layout.Area) []layout.Area {
	if a.Viewport || layout.DevicePixels(a.Width, c.Options.Scale)*layout.DevicePixels(a.Height, c.Options.Scale) <= onePiece {
		return []layout.Area{a}
	}
	rows := min(tileRows, max(16, tilePixels/layout.DevicePixels(a.Width, c.Options.Scale)))
	step := wholeRows(int(float64(rows)/c.Options.Scale), c.Options.Scale)
	var parts []layout.Area
	for y := 0; y < a.Height; y += step {
		parts = append(parts, layout.Area{X: a.X, Y: a.Y + y, Width: a.Width, Height: min(step, a.Height-y)})
	}
	return parts
}

// wholeRows is the largest height up to maxRows whose rows are whole in the picture, or maxRows if there is none.
func wholeRows(maxRows int, scale float64) int {
	for css := maxRows; css > maxRows/2; css-- {
		rows := float64(css) * scale
		if math.Abs(rows-math.Round(rows)) < 1e-6 {
			return css
		}
	}
	return maxRows
}

// request is a picture that was asked for.
type request struct {
	params  cdpage.CaptureScreenshotParams
	pending *cdp.Pending
}

// ask asks for a picture of an area. The clip's own scale stays 1: with another one parts were missing from 7 of 160
// pictures on a busy machine, without an error.
func (c *Camera) ask(a layout.Area, f savepage.Format) request {
	yes, quality := true, int64(c.Options.Quality)
	r := request{params: cdpage.CaptureScreenshotParams{Format: cdpage.CaptureScreenshotFormat(f)}}
	if f == savepage.FormatPNG {
		r.params.OptimizeForSpeed = &yes
	} else {
		r.params.Quality = &quality
	}
	if !a.Viewport {
		r.params.CaptureBeyondViewport = &yes
		r.params.Clip = &cdpage.Viewport{X: float64(a.X), Y: float64(a.Y), Width: float64(a.Width), Height: float64(a.Height), Scale: 1}
	}
	r.pending = c.To.Send(cdpage.CommandCaptureScreenshot, r.params)
	return r
}

// received waits for a picture. The browser refuses one while the page goes to another document: then it is asked for
// once more.
func (c *Camera) received(ctx context.Context, r request) ([]byte, error) {
	c.Page.Await(ctx, r.pending, c.Budget.Drawing())
	var res cdpage.CaptureScreenshotResult
	err := session.Answered(ctx, r.pending, &res)
	if errors.Is(err, session.ErrMoved) {
		if err := c.Load(ctx); err != nil {
			return nil, err
		}
		again := c.To.Send(cdpage.CommandCaptureScreenshot, r.params)
		c.Page.Await(ctx, again, c.Budget.Drawing())
		err = session.Answered(ctx, again, &res)
		c.letters = nil // they are those of another document
	}
	if err != nil {
		return nil, fmt.Errorf("take the picture: %w", err)
	}
	return res.Data, nil
}
