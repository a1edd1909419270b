package page

import (
	"context"
	_ "embed" // for the script
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/chromedp/cdproto/fetch"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/target"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/blocklist"
	"github.com/savepage/savepage/internal/guard"
)

//go:embed hide.js
var hideScript string

// hideBinding is what hide.js says its messages to.
const hideBinding = "savepageNames"

// filter is what the page does without: the requests that filter lists name, and the elements.
type filter struct {
	w         *watch
	frames    frames
	lists     blocklist.Filter
	documents map[string]blocklist.Document // by URL
	hiders    map[inWorld]*blocklist.Hider
	passed    map[string]bool // hosts that a request was let through to
}

// filters says which lists the options ask for.
func filters(o savepage.Options) blocklist.Wanted {
	return blocklist.Wanted{Ads: o.BlockAds, Trackers: o.BlockTrackers, Chats: o.BlockChats}
}

// filter sets up what the page is to do without. Requests are decided when the browser pauses them. The guard has the last
// word for those that are not paused, as a socket's: it knows their host alone.
func (j *job) filter() error {
	wanted := filters(j.o)
	if !wanted.Any() {
		return nil
	}
	lists, err := j.lists()
	if err != nil {
		return fmt.Errorf("filter the page: %w", err)
	}
	f := &filter{
		w: j.w, frames: frames{main: j.w.frame, urls: map[string]string{}, over: map[string]string{}}, lists: lists.Filter(wanted), documents: map[string]blocklist.Document{}, hiders: map[inWorld]*blocklist.Hider{}, passed: map[string]bool{},
	}
	j.w.mu.Lock()
	defer j.w.mu.Unlock()
	j.w.asks.add(rule{patterns: []*fetch.RequestPattern{{URLPattern: "*"}}, judge: f.judge})
	j.w.asks.outfit.beside(besideWorld, fmt.Sprintf("(%s)(%s)", hideScript, hideBinding), hideBinding, f.hide)
	j.w.asks.outfit.on("Page.frameAttached", f.frames.attached)
	j.w.asks.outfit.on("Page.frameNavigated", f.frames.navigated)
	page := f.lists.Document(j.to.url)
	j.tab.Identity().Refuse(func(host string) bool { return f.refuses(page, host) })
	return nil
}

// judge decides on a paused request.
func (f *filter) judge(a asked) verdict {
	kind := listType(a.kind)
	if a.main {
		return verdict{}
	}
	d := f.lists.Decide(blocklist.Request{URL: a.url, Type: kind, Document: f.document(f.frames.asking(a))})
	host, _ := authority(a.url)
	host = strings.ToLower(host)
	if !d.Blocked || d.WholeHost && f.w.needs(host, f.listed(f.document(a.page))) {
		f.passed[host] = true
		return verdict{}
	}
	return verdict{refuse: "block_" + d.List}
}

// document keeps what the lists say of a document: it is asked for with every request.
func (f *filter) document(url string) blocklist.Document {
	d, known := f.documents[url]
	if !known {
		d = f.lists.Document(url)
		f.documents[url] = d
	}
	return d
}

// listed reports, for a page, hosts that are listed as a whole.
func (f *filter) listed(page blocklist.Document) func(host string) bool {
	return func(host string) bool {
		return f.lists.Decide(blocklist.Request{URL: "https://" + host + "/", Type: blocklist.XHR, Document: page}).Blocked
	}
}

// listType is the browser's kind of a request in the words of filter lists.
func listType(kind network.ResourceType) blocklist.Type {
	switch kind {
	case network.ResourceTypeDocument:
		return blocklist.Frame
	case network.ResourceTypeStylesheet:
		return blocklist.Stylesheet
	case network.ResourceTypeImage:
		return blocklist.Image
	case network.ResourceTypeMedia, network.ResourceTypeTextTrack:
		return blocklist.Media
	case network.ResourceTypeFont:
		return blocklist.Font
	case network.ResourceTypeScript:
		return blocklist.Script
	case network.ResourceTypeXHR, network.ResourceTypeFetch, network.ResourceTypeEventSource:
		return blocklist.XHR
	case network.ResourceTypeWebSocket:
		return blocklist.WebSocket
	case network.ResourceTypePing:
		return blocklist.Ping
	default:
		return blocklist.Other
	}
}

// refuses reports whether the guard is to refuse a host: one that is listed and that no paused request was let through to.
func (f *filter) refuses(page blocklist.Document, host string) bool {
	listed := f.listed(page)
	needed := func() bool {
		f.w.mu.Lock()
		defer f.w.mu.Unlock()
		return f.passed[host] || f.w.needs(host, listed)
	}
	if !listed(host) || needed() {
		return false
	}
	f.w.catchUp()
	return !needed()
}

// catchUp waits until all is heard that the browser has said so far. A document's request can reach the proxy before its
// event is read.
func (w *watch) catchUp() {
	p := w.s.Send(target.CommandGetTargetInfo, nil)
	timer := time.NewTimer(time.Second)
	defer timer.Stop()
	select {
	case <-p.Done():
	case <-timer.C:
	}
}

// hide answers a document that says which classes and ids it has.
func (f *filter) hide(at inWorld, payload string) {
	var said struct {
		URL   string   `json:"url"`
		Names []string `json:"names"`
	}
	if json.Unmarshal([]byte(payload), &said) != nil {
		return
	}
	var selectors []string
	if said.URL != "" {
		f.hiders[at] = f.lists.Hider(f.document(said.URL))
		selectors = f.hiders[at].Start()
	}
	hider := f.hiders[at]
	if hider == nil {
		return
	}
	selectors = append(slices.Clip(selectors), hider.Names(said.Names)...)
	if text, err := json.Marshal(selectors); err == nil && len(selectors) > 0 {
		at.run("savepageHide(" + string(text) + ")")
	}
}

// hideFiltered hides what the browser draws in place of pictures and frames that were refused.
func (j *job) hideFiltered(ctx context.Context) error {
	var hosts, urls, gone []string
	for _, e := range j.tab.Identity().Events() {
		if e.Kind == guard.Filtered {
			hosts = append(hosts, e.Host)
		}
	}
	j.w.mu.Lock()
	for _, one := range j.w.net.refusals {
		switch {
		case !one.shown:
		case one.unwanted():
			gone = append(gone, one.url)
		default:
			urls = append(urls, one.url)
		}
	}
	j.w.mu.Unlock()
	if len(hosts)+len(urls)+len(gone) == 0 {
		return nil
	}
	if err := j.ask(ctx, 0, nil, "hide", hosts, urls, gone); !errors.Is(err, errMuted) {
		return err
	}
	return nil
}

// needs reports whether the page itself lies on the host, or on the same listed site as it. The lock is held.
func (w *watch) needs(host string, listed func(host string) bool) bool {
	return slices.ContainsFunc(w.nav.hosts, func(own string) bool {
		return host == own || listed(own) && strings.HasSuffix(host, "."+strings.TrimPrefix(own, "www."))
	})
}

// asksFor notes where the page's own document is asked for. The lock is held.
func (w *watch) asksFor(url string) {
	host, _ := authority(url)
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if !slices.Contains(w.nav.hosts, host) {
		w.nav.hosts = append(w.nav.hosts, host)
	}
}
