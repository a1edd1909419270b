// Package still brings to rest what moves on a page: animations, videos, carets. It draws nothing and waits for no network.
package still

import (
	"context"
	_ "embed" // for the script
	"encoding/json"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/chromedp/cdproto/animation"
	cdproto "github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/runtime"

	"github.com/savepage/savepage/internal/cdp"
	"github.com/savepage/savepage/internal/page/session"
)

//go:embed freeze.js
var freezeScript string

const (
	freezeTime   = 5 * time.Second // for what is asked of a page at once: finishing, a video's first picture
	maxTold      = 50              // animated elements whose shadow tree is looked for
	freezeRounds = 3               // for a page that goes on when an animation has ended
)

// Page is asked by scripts beside its own.
type Page interface {
	// Ask calls a function of a script; the text of the script stands before its name.
	Ask(ctx context.Context, slack time.Duration, into any, function string, args ...any) error
	// Current is the world of the scripts in the current document.
	Current(ctx context.Context) (runtime.ExecutionContextID, error)
	// InFrames runs an expression in every frame but the main one.
	InFrames(ctx context.Context, expression string, targets []*session.Target) []json.RawMessage
}

// Notes keeps what is waited for, and why a picture is partial.
type Notes interface {
	Await(what string)
	Partial(format string, args ...any)
}

// Config is the page, and the parts of the render that this one needs.
type Config struct {
	To       session.Sender
	Events   *session.Router
	Page     Page
	Notes    Notes
	Children func() []*session.Target    // that belong to the page
	Again    func(context.Context) error // waits for what the page does when its animations have ended
	Redraw   func(context.Context) error // has the browser draw the page
}

// Still freezes one page. Its methods are for the goroutine of the render.
type Still struct {
	Config

	enabled *cdp.Pending // Animation.enable, sent ahead; nil: it was not

	mu       sync.Mutex
	animated map[cdproto.BackendNodeID]bool // elements that the browser has named
}

// New returns a Still that has done nothing yet.
func New(c Config) *Still {
	s := &Still{Config: c, animated: map[cdproto.BackendNodeID]bool{}}
	c.Events.On(session.Main, "Animation.animationStarted", s.animationStarted)
	return s
}

// animationStarted notes an element that is animated.
func (s *Still) animationStarted(_ *session.Target, params json.RawMessage) {
	var e struct {
		Animation struct {
			Source struct {
				Node cdproto.BackendNodeID `json:"backendNodeId"`
			} `json:"source"`
		} `json:"animation"`
	}
	if !session.Read(params, &e) || e.Animation.Source.Node == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.animated) < 10*maxTold {
		s.animated[e.Animation.Source.Node] = true
	}
}

func (s *Still) takeAnimated() []cdproto.BackendNodeID {
	s.mu.Lock()
	defer s.mu.Unlock()
	nodes := slices.Collect(maps.Keys(s.animated))
	clear(s.animated)
	return nodes
}

// Virtual sends an event of the given name to the page's documents: those in frames of the same origin too.
func (s *Still) Virtual(ctx context.Context, event string) error {
	return s.Page.Ask(ctx, 0, nil, freezeScript+"savepageStill.virtual", event)
}

// Move moves the page's animations on by milliseconds and waits for a frame.
func (s *Still) Move(ctx context.Context, ms float64) error {
	return s.Page.Ask(ctx, 0, nil, freezeScript+"savepageStill.move", ms)
}

// Enable has the browser name what is animated. It is sent before the page is frozen, or ahead of that.
func (s *Still) Enable() *cdp.Pending {
	if s.enabled == nil {
		s.enabled = s.To.Send(animation.CommandEnable, nil)
	}
	return s.enabled
}

// Question is what Freeze asks of a page on which nothing moves.
func Question() session.Question {
	return session.Question{Script: freezeScript, Function: "savepageStill.freeze", Ahead: "savepageStill.idle()", Nothing: `{"unasked":true}`}
}

