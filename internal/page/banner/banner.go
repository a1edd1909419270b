// Package banner rejects cookie banners: it has every document of a page looked at, sends for autoconsent where one is
// suspect, waits for the rejection, and hides the banners that are left. It accepts nothing. The rules and the scripts are
// those of internal/consent.
package banner

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"time"

	cdpage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/cdp"
	"github.com/savepage/savepage/internal/consent"
	"github.com/savepage/savepage/internal/page/session"
	"github.com/savepage/savepage/internal/page/targets"
)

// How long a page is waited for because of its cookie banner. Most pages are not waited for at all: the search has ended
// before they have settled.
const (
	maxSearch  = 1500 * time.Millisecond // for the first looks at the page, counted from when it has settled
	maxPopup   = time.Second             // for a banner to open, when its tool is there
	maxReject  = 5 * time.Second         // for a rejection that is under way
	maxSeekers = 64                      // documents at once that are searched
)

// consentWorld is the name of the world that autoconsent runs in.
const consentWorld = "savepage-consent"

// Page waits for an answer that a script of the page may hold up.
type Page interface {
	Wait(ctx context.Context, sent *cdp.Pending, slack time.Duration, into any) error
}

// Setup has scripts run beside every document, where the binding is a function that calls report.
type Setup interface {
	Beside(world, source, binding string, report targets.Report)
	Bind(world, binding string, report targets.Report)
}

// Navigation says where the page is.
type Navigation interface {
	Commits() int // documents that the main frame has had
}

// Notes keeps what is waited for.
type Notes interface {
	Await(what string)
}

// Config is the page, and the parts of the render that this one needs.
type Config struct {
	World      string // of the scripts beside the page's
	Events     *session.Router
	Page       Page
	Setup      Setup
	Navigation Navigation
	Notes      Notes
	Ready      func(context.Context) error // waits until the page is ready
}

// Banners follows the search for cookie banners in a page and its frames.
type Banners struct {
	Config
	rules *consent.Rules

	mu      sync.Mutex
	seekers map[targets.World]*seeker // by the world beside the document
	scopes  map[targets.World]scope
	result  savepage.BannerReport
	acted   int  // rejections so far
	gone    bool // the page was cleared
	late    bool // a document has become suspect since

	stop chan struct{}  // closed when the render ends
	work sync.WaitGroup // evaluations in the page's own world
}

// New has every document looked at for cookie banners. Close must be called.
func New(c Config, rules *consent.Rules) *Banners {
	b := &Banners{
		Config: c, rules: rules, seekers: map[targets.World]*seeker{}, scopes: map[targets.World]scope{}, stop: make(chan struct{}),
	}
	b.result.Outcome = savepage.BannerNone
	c.Setup.Bind(consentWorld, consent.Binding, b.said)
	c.Setup.Beside(c.World, rules.Look(), consent.LookBinding, b.seen)
	c.Events.On(session.Every, "Runtime.executionContextCreated", b.created)
	c.Events.On(session.Every, "Runtime.executionContextDestroyed", b.destroyed)
	c.Events.On(session.Every, "Runtime.executionContextsCleared", b.cleared)
	return b
}

// Result is what became of the page's banners so far; nil when b is.
func (b *Banners) Result() *savepage.BannerReport {
	if b == nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return new(b.result)
}

// seeker looks for a banner in one document: a short look at it, and autoconsent when that has found something.
type seeker struct {
	main    bool
	suspect bool            // autoconsent was sent for
	now     consent.Message // the last of the kind State
	since   time.Time       // of its lifecycle
	tool    string          // whose banner is open
}

// scope is what an execution context is.
type scope struct {
	frame string
	own   bool   // the page's own world
	name  string // of another one
}

// seen notes a new document, and that one is suspect.
func (b *Banners) seen(at targets.World, payload string) {
	m, err := consent.Read(payload)
	if err != nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	switch m.Type {
	case consent.Document:
		if len(b.seekers) >= maxSeekers {
			return
		}
		b.seekers[at] = &seeker{main: m.Main}
		if b.rules.Meant(m.URL, m.Main) {
			b.send(at)
		}
	case consent.Suspect:
		b.send(at)
	}
}

// send sends for autoconsent. The lock is held. It comes as soon as there is a world for it: see created.
func (b *Banners) send(at targets.World) {
	k := b.seekers[at]
	if k == nil || k.suspect {
		return
	}
	k.suspect, k.since = true, time.Now()
	b.late = b.gone
	at.Send(cdpage.CommandCreateIsolatedWorld, map[string]any{"frameId": b.scopes[at].frame, "worldName": consentWorld})
}

// said handles a message of autoconsent.
func (b *Banners) said(at targets.World, payload string) {
	m, err := consent.Read(payload)
	if err != nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	k := b.seekerOf(at)
	if k == nil {
		return
	}
	switch m.Type {
	case consent.Init:
		at.Run(b.rules.Begin(m.URL, m.Main))
	case consent.Eval:
		b.evaluate(at, m)
	case consent.State:
		if m.Lifecycle != k.now.Lifecycle {
			k.since = time.Now()
		}
		k.now = m
	case consent.Found:
		k.tool = m.Tool
	case consent.Done:
		b.done(m.Tool, m.Cosmetic)
	}
}

