package page

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/chromedp/cdproto/runtime"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/blocklist"
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
	mostBanners = 2                       // rounds: a page may load itself anew, or show a second banner
)

// consentWorld is the name of the world that autoconsent runs in.
const consentWorld = "savepage-consent"

// banners follows the search for cookie banners in the page and its frames. What is not said otherwise needs the watch's
// lock.
type banners struct {
	w       *watch
	rules   *consent.Rules
	seekers map[inWorld]*seeker
	scopes  map[inWorld]scope
	result  savepage.BannerReport
	acted   int // rejections so far

	stop chan struct{}  // closed when the render ends
	work sync.WaitGroup // evaluations in the page's own world
}

// seeker is autoconsent in one document.
type seeker struct {
	main  bool
	now   consent.Message // the last of the kind State
	since time.Time       // of its lifecycle
	tool  string          // whose banner is open
}

// scope is what an execution context is.
type scope struct {
	frame string
	own   bool // the page's own world
}

// rejectBanners has autoconsent look for cookie banners in every document.
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
	o.beside(consentWorld, consent.Script(), consent.Binding, b.said)
	o.on("Runtime.executionContextCreated", b.created)
	o.on("Runtime.executionContextDestroyed", b.destroyed)
	o.on("Runtime.executionContextsCleared", b.cleared)
	j.banners = b
	return nil
}

func (b *banners) said(at inWorld, payload string) {
	m, err := consent.Read(payload)
	if err != nil {
		return
	}
	if m.Type == consent.Init {
		if len(b.seekers) >= mostSeekers {
			return
		}
		b.seekers[at] = &seeker{main: m.Main, since: time.Now()}
		at.run(b.rules.Begin(m.URL, m.Main))
		return
	}
	k := b.seekers[at]
	if k == nil {
		return
	}
	switch m.Type {
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
	own, known := b.ownWorld(at)
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

func (b *banners) ownWorld(at inWorld) (inWorld, bool) {
	frame := b.scopes[at].frame
	for other, is := range b.scopes {
		if other.s == at.s && is.own && is.frame == frame {
			return other, true
		}
	}
	return inWorld{}, false
}

func (b *banners) created(s *cdp.Session, params json.RawMessage) {
	var e struct {
		Context struct {
			ID  runtime.ExecutionContextID `json:"id"`
			Aux struct {
				Frame string `json:"frameId"`
				Own   bool   `json:"isDefault"`
			} `json:"auxData"`
		} `json:"context"`
	}
	if read(params, &e) && len(b.scopes) < maxTracked {
		b.scopes[inWorld{s, e.Context.ID}] = scope{e.Context.Aux.Frame, e.Context.Aux.Own}
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
	if k := b.seekers[at]; k != nil && k.now.Lifecycle == "runningOptOut" && k.now.Clicks > 0 {
		b.done(k.tool, false)
	}
	delete(b.seekers, at)
	delete(b.scopes, at)
}

// left is how long the search is still waited for, from what each document says of it.
func (b *banners) left(from time.Time) time.Duration {
	left, begun := time.Duration(0), false
	for at, k := range b.seekers {
		select {
		case <-at.s.Done():
			b.forget(at)
			continue
		default:
		}
		begun = begun || k.main
		left = max(left, k.left(from))
	}
	if !begun {
		left = max(left, mostSearch-time.Since(from))
	}
	return left
}

func (k *seeker) left(from time.Time) time.Duration {
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
	default: // the document is not there yet
		if !k.main {
			return 0
		}
		return mostSearch - time.Since(from)
	}
}

// end waits for what runs on behalf of autoconsent.
func (b *banners) end() {
	close(b.stop)
	b.work.Wait()
}

// clearBanners waits for the rejection of a cookie banner, hides what is left of banners, and lets the page settle again
// when one of these has happened.
func (j *job) clearBanners(ctx context.Context) error {
	if j.banners == nil {
		return nil
	}
	for range mostBanners {
		j.awaiting = "the cookie banner to go"
		j.w.mu.Lock()
		commits, acted := j.w.nav.commits, j.banners.acted
		j.w.mu.Unlock()
		from := time.Now()
		err := j.w.until(ctx, func() (bool, time.Duration) {
			left := j.banners.left(from)
			return left <= 0, max(left, time.Millisecond)
		})
		if err != nil {
			return err
		}
		hidden, err := j.sweep(ctx)
		if err != nil {
			return err
		}
		j.w.mu.Lock()
		still := hidden == 0 && j.banners.acted == acted && acted == 0
		j.w.mu.Unlock()
		if still {
			return nil
		}
		if err := j.ready(ctx); err != nil {
			return err
		}
		j.w.mu.Lock()
		same := j.w.nav.commits == commits
		j.w.mu.Unlock()
		if same {
			return nil
		}
	}
	return nil
}

// sweep hides banners that are left, in every document that has a seeker. It returns how many it has hidden.
func (j *job) sweep(ctx context.Context) (int, error) {
	expression := consent.Sweep(blocklist.CookieCSS())
	var sent []*cdp.Pending
	j.w.mu.Lock()
	for at := range j.banners.seekers {
		sent = append(sent, at.run(expression))
	}
	j.w.mu.Unlock()
	total := 0
	for _, p := range sent {
		var res struct {
			Result struct {
				Value int `json:"value"`
			} `json:"result"`
		}
		switch err := j.wait(ctx, p, 0, &res); {
		case errors.Is(err, errMoved), errors.Is(err, cdp.ErrClosed) && ctx.Err() == nil:
		case err != nil:
			return 0, err
		default:
			total += res.Result.Value
		}
	}
	j.w.mu.Lock()
	defer j.w.mu.Unlock()
	if total > 0 && j.banners.result.Outcome == savepage.BannerNone {
		j.banners.result.Outcome = savepage.BannerHidden
	}
	return total, nil
}