// Freeze brings to rest what moves on the page, in all its frames: what has an end is at its end, what has none stands at
// a moment that is the same for every picture.
func (s *Still) Freeze(ctx context.Context) error {
	for range freezeRounds {
		s.Notes.Await("animations to end")
		var is stillness
		hidden := s.Enable()
		s.enabled = nil
		if err := s.Page.Ask(ctx, freezeTime, &is, freezeScript+"savepageStill.freeze"); err != nil {
			return err
		}
		if err := s.freezeRest(ctx, is); err != nil {
			return err
		}
		told, err := s.tell(ctx, hidden, is.Unasked)
		switch {
		case err != nil:
			return err
		case is.Moved:
			if err := s.Again(ctx); err != nil {
				return err
			}
		case !told:
			return nil
		}
	}
	return nil
}

// End ends what the page has begun because it is seen as a whole, and has an end.
func (s *Still) End(ctx context.Context) error {
	return s.Page.Ask(ctx, freezeTime, nil, freezeScript+"savepageStill.end")
}

// Hold has an event of the given name stop what the page would begin by itself, and ends what it has begun since it was
// frozen: what belongs together is at the same moment.
func (s *Still) Hold(ctx context.Context, event string) error {
	return s.Page.Ask(ctx, freezeTime, nil, freezeScript+"savepageStill.stop", event)
}

// Deafen has an event of the given name keep from the page that its window has a new size.
func (s *Still) Deafen(ctx context.Context, event string) error {
	return s.Page.Ask(ctx, 0, nil, "(name => { dispatchEvent(new Event(name)); })", event)
}

// stillness is what the script says when the page's own document is at rest.
type stillness struct {
	Moved  bool `json:"moved"`  // the page has gone on when animations ended
	Frames int  `json:"frames"` // in the document
	Videos int  `json:"videos"` // in the document
	Late   bool `json:"late"`   // a video has no picture yet

	Unasked bool `json:"unasked"` // the page was not asked: nothing on it can move, but in trees that it does not show
}

// freezeRest does the rest, outside of the page's own document.
func (s *Still) freezeRest(ctx context.Context, is stillness) error {
	if is.Late {
		s.Notes.Partial("a video did not show its first picture")
	}
	if is.Frames > 0 {
		s.freezeFrames(ctx)
	}
	if is.Videos == 0 {
		return nil
	}
	// A video's picture that has come is drawn in the shot after the next one.
	return s.Redraw(ctx)
}

// tell tells the script in the page of closed shadow trees in which something moves, and reports whether there are any:
// the browser names every animation, wherever it is. unasked says that the page does not have the script yet.
func (s *Still) tell(ctx context.Context, enabled *cdp.Pending, unasked bool) (bool, error) {
	if err := enabled.Wait(ctx, nil); err != nil {
		return false, err
	}
	nodes := s.takeAnimated()
	if len(nodes) == 0 {
		return false, nil
	}
	if unasked {
		if err := s.Page.Ask(ctx, 0, nil, freezeScript+"savepageStill.idle"); err != nil {
			return false, err
		}
	}
	world, err := s.Page.Current(ctx)
	if err != nil {
		return false, nil //nolint:nilerr // the document has gone, and its animations with it
	}
	var found []*cdp.Pending
	for _, node := range nodes[:min(len(nodes), maxTold)] {
		found = append(found, s.To.Send(dom.CommandResolveNode, dom.ResolveNodeParams{BackendNodeID: node, ExecutionContextID: world}))
	}
	var asked []*cdp.Pending
	for _, p := range found {
		var res dom.ResolveNodeResult
		if p.Wait(ctx, &res) != nil || res.Object == nil {
			continue // gone, or in another frame
		}
		yes := true
		asked = append(asked, s.To.Send(runtime.CommandCallFunctionOn, runtime.CallFunctionOnParams{
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

// freezeFrames does the same in the frames of the page. One that does not answer is left as it is.
func (s *Still) freezeFrames(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, freezeTime)
	defer cancel()
	s.Page.InFrames(ctx, freezeScript+"savepageStill.freeze()", s.Children())
}