// seekerOf is that of the document that a world belongs to; nil when there is none. The lock
// is held.
func (b *Banners) seekerOf(at targets.World) *seeker {
	beside, _ := b.sibling(at, func(is scope) bool { return is.name == b.World })
	return b.seekers[beside]
}

// sibling is another world of the same document. The lock is held.
func (b *Banners) sibling(at targets.World, wanted func(scope) bool) (targets.World, bool) {
	frame := b.scopes[at].frame
	for other, is := range b.scopes {
		if other.Target == at.Target && is.frame == frame && wanted(is) {
			return other, true
		}
	}
	return targets.World{}, false
}

// done notes a banner that was dealt with. The first rejection is what the report tells. The lock is held.
func (b *Banners) done(tool string, hidden bool) {
	b.acted++
	if b.result.Outcome == savepage.BannerRejected {
		return
	}
	b.result = savepage.BannerReport{Outcome: savepage.BannerRejected, Tool: b.rules.Tool(tool)}
	if strings.HasPrefix(tool, "HEURISTIC") {
		b.result.Tool = "" // the site's own
	}
	if hidden {
		b.result.Outcome = savepage.BannerHidden
	}
}

// evaluate runs a rule's expression in the page's own world and tells autoconsent whether it holds.
func (b *Banners) evaluate(at targets.World, m consent.Message) {
	own, known := b.sibling(at, func(is scope) bool { return is.own })
	if !known {
		at.Run(consent.Answer(m.ID, false))
		return
	}
	p := own.Run(m.Code)
	b.work.Go(func() {
		select {
		case <-p.Done():
		case <-b.stop:
			return
		}
		var res struct {
			Result struct {
				Value any `json:"value"`
			} `json:"result"`
		}
		holds := false
		if p.Wait(context.Background(), &res) == nil {
			holds = truthy(res.Result.Value)
		}
		at.Run(consent.Answer(m.ID, holds))
	})
}

// truthy is what JavaScript takes for true, of a value of JSON.
func truthy(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case bool:
		return v
	case float64:
		return v != 0
	case string:
		return v != ""
	default:
		return true
	}
}

func (b *Banners) created(from *session.Target, params json.RawMessage) {
	var e struct {
		Context struct {
			ID   runtime.ExecutionContextID `json:"id"`
			Name string                     `json:"name"`
			Aux  struct {
				Frame string `json:"frameId"`
				Own   bool   `json:"isDefault"`
			} `json:"auxData"`
		} `json:"context"`
	}
	if !session.Read(params, &e) {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.scopes) >= session.MaxTracked {
		return
	}
	at := targets.World{Target: from, ID: e.Context.ID}
	b.scopes[at] = scope{e.Context.Aux.Frame, e.Context.Aux.Own, e.Context.Name}
	if e.Context.Name == consentWorld {
		at.Run(consent.Script())
	}
}

func (b *Banners) destroyed(from *session.Target, params json.RawMessage) {
	var e struct {
		ID runtime.ExecutionContextID `json:"executionContextId"`
	}
	if session.Read(params, &e) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.forget(targets.World{Target: from, ID: e.ID})
	}
}

func (b *Banners) cleared(from *session.Target, _ json.RawMessage) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for at := range b.scopes {
		if at.Target == from {
			b.forget(at)
		}
	}
}

// forget drops a document that is gone. A frame that went away while a rejection in it was under way, with something
// clicked, was taken away by it.
func (b *Banners) forget(at targets.World) {
	if k := b.seekerOf(at); k != nil && k.now.Lifecycle == "runningOptOut" && k.now.Clicks > 0 {
		b.done(k.tool, false)
		k.now = consent.Message{}
	}
	delete(b.seekers, at)
	delete(b.scopes, at)
}

// left is how long the search is still waited for, from what each document says of it.
func (b *Banners) left(from time.Time) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	left := time.Duration(0)
	for at, k := range b.seekers {
		select {
		case <-at.Done():
			b.forget(at)
			continue
		default:
		}
		left = max(left, k.left(from))
	}
	return left
}

func (k *seeker) left(from time.Time) time.Duration {
	if !k.suspect {
		return 0
	}
	switch k.now.Lifecycle {
	case "started":
		if k.now.Resting {
			return 0
		}
		return maxSearch - time.Since(from)
	case "cmpDetected":
		return maxPopup - time.Since(k.since)
	case "openPopupDetected", "runningOptOut":
		return maxReject - time.Since(k.since)
	case "nothingDetected", "optOutSucceeded", "optOutFailed", "done":
		return 0
	default: // autoconsent is not there yet, or the document
		return maxSearch - time.Since(from)
	}
}

// Close waits for the evaluations that run for autoconsent. b may be nil.
func (b *Banners) Close() {
	if b == nil {
		return
	}
	close(b.stop)
	b.work.Wait()
}
