package block

import (
	"context"
	_ "embed" // for the script
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/chromedp/cdproto/fetch"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/target"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/blocklist"
	"github.com/savepage/savepage/internal/page/address"
	"github.com/savepage/savepage/internal/page/session"
	"github.com/savepage/savepage/internal/page/targets"
)

//go:embed hide.js
var hideScript string

//go:embed undrawn.js
var undrawnScript string

// hideBinding is what hide.js reports to.
const hideBinding = "savepageNames"

// filter is what the page does without: the requests that filter lists name, and the elements.
type filter struct {
	page   session.Sender
	frames frames
	lists  blocklist.Filter

	mu        sync.Mutex
	documents map[string]blocklist.Document // by URL
	hiders    map[targets.World]*blocklist.Hider
	passed    map[string]bool // hosts that a request was let through to
	hosts     []string        // that the page's own documents were asked of
}

// Wanted says which lists the options ask for.
func Wanted(o savepage.Options) blocklist.Wanted {
	return blocklist.Wanted{Ads: o.BlockAds, Trackers: o.BlockTrackers, Chats: o.BlockChats}
}

// Filter sets up what the page is to do without. Requests are decided when the browser pauses them. The guard has the last
// word for those that are not paused, as a socket's: it knows their host alone, and is given refuse.
func (i *Interception) Filter(lists blocklist.Filter, world string, refuse func(func(host string) bool)) {
	f := &filter{
		page: i.Page, frames: frames{main: i.Frame, urls: map[string]string{}, over: map[string]string{}}, lists: lists,
		documents: map[string]blocklist.Document{}, hiders: map[targets.World]*blocklist.Hider{}, passed: map[string]bool{},
	}
	i.add(rule{patterns: []*fetch.RequestPattern{{URLPattern: "*"}}, judge: f.judge})
	i.Setup.Beside(world, fmt.Sprintf("(%s)(%s)", hideScript, hideBinding), hideBinding, f.hide)
	i.Events.On(session.Every, "Page.frameAttached", f.frames.attached)
	i.Events.On(session.Every, "Page.frameNavigated", f.frames.navigated)
	i.Events.On(session.Main, "Network.requestWillBeSent", func(_ *session.Target, params json.RawMessage) {
		if url, _, is := session.MainDocument(params, i.Frame); is {
			f.asksFor(url)
		}
	})
	page := f.lists.Document(i.To.URL)
	refuse(func(host string) bool { return f.refuses(page, host) })
}

// judge decides on a paused request.
func (f *filter) judge(a asked) verdict {
	if a.main {
		return verdict{}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	kind := listType(a.kind)
	d := f.lists.Decide(blocklist.Request{URL: a.url, Type: kind, Document: f.document(f.frames.asking(a))})
	host, _ := address.Authority(a.url)
	host = strings.ToLower(host)
	if !d.Blocked || d.WholeHost && f.needs(host, f.listed(f.document(a.page))) {
		f.passed[host] = true
		return verdict{}
	}
	return verdict{refuse: "block_" + d.List}
}

// document keeps what the lists say of a document: it is asked for with every request. The lock is held.
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
		f.mu.Lock()
		defer f.mu.Unlock()
		return f.passed[host] || f.needs(host, listed)
	}
	if !listed(host) || needed() {
		return false
	}
	f.catchUp()
	return !needed()
}

// catchUp waits until all is read that the browser has said so far. A document's request can reach the proxy before its
// event is read.
func (f *filter) catchUp() {
	p := f.page.Send(target.CommandGetTargetInfo, nil)
	timer := time.NewTimer(time.Second)
	defer timer.Stop()
	select {
	case <-p.Done():
	case <-timer.C:
	}
}

// hide answers a document that says which classes and ids it has.
func (f *filter) hide(at targets.World, payload string) {
	var said struct {
		URL   string   `json:"url"`
		Names []string `json:"names"`
	}
	if json.Unmarshal([]byte(payload), &said) != nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
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
		at.Run("savepageHide(" + string(text) + ")")
	}
}

// Asker calls a function of a script that runs beside the page; the text of the script stands before its name.
type Asker interface {
	Ask(ctx context.Context, slack time.Duration, into any, function string, args ...any) error
}

// HideUndrawn hides what the browser draws in place of pictures and frames that were refused here, or by the guard for
// their host.
func (i *Interception) HideUndrawn(ctx context.Context, page Asker, hosts []string) error {
	unwanted, others := i.Requests.Undrawn()
	if len(hosts)+len(others)+len(unwanted) == 0 {
		return nil
	}
	if err := page.Ask(ctx, 0, nil, undrawnScript, hosts, others, unwanted); !errors.Is(err, session.ErrDisabled) {
		return err
	}
	return nil
}

// needs reports whether the page itself lies on the host, or on the same listed site as it. The lock is held.
func (f *filter) needs(host string, listed func(host string) bool) bool {
	return slices.ContainsFunc(f.hosts, func(own string) bool {
		return host == own || listed(own) && strings.HasSuffix(host, "."+strings.TrimPrefix(own, "www."))
	})
}

// asksFor notes where the page's own document is asked for.
func (f *filter) asksFor(url string) {
	host, _ := address.Authority(url)
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	f.mu.Lock()
	defer f.mu.Unlock()
	if !slices.Contains(f.hosts, host) {
		f.hosts = append(f.hosts, host)
	}
}
