package whole

import (
	"context"
	_ "embed" // for the script
	"time"

	"github.com/savepage/savepage"
)

//go:embed backdrop.js
var backdropScript string

// Backdrop is how far down what stands still behind or over the page reaches in its picture.
func (p *Page) Backdrop() savepage.Backdrop { return p.backdrop }

// Extend has what fills the window, and stands still while the page scrolls, reach down to a height of the page.
func (p *Page) Extend(ctx context.Context, is Extent, height int) error {
	if height <= p.Height || !is.Still && p.followed == 0 {
		return nil
	}
	return p.Page.Ask(ctx, time.Second, &p.backdrop, backdropScript+"savepageBackdrop.extend", height)
}
