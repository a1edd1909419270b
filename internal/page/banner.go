package page

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	cdpage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/cdp"
	"github.com/savepage/savepage/internal/consent"
)

// How long a page is waited for because of its cookie banner. Most pages are not waited for at all: the search has ended
// before they have settled.
const (
	mostSearch  = 1500 * time.Millisecond // for the first looks at the page, counted from when it has settled
	mostPopup   = time.Second             // for a banner to open, when its tool is there
	mostReject  = 5 * time.Second         // for a rejection that is under way
	mostSeekers = 64                      // documents at once that are searched
)

// consentWorld is the name of the world that autoconsent runs in.
const consentWorld = "savepage-consent"

// banners follows the search for cookie banners in the page and its frames. What is not said otherwise needs the watch's
// lock.
type banners struct {
	w       *watch
	rules   *consent.Rules
	seekers map[inWorld]*seeker // by the world beside the document
	scopes  map[inWorld]scope
	result  savepage.BannerReport
	acted   int // rejections so far

	stop chan struct{}  // closed when the render ends
	work sync.WaitGroup // evaluations in the page's own world
}

// seeker looks for a banner in one document: our own short look at it, and autoconsent when that has found something.
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

// rejectBanners has every document looked at for cookie banners.
func (j *job) rejectBanners() error {
	if !j.o.BlockCookieBanners {
		return nil
	}
	rules, err := j.consentRules()
	if err != nil {
		return fmt.Errorf("reject cookie banners: %w", err)
	}
	b := &banners{w: j.w, rules: rules, seekers: map[inWorld]*seeker{}, scopes: map[inWorld]scope{}, stop: make(chan struct{})}
	b.result.Outcome = savepage.BannerNone
	j.w.mu.Lock()
	defer j.w.mu.Unlock()
	o := &j.w.asks.outfit
	o.bind(consentWorld, consent.Binding, b.said)
	o.beside(besideWorld, rules.Look(), consent.LookBinding, b.seen)
	o.on("Runtime.executionContextCreated", b.created)
	o.on("Runtime.executionContextDestroyed", b.destroyed)
	o.on("Runtime.executionContextsCleared", b.cleared)
	j.banners = b
	return nil
}

// seen hears of a new document, and that one is suspect.
func (b *banners) seen(at inWorld, payload string) {
	m, err := consent.Read(payload)
	if err != nil {
		return
	}
	switch m.Type {
	case consent.Document:
		if len(b.seekers) >= mostSeekers {
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

// send sends for autoconsent. It comes as soon as there is a world for it: see created.
func (b *banners) send(at inWorld) {
	k := b.seekers[at]
	if k == nil || k.suspect {
		return
	}
	k.suspect, k.since = true, time.Now()
	at.s.Send(cdpage.CommandCreateIsolatedWorld, map[string]any{"frameId": b.scopes[at].frame, "worldName": consentWorld})
}

// said hears autoconsent.
func (b *banners) said(at inWorld, payload string) {
	m, err := consent.Read(payload)
	k := b.seekerOf(at)
	if err != nil || k == nil {
		return
	}
	switch m.Type {
	case consent.Init:
		at.run(b.rules.Begin(m.URL, m.Main))
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

// seekerOf is that of the document that a world belongs to; nil when there is none.
func (b *banners) seekerOf(at inWorld) *seeker {
	beside, _ := b.sibling(at, func(is scope) bool { return is.name == besideWorld })
	return b.seekers[beside]
}

// sibling is another world of the same document.
func (b *banners) sibling(at inWorld, wanted func(scope) bool) (inWorld, bool) {
	frame := b.scopes[at].frame
	for other, is := range b.scopes {
		if other.s == at.s && is.frame == frame && wanted(is) {
			return other, true
		}
	}
	return inWorld{}, false
}

// done notes a banner that was dealt with. The first rejection is what the report tells.
func (b *banners) done(tool string, hidden bool) {
	b.acted++
	if b.result.Outcome == savepage.BannerRejected {
		return
	}
	b.result = savepage.BannerReport{Outcome: savepage.BannerRejected, Tool: tool}
	if strings.HasPrefix(tool, "HEURISTIC") {
		b.result.Tool = "" // the site's own
	}
	if hidden {
		b.result.Outcome = savepage.BannerHidden
	}
}

// evaluate runs a rule's expression in the page's own world and tells autoconsent whether it holds.
func (b *banners) evaluate(at inWorld, m consent.Message) {
	own, known := b.sibling(at, func(is scope) bool { return is.own })
	if !known {
		at.run(consent.Answer(m.ID, false))
		return
	}
	p := own.run(m.Code)
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
		at.run(consent.Answer(m.ID, holds))
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

func (b *banners) created(s *cdp.Session, params json.RawMessage) {
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
	if !read(params, &e) || len(b.scopes) >= maxTracked {
		return
	}
	at := inWorld{s, e.Context.ID}
	b.scopes[at] = scope{e.Context.Aux.Frame, e.Context.Aux.Own, e.Context.Name}
	if e.Context.Name == consentWorld {
		at.run(consent.Script())
	}
}

func (b *banners) destroyed(s *cdp.Session, params json.RawMessage) {
	var e struct {
		ID runtime.ExecutionContextID `json:"executionContextId"`
	}
	if read(params, &e) {
		b.forget(inWorld{s, e.ID})
	}
}

func (b *banners) cleared(s *cdp.Session, _ json.RawMessage) {
	for at := range b.scopes {
		if at.s == s {
			b.forget(at)
		}
	}
}

// forget drops a document that is gone. A frame that went away while a rejection in it was under way, with something
// clicked, was taken away by it.
func (b *banners) forget(at inWorld) {
	if k := b.seekerOf(at); k != nil && k.now.Lifecycle == "runningOptOut" && k.now.Clicks > 0 {
		b.done(k.tool, false)
		k.now = consent.Message{}
	}
	delete(b.seekers, at)
	delete(b.scopes, at)
}

// left is how long the search is still waited for, from what each document says of it.
func (b *banners) left(from time.Time) time.Duration {
	left := time.Duration(0)
	for at, k := range b.seekers {
		select {
		case <-at.s.Done():
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
		return mostSearch - time.Since(from)
	case "cmpDetected":
		return mostPopup - time.Since(k.since)
	case "openPopupDetected", "runningOptOut":
		return mostReject - time.Since(k.since)
	case "nothingDetected", "optOutSucceeded", "optOutFailed", "done":
		return 0
	default: // autoconsent is not there yet, or the document
		return mostSearch - time.Since(from)
	}
}

// end waits for what runs on behalf of autoconsent.
func (b *banners) end() {
	close(b.stop)
	b.work.Wait()
}
