package page

import (
	"context"
	"errors"
	"fmt"
	"image/color"
	"math"
	"time"

	cdpage "github.com/chromedp/cdproto/page"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/cdp"
	"github.com/savepage/savepage/internal/picture"
)

const (
	// rasterBudget is the bitmap that Chromium draws in one shot, in bytes. Beyond its 512 MB of tiles the rest is
	// white, without an error.
	rasterBudget = 490_000_000
	// onePiece is how many pixels are drawn at once; more are drawn in tiles, for the sake of memory: one clip takes 7
	// to 8 times its bitmap.
	onePiece = 24_000_000
	// tilePixels and tileRows bound a tile. GL compositors repeat the picture beyond 8,192 rows.
	tilePixels = 12_000_000
	tileRows   = 4000
)

// area is a part of the document in CSS pixels.
type area struct {
	x, y, width, height int
	viewport            bool // exactly what the viewport shows
}

// shoot makes the picture of the part that the options ask for.
func (j *job) shoot(ctx context.Context) error {
	if err := j.rest(ctx); err != nil {
		return err
	}
	if j.o.Format == savepage.FormatPDF {
		return j.print(ctx)
	}
	a, err := j.chooseInTime(ctx)
	if err != nil {
		return err
	}
	if err := checkSize(j.o, j.cfg.MaxPixels, a.width, a.height); err != nil {
		return err
	}
	if !a.viewport { // what was woken may move
		if err := j.rest(ctx); err != nil {
			return err
		}
	}
	j.awaiting = "the browser to draw the picture"
	if err := j.hideFiltered(ctx); err != nil {
		return err
	}
	if sink := j.sink(a); sink != nil {
		err = j.tiles(ctx, a, sink)
	} else {
		err = j.direct(ctx, a)
	}
	if err != nil {
		return err
	}
	j.letters(ctx)
	return j.broken()
}

// chooseInTime chooses once more, without waiting, when the time for it was over.
func (j *job) chooseInTime(ctx context.Context) (a area, err error) {
	cut, err := j.inTime(ctx, func(ctx context.Context) (err error) {
		a, err = j.choose(ctx)
		return err
	})
	if cut && err == nil {
		a, err = j.choose(ctx)
	}
	if errors.Is(err, errMuted) {
		return j.choose(ctx)
	}
	return a, err
}

func (j *job) choose(ctx context.Context) (area, error) {
	switch {
	case j.muted:
		return j.chooseUnasked(ctx)
	case j.o.Selector != "":
		return j.element(ctx)
	case j.o.Clip != nil:
		return j.clip(ctx)
	case j.o.Fullpage:
		return j.wholePage(ctx)
	default:
		return j.window(), nil
	}
}

// window is the area that is in view.
func (j *job) window() area { return area{width: j.o.Width, height: j.o.Height, viewport: true} }

// element is the box of the element that the options name.
func (j *job) element(ctx context.Context) (area, error) {
	j.awaiting = "the selector " + quoted(j.o.Selector)
	most := min(mostFind, milliseconds(j.o.Timeout)/4)
	if j.hasty {
		most = 0
	}
	at, err := j.find(ctx, j.o.Selector, most)
	if err != nil {
		return area{}, err
	}
	if at == nil {
		return area{}, savepage.Errorf(savepage.CodeSelectorNotFound, "no visible element matches %s", quoted(j.o.Selector))
	}
	if bottom := int(at.Y + at.Height); bottom > j.o.Height {
		if err := j.wake(ctx, min(bottom, j.cfg.MaxHeight)); err != nil {
			return area{}, err
		}
	}
	if err := j.ask(ctx, time.Second, &at, "uncover", j.o.Selector); err != nil {
		return area{}, err
	}
	if at == nil {
		return area{}, savepage.Errorf(savepage.CodeSelectorNotFound, "the element that matched %s went away", quoted(j.o.Selector))
	}
	return enclose(*at), nil
}

// enclose is the smallest area of whole pixels around a place. What lies left of or above the document can not be drawn.
func enclose(p place) area {
	const hair = 1e-3 // layout counts in 64ths of a pixel
	left, top := max(0, int(math.Floor(p.X+hair))), max(0, int(math.Floor(p.Y+hair)))
	right, bottom := int(math.Ceil(p.X+p.Width-hair)), int(math.Ceil(p.Y+p.Height-hair))
	return area{x: left, y: top, width: max(1, right-left), height: max(1, bottom-top)}
}

// sink is where tiles go, or nil when the browser's own answer is the picture.
func (j *job) sink(a area) picture.Sink {
	w, h := devicePixels(a.width, j.o.Scale), devicePixels(a.height, j.o.Scale)
	out := &spool{dir: j.cfg.Spool, most: j.cfg.Hold}
	j.out = out
	switch {
	case j.o.ThumbWidth > 0:
		format := j.o.Format
		if format == savepage.FormatWebP {
			format = savepage.FormatPNG // see encode
		}
		return picture.Scale(out, picture.Scaled{Width: w, Height: h, ToWidth: j.o.ThumbWidth, Format: format, Quality: j.o.Quality})
	case w*h <= onePiece, j.o.Format == savepage.FormatWebP:
		return nil
	case j.o.Format == savepage.FormatJPEG:
		return picture.JoinJPEG(out, w, h, j.o.Quality)
	default:
		return picture.JoinPNG(out, w, h)
	}
}

// direct takes the picture in one shot, as the browser encodes it.
func (j *job) direct(ctx context.Context, a area) error {
	data, err := j.received(ctx, j.request(a, j.o.Format))
	if err != nil {
		return err
	}
	capture.Report(ctx, capture.PhaseEncode)
	began := time.Now()
	_, blank, err := picture.Blank(data)
	j.phases.Encode += time.Since(began).Milliseconds()
	if err != nil {
		return fmt.Errorf("look at the picture: %w", err)
	}
	j.blank = blank
	return j.keep(data)
}

