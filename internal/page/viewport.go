package page

import (
	"context"

	"github.com/chromedp/cdproto/emulation"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/page/session"
)

// stretchedScale is how small a window is drawn that no picture is taken of.
const stretchedScale = 0.1

// viewport is the window in which the page is shown. Its width never changes, nor what the page is told of its scale.
type viewport struct {
	o    savepage.Options
	sent *session.Batch
}

func newViewport(o savepage.Options, to session.Sender) *viewport {
	return &viewport{o: o, sent: session.NewBatch(to)}
}

// set sends the height of the window. The answer comes with the next frame; resize and stretch look at it.
func (v *viewport) set(height int) { v.send(height, 1) }

// send sends the height of the window, and how large it is drawn, which the page does not notice.
func (v *viewport) send(height int, drawn float64) {
	params := emulation.SetDeviceMetricsOverrideParams{Width: int64(v.o.Width), Height: int64(height), DeviceScaleFactor: v.o.Scale}
	if d, known := savepage.FindDevice(v.o.Device); known {
		showOn(d, &params)
	} else {
		showOnDesktop(v.o, &params)
	}
	if drawn != 1 {
		params.Scale = drawn
	}
	v.sent.Send(emulation.CommandSetDeviceMetricsOverride, params)
}

// resize sets the height of the window, and returns when the page has it.
func (v *viewport) resize(ctx context.Context, height int) error {
	v.send(height, 1)
	return v.sent.Wait(ctx)
}

// stretch sets the height of a window in which the page loads what it shows there. As no picture is taken of it, a tall one is
// drawn small: 40,000 rows would be 230 MB of pixels that are drawn again for the picture.
func (v *viewport) stretch(ctx context.Context, height int) error {
	drawn := 1.0
	if height >= 2*v.o.Height {
		drawn = stretchedScale
	}
	v.send(height, drawn)
	return v.sent.Wait(ctx)
}
