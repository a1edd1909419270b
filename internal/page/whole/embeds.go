package whole

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/savepage/savepage/internal/page/layout"
)

// embed is a frame of another origin below the first window.
type embed struct {
	Index int `json:"index"` // by which whole.js knows it
	layout.Box
}

// embeds keeps pictures of the frames of other origins that are in the window now, for when they are out of it: the browser
// draws nothing of such a frame then, also not in a picture that reaches further than the window.
func (p *Page) embeds(ctx context.Context) error {
	var list []embed
	if err := p.Page.Ask(ctx, idleFrame, &list, wholeScript+"savepageWhole.embeds", p.Height, maxEmbeds); err != nil {
		return err
	}
	if len(list) > 0 {
		if err := p.framesLoaded(ctx); err != nil {
			return err
		}
	}
	for _, e := range list {
		png, err := p.Draw(ctx, layout.Enclose(e.Box))
		if err != nil {
			return err
		}
		if err := p.Page.Ask(ctx, time.Second, nil, wholeScript+"savepageWhole.cover", e.Index, png); err != nil {
			return err
		}
	}
	return nil
}

// framesDrawn is true in a frame that has loaded, and that has been drawn since or is not drawn.
const framesDrawn = `new Promise(done => {
	const say = () => done(document.readyState === 'complete');
	requestAnimationFrame(() => requestAnimationFrame(say));
	setTimeout(say, 100);
})`

// framesLoaded waits for the frames of other origins, as long as for pictures: what they hold comes later than their document.
func (p *Page) framesLoaded(ctx context.Context) error {
	for last := time.Now().Add(p.Budget.Stall()); ; {
		asking, stop := context.WithTimeout(ctx, idleFrame)
		answers := p.Page.InFrames(asking, framesDrawn, p.Children())
		stop()
		loading := slices.ContainsFunc(answers, func(is json.RawMessage) bool { return string(is) != "true" })
		if !loading && p.Network.Waiting() == 0 || time.Now().After(last) {
			return ctx.Err()
		}
		if err := p.Events.Sleep(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
}
