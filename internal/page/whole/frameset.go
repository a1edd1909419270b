package whole

import (
	"context"
)

// stretches is how often the window of a frameset is made taller: frames that have a part of it grow by that part.
const stretches = 6

// loadFrames makes the window of a frameset so tall that its frames show their documents in whole length, as far as that is
// possible: a frame of a fixed height and one of another origin stay as they are.
func (p *Page) loadFrames(ctx context.Context, is Extent) (Extent, error) {
	var now struct {
		Height int `json:"height"`
		Hidden int `json:"hidden"`
	}
	for was := 0; ; was = now.Hidden {
		if err := p.Page.Ask(ctx, idleFrame, &now, wholeScript+"savepageWhole.framed"); err != nil {
			return is, err
		}
		is.Height = now.Height
		if now.Hidden <= 1 || now.Height >= p.MaxHeight || p.stretched >= stretches || was == now.Hidden {
			p.cut = p.cut || now.Hidden > 1
			return is, nil
		}
		p.stretched++
		part := 1
		if was > now.Hidden { // a frame that has only a part of the window needs more
			part = max(1, min(8, was/(was-now.Hidden)))
		}
		if err := p.Check(is.Width, min(p.MaxHeight, now.Height+now.Hidden*part)); err != nil {
			return is, err
		}
		if err := p.Resize(ctx, min(p.MaxHeight, now.Height+now.Hidden*part)); err != nil {
			return is, err
		}
		p.Network.ResetQuiet()
		if err := p.Rest.Quiet(ctx); err != nil {
			return is, err
		}
	}
}
