package page

import (
	"context"
	_ "embed" // for the script
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/chromedp/cdproto/animation"
	cdproto "github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/runtime"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/cdp"
)

//go:embed freeze.js
var freezeScript string

const (
	freezeTime   = 5 * time.Second // for what is asked of a page at once: finishing, a video's first picture
	mostTold     = 50              // animated elements whose shadow tree is looked for
	freezeRounds = 3               // for a page that goes on when an animation has ended
)

// rest freezes the page when the options say so. A page that is shown as it is when its time is over, and does not answer,
// is shown as it moves.
func (j *job) rest(ctx context.Context) error {
	switch {
	case j.o.Animations == savepage.AnimationsAllow:
		return nil
	case j.hasty:
		asking, stop := j.briefly(ctx)
		defer stop()
		_ = j.freeze(asking)
		return ctx.Err()
	default:
		_, err := j.inTime(ctx, j.freeze)
		return err
	}
}

// freeze brings to rest what moves on the page, in all its frames: what has an end is at its end, what has none stands at
// a moment that is the same for every picture.
func (j *job) freeze(ctx context.Context) error {
	for range freezeRounds {
		j.awaiting = "animations to end"
		var is stillness
		hidden := j.s.Send(animation.CommandEnable, nil)
		if err := j.call(ctx, freezeTime, &is, freezeScript+"savepageStill.freeze", nil); err != nil {
			return err
		}
		if err := j.freezeRest(ctx, is); err != nil {
			return err
		}
		told, err := j.tell(ctx, hidden)
		switch {
		case err != nil:
			return err
		case is.Moved:
			if err := j.again(ctx); err != nil {
				return err
			}
		case !told:
			return nil
		}
	}
	return nil
}

// conceal notes what the page hides before it is seen as a whole.
func (j *job) conceal(ctx context.Context) error {
	if j.o.Animations == savepage.AnimationsAllow {
		return nil
	}
	return j.call(ctx, time.Second, nil, freezeScript+"savepageStill.conceal", nil)
}

// reveal notes what the page has shown since, because it was seen: it is shown also where the page hides it again.
func (j *job) reveal(ctx context.Context) error {
	if j.o.Animations == savepage.AnimationsAllow {
		return nil
	}
	return j.call(ctx, freezeTime, nil, freezeScript+"savepageStill.reveal", nil)
}

// stillness is what the script says when the page's own document is at rest.
type stillness struct {
	Moved  bool `json:"moved"`  // the page has gone on when animations ended
	Frames int  `json:"frames"` // in the document
	Videos int  `json:"videos"` // in the document
	Late   bool `json:"late"`   // a video has no picture yet
}

// freezeRest does what is left to do outside of the page's own document.
func (j *job) freezeRest(ctx context.Context, is stillness) error {
	if is.Late {
		j.partial("a video did not show its first picture")
	}
	if is.Frames > 0 {
		j.freezeFrames(ctx)
	}
	if is.Videos == 0 {
		return nil
	}
	// A video's picture that has come is drawn in the shot after the next one.
	_, err := j.received(ctx, j.request(area{width: 1, height: 1}, savepage.FormatPNG))
	return err
}

// tell tells the script in the page of closed shadow trees in which something moves, and reports whether there are any:
// the browser names every animation, wherever it is.
func (j *job) tell(ctx context.Context, enabled *cdp.Pending) (bool, error) {
	if err := enabled.Wait(ctx, nil); err != nil {
		return false, err
	}
	j.w.mu.Lock()
	nodes := slices.Collect(maps.Keys(j.w.animated))
	clear(j.w.animated)
	j.w.mu.Unlock()
	if len(nodes) == 0 {
		return false, nil
	}
	world, err := j.world(ctx)
	if err != nil {
		return false, nil //nolint:nilerr // the document has gone, and its animations with it
	}
	var found []*cdp.Pending
	for _, node := range nodes[:min(len(nodes), mostTold)] {
		found = append(found, j.s.Send(dom.CommandResolveNode, dom.ResolveNodeParams{BackendNodeID: node, ExecutionContextID: world}))
	}
	var asked []*cdp.Pending
	for _, p := range found {
		var res dom.ResolveNodeResult
		if p.Wait(ctx, &res) != nil || res.Object == nil {
			continue // gone, or in another frame
		}
		yes := true
		asked = append(asked, j.s.Send(runtime.CommandCallFunctionOn, runtime.CallFunctionOnParams{
			FunctionDeclaration: "function(){return savepageStill.tell(this)}", ObjectID: res.Object.ObjectID, ReturnByValue: &yes, Silent: &yes,
		}))
	}
	told := false
	for _, p := range asked {
		var res struct {
			Result struct {
				Value bool `json:"value"`
			} `json:"result"`
		}
		told = (p.Wait(ctx, &res) == nil && res.Result.Value) || told
	}
	return told, ctx.Err()
}

// animates notes an element that is animated. The lock is held.
func (w *watch) animates(params json.RawMessage) {
	var e struct {
		Animation struct {
			Source struct {
				Node cdproto.BackendNodeID `json:"backendNodeId"`
			} `json:"source"`
		} `json:"animation"`
	}
	if read(params, &e) && e.Animation.Source.Node != 0 && len(w.animated) < 10*mostTold {
		w.animated[e.Animation.Source.Node] = true
	}
}

// again waits for what the page does when its animations have ended.
func (j *job) again(ctx context.Context) error {
	if j.o.WaitUntil == savepage.WaitSettled && !j.hasty {
		return j.settled(ctx)
	}
	return j.look(ctx, 0)
}

// freezeFrames does the same in the frames of the page. One that does not answer is left as it is.
func (j *job) freezeFrames(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, freezeTime)
	defer cancel()
	j.inFrames(ctx, freezeScript+"savepageStill.freeze()")
}
