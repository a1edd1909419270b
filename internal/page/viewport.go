package page

import (
	"context"

	"github.com/chromedp/cdproto/emulation"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/page/session"
)

// viewport is the window in which the page is shown. Its width and scale never change.
type viewport struct {
	o    savepage.Options
	sent *session.Batch
}

func newViewport(o savepage.Options, to session.Sender) *viewport {
	return &viewport{o: o, sent: session.NewBatch(to)}
}

// set sends the height of the window. The answer comes with the next frame; Resize and wait look at it.
func (v *viewport) set(height int) {
	params := emulation.SetDeviceMetricsOverrideParams{Width: int64(v.o.Width), Height: int64(height), DeviceScaleFactor: v.o.Scale}
	if d, known := savepage.FindDevice(v.o.Device); known {
		showOn(d, &params)
	} else {
		showOnDesktop(v.o, &params)
	}
	v.sent.Send(emulation.CommandSetDeviceMetricsOverride, params)
}

// resize sets the height of the window, and returns when the page has it.
func (v *viewport) resize(ctx context.Context, height int) error {
	v.set(height)
	return v.sent.Wait(ctx)
}