func (j *job) keep(data []byte) error {
	var err error
	j.bytes = data
	if j.width, j.height, err = picture.Size(data); err != nil {
		return fmt.Errorf("read the size of the picture: %w", err)
	}
	return nil
}

// tiles takes the area in tiles, from top to bottom: the browser draws the next while the last is joined.
func (j *job) tiles(ctx context.Context, a area, sink picture.Sink) error {
	parts := j.divide(a)
	next := j.request(parts[0], savepage.FormatPNG)
	var first color.NRGBA
	j.blank = true
	for i := range parts {
		tile, err := j.received(ctx, next)
		if err != nil {
			return err
		}
		if i+1 < len(parts) {
			next = j.request(parts[i+1], savepage.FormatPNG)
		}
		began := time.Now()
		if j.blank {
			var colour color.NRGBA
			if colour, j.blank, err = picture.Blank(tile); err != nil {
				return fmt.Errorf("look at a tile: %w", err)
			}
			if i == 0 {
				first = colour
			}
			j.blank = j.blank && colour == first
		}
		if err := sink.Add(tile); err != nil {
			return fmt.Errorf("join tile %d of %d: %w", i+1, len(parts), err)
		}
		j.phases.Encode += time.Since(began).Milliseconds()
	}
	capture.Report(ctx, capture.PhaseEncode)
	began := time.Now()
	if err := sink.Close(); err != nil {
		return fmt.Errorf("join tiles: %w", err)
	}
	err := j.collect(ctx)
	j.phases.Encode += time.Since(began).Milliseconds()
	return err
}

// collect takes what the tiles were joined to.
func (j *job) collect(ctx context.Context) error {
	if j.o.Format == savepage.FormatWebP {
		png, err := j.out.all()
		if err == nil {
			png, err = j.encode(ctx, png)
		}
		if err != nil {
			return err
		}
		return j.keep(png)
	}
	start, err := j.out.start()
	if err == nil {
		err = j.keep(start)
	}
	if err != nil {
		return err
	}
	if j.large, err = j.out.take(); j.large != nil {
		j.bytes = nil
	}
	return err
}

// encode has the browser make a webp of a png, beside the page.
func (j *job) encode(ctx context.Context, png []byte) ([]byte, error) {
	j.awaiting = "the browser to encode the picture"
	var data []byte
	if err := j.ask(ctx, j.drawing(), &data, "encode", png, float64(j.o.Quality)/100); err != nil {
		return nil, err
	}
	return data, nil
}

// divide cuts an area into tiles that end between two rows of the picture.
func (j *job) divide(a area) []area {
	if a.viewport || devicePixels(a.width, j.o.Scale)*devicePixels(a.height, j.o.Scale) <= onePiece {
		return []area{a}
	}
	rows := min(tileRows, max(16, tilePixels/devicePixels(a.width, j.o.Scale)))
	step := wholeRows(int(float64(rows)/j.o.Scale), j.o.Scale)
	var parts []area
	for y := 0; y < a.height; y += step {
		parts = append(parts, area{x: a.x, y: a.y + y, width: a.width, height: min(step, a.height-y)})
	}
	return parts
}

// wholeRows is the largest height up to most whose rows are whole in the picture, or most if there is none.
func wholeRows(most int, scale float64) int {
	for css := most; css > most/2; css-- {
		rows := float64(css) * scale
		if math.Abs(rows-math.Round(rows)) < 1e-6 {
			return css
		}
	}
	return most
}

// shot is a picture that was asked for.
type shot struct {
	params  cdpage.CaptureScreenshotParams
	pending *cdp.Pending
}

// request asks for a picture of an area. The clip's own scale stays 1: with another one parts were missing from 7 of 160
// pictures on a busy machine, without an error.
func (j *job) request(a area, f savepage.Format) shot {
	yes, quality := true, int64(j.o.Quality)
	s := shot{params: cdpage.CaptureScreenshotParams{Format: cdpage.CaptureScreenshotFormat(f)}}
	if f == savepage.FormatPNG {
		s.params.OptimizeForSpeed = &yes
	} else {
		s.params.Quality = &quality
	}
	if !a.viewport {
		s.params.CaptureBeyondViewport = &yes
		s.params.Clip = &cdpage.Viewport{X: float64(a.x), Y: float64(a.y), Width: float64(a.width), Height: float64(a.height), Scale: 1}
	}
	s.pending = j.s.Send(cdpage.CommandCaptureScreenshot, s.params)
	return s
}

// received waits for a picture. The browser refuses one while the page goes to another document: then it is asked for
// once more.
func (j *job) received(ctx context.Context, s shot) ([]byte, error) {
	var res cdpage.CaptureScreenshotResult
	err := j.wait(ctx, s.pending, j.drawing(), &res)
	if errors.Is(err, errMoved) {
		if err := j.load(ctx); err != nil {
			return nil, err
		}
		err = j.wait(ctx, j.s.Send(cdpage.CommandCaptureScreenshot, s.params), j.drawing(), &res)
	}
	if err != nil {
		return nil, fmt.Errorf("take the picture: %w", err)
	}
	return res.Data, nil
}

// drawing is how long the largest picture that is drawn at once may take: 43 ms for each million pixels were measured.
func (j *job) drawing() time.Duration {
	if j.hasty {
		return hastyDrawing
	}
	return min(j.scaled(5*time.Second), milliseconds(j.o.Timeout)/4)
}
