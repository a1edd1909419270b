package pdf

import (
	"cmp"
	"context"
	_ "embed" // for the script
	"errors"
	"math"

	"github.com/chromedp/cdproto/emulation"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/page/session"
)

//go:embed long.js
var longScript string

const (
	// perPixel is a CSS pixel in points.
	perPixel = 0.75
	// tries is how often one long page is printed: a print may be a little taller than what the window shows.
	tries = 3
	// taller is how much longer the paper is at the next try.
	taller = 1.05
)

// printLong prints everything on one page, as tall as the content is in a window as wide as the paper without its margins.
// Where the page cannot be asked for its height, and beyond savepage.MaxPaper, there are more pages.
func (p *Printer) printLong(ctx context.Context) (made Document, err error) {
	scale, margins := cmp.Or(p.Options.PDFScale, 1), p.Options.Margins()
	pixels, err := p.contentHeight(ctx)
	if errors.Is(err, session.ErrDisabled) {
		return p.print(ctx)
	}
	if err != nil {
		return made, err
	}
	height := (float64(pixels)+1)*perPixel*scale + margins.Top + margins.Bottom
	for range tries {
		p.height = min(max(height, margins.Top+margins.Bottom+perPixel), savepage.MaxPaper)
		if made.Large != nil {
			_ = made.Large.Close()
		}
		if made, err = p.print(ctx); err != nil || made.Pages == 1 || p.height == savepage.MaxPaper {
			break
		}
		height *= taller
	}
	return made, err
}

// contentHeight is the height of the page in CSS pixels when the window is as wide as the paper. What is as tall as the window
// keeps the height that it has in a window of the usual height: on long paper it would be as long as the paper.
func (p *Printer) contentHeight(ctx context.Context) (int, error) {
	o := p.Options
	width, _ := o.PaperSize()
	margins := o.Margins()
	across := (width - margins.Left - margins.Right) / perPixel / cmp.Or(o.PDFScale, 1)
	size := emulation.SetDeviceMetricsOverrideParams{
		Width: int64(math.Round(across)), Height: int64(o.Height), DeviceScaleFactor: o.Scale,
	}
	p.Notes.Await("the height of the page")
	for _, step := range []struct {
		height   int
		function string
	}{{o.Height, "savepageLong.note"}, {2 * o.Height, "savepageLong.pin"}} {
		size.Height = int64(step.height)
		sent := p.To.Send(emulation.CommandSetDeviceMetricsOverride, size)
		p.Page.Await(ctx, sent, p.Budget.Drawing())
		if err := session.Answered(ctx, sent, nil); err != nil {
			return 0, err
		}
		if err := p.Page.Ask(ctx, p.Budget.Drawing(), nil, longScript+step.function); err != nil {
			return 0, err
		}
	}
	var height int
	err := p.Page.Ask(ctx, p.Budget.Drawing(), &height, longScript+"savepageLong.height")
	return height, err
}
