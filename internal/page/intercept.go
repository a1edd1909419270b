package page

import (
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/chromedp/cdproto/fetch"
	"github.com/chromedp/cdproto/inspector"
	"github.com/chromedp/cdproto/network"
	cdpage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/cdp"
)

// rule looks at requests before they are made. Only requests that match one of its patterns are sure to be paused for
// it: pausing costs time, so the patterns are as narrow as they can be. judge sees every request that any rule had
// paused. It is called on the goroutine that reads the browser's events, with the watch's lock held, and must not wait.
type rule struct {
	patterns []*fetch.RequestPattern
	judge    func(asked) verdict
}

// asked is a request that waits for what is decided about it. Each step of a redirect is asked anew.
type asked struct {
	url    string
	origin string               // of the URL; empty when it is none
	kind   network.ResourceType // "Image", "Script"; "XHR" also for fetch, "Other" for the scripts of workers
	frame  string               // id of the frame; for a document, of the one that it is for
	main   bool                 // a document of the main frame
	cookie string               // the Cookie header that it is about to have
	page   string               // URL of the main document
}

// verdict is what a rule wants. The zero verdict lets the request pass as it is.
type verdict struct {
	refuse  string           // it is not made; the name of the option that refuses it
	answer  *answer          // it is answered here and not made
	headers savepage.Headers // are set, in place of the request's own of the same names
}

// answer is a response of ours.
type answer struct {
	status  int
	headers map[string]string
	body    []byte
}

// refusal is a request that a rule has refused.
type refusal struct {
	url, option string
	shown       bool // a picture or a frame
}

// unwanted reports whether the page is to look as if it had never asked.
func (r refusal) unwanted() bool {
	switch r.option {
	case "block_ads", "block_trackers", "block_chats":
		return true
	default:
		return false
	}
}

// interception is the one place where paused requests are decided: those of the page with its frames and workers, and
// those of its service workers.
type interception struct {
	w        *watch
	rules    []rule
	script   string // runs first in every document and worker, in the page's own world; empty for none
	timers   string // notes what a worker has still to do; runs first in it
	outfit   outfit
	children []*cdp.Session
}

// add puts a rule after those that are there. It has no effect once enable was called.
func (i *interception) add(r rule) { i.rules = append(i.rules, r) }

// enable returns the commands that begin the interception and fit out the page. Workers are taken in always.
func (i *interception) enable() []command {
	commands := slices.Clone(i.outfit.commands)
	if len(i.rules) > 0 {
		commands = append(commands, command{fetch.CommandEnable, fetch.EnableParams{Patterns: i.patterns()}})
	}
	attach := map[string]any{"autoAttach": true, "waitForDebuggerOnStart": true, "flatten": true}
	if len(commands) == 0 {
		attach["filter"] = []map[string]any{{"type": workerKind}}
	}
	// Workers, and frames in processes of their own, are asked apart. They wait until they are.
	return append(commands, command{target.CommandSetAutoAttach, attach})
}

// command is one of the protocol's with its parameters.
type command struct {
	method string
	params any
}

// first returns the commands that have the script run in a target that begins.
func (i *interception) first(kind string) []command {
	switch {
	case kind == workerKind:
		return []command{{network.CommandEnable, nil}, {inspector.CommandEnable, nil}, {runtime.CommandEvaluate, runtime.EvaluateParams{Expression: i.script + "\n" + i.timers}}}
	case i.script == "":
		return nil
	case kind == "page", kind == "iframe":
		now := kind == "iframe"
		return []command{
			{cdpage.CommandEnable, nil},
			{cdpage.CommandAddScriptToEvaluateOnNewDocument, cdpage.AddScriptToEvaluateOnNewDocumentParams{Source: i.script, RunImmediately: &now}},
		}
	default:
		return []command{{runtime.CommandEvaluate, runtime.EvaluateParams{Expression: i.script}}}
	}
}

// patterns are those of all rules. One that matches every request stands for all.
func (i *interception) patterns() []*fetch.RequestPattern {
	var all []*fetch.RequestPattern
	for _, r := range i.rules {
		for _, p := range r.patterns {
			if p.URLPattern == "*" && p.ResourceType == "" {
				return []*fetch.RequestPattern{p}
			}
			all = append(all, p)
		}
	}
	return all
}

// attached takes in a target that belongs to the page and lets it begin. What it returns is called with the lock held.
func (i *interception) attached(from *cdp.Session) func(json.RawMessage) {
	return func(params json.RawMessage) {
		var e struct {
			SessionID target.SessionID `json:"sessionId"`
			Target    struct {
				Type string `json:"type"`
				URL  string `json:"url"`
			} `json:"targetInfo"`
		}
		if !read(params, &e) {
			return
		}
		child := from.Child(e.SessionID)
		i.children = append(i.children, child)
		handlers := i.outfit.listeners(child)
		handlers["Fetch.requestPaused"], handlers["Target.attachedToTarget"] = i.paused(child), i.attached(child)
		handlers["Target.detachedFromTarget"] = i.w.workerLeft
		if e.Target.Type == workerKind {
			maps.Copy(handlers, i.w.workerBegan(child, e.Target.URL))
		}
		child.Listen(i.w.hearing(handlers))
		for _, c := range append(i.enable(), i.first(e.Target.Type)...) {
			child.Send(c.method, c.params)
		}
		child.Send(runtime.CommandRunIfWaitingForDebugger, nil)
	}
}

// end drops the routes to what belongs to the page.
func (i *interception) end() {
	i.w.mu.Lock()
	children := i.children
	i.children = nil
	i.w.mu.Unlock()
	for _, child := range children {
		child.Detach()
	}
}

// paused decides every request that is paused on a session, also each step of a redirect. What it returns is called with
// the lock held.
func (i *interception) paused(s *cdp.Session) func(json.RawMessage) {
	return func(params json.RawMessage) {
		var e struct {
			RequestID fetch.RequestID      `json:"requestId"`
			NetworkID string               `json:"networkId"` // empty for requests of workers
			FrameID   string               `json:"frameId"`
			Kind      network.ResourceType `json:"resourceType"`
			Request   struct {
				URL     string            `json:"url"`
				Headers map[string]string `json:"headers"`
			} `json:"request"`
		}
		if !read(params, &e) {
			return
		}
		a := asked{url: e.Request.URL, kind: kindOf(e.Kind, e.Request.Headers), frame: e.FrameID, page: i.w.nav.url, cookie: e.Request.Headers["Cookie"]}
		a.main = e.Kind == network.ResourceTypeDocument && e.FrameID == i.w.frame
		if u, err := url.Parse(a.url); err == nil && u.Host != "" {
			a.origin = originOf(u)
		}
		switch v := i.judge(a); {
		case v.refuse != "":
			i.w.refused(e.NetworkID, refusal{a.url, v.refuse, e.Kind == network.ResourceTypeImage || e.Kind == network.ResourceTypeDocument})
			s.Send(fetch.CommandFailRequest, fetch.FailRequestParams{RequestID: e.RequestID, ErrorReason: reasonFor(e.Kind)})
		case v.answer != nil:
			s.Send(fetch.CommandFulfillRequest, v.answer.to(e.RequestID))
		case len(v.headers) > 0:
			s.Send(fetch.CommandContinueRequest, fetch.ContinueRequestParams{RequestID: e.RequestID, Headers: merge(e.Request.Headers, v.headers)})
		default:
			s.Send(fetch.CommandContinueRequest, fetch.ContinueRequestParams{RequestID: e.RequestID})
		}
	}
}

// kindOf tells what the browser does not tell apart when it pauses a request.
func kindOf(kind network.ResourceType, headers map[string]string) network.ResourceType {
	if kind == network.ResourceTypeXHR && headers["Accept"] == "text/event-stream" {
		return network.ResourceTypeEventSource
	}
	return kind
}

// reasonFor is what a refused request ends with. A frame that is aborted stays empty; otherwise the browser draws an error.
func reasonFor(kind network.ResourceType) network.ErrorReason {
	if kind == network.ResourceTypeDocument {
		return network.ErrorReasonAborted
	}
	return network.ErrorReasonBlockedByClient
}

// judge asks every rule. The first that refuses or answers decides; headers of all are joined. What the page itself is
// made of is never refused: without it there is no page.
func (i *interception) judge(a asked) verdict {
	var all verdict
	for _, r := range i.rules {
		v := r.judge(a)
		if v.answer != nil || v.refuse != "" && !a.main {
			return v
		}
		if all.headers == nil {
			all.headers = savepage.Headers{}
		}
		maps.Copy(all.headers, v.headers)
	}
	return all
}

func (a *answer) to(id fetch.RequestID) fetch.FulfillRequestParams {
	params := fetch.FulfillRequestParams{RequestID: id, ResponseCode: int64(a.status), Body: a.body}
	for _, name := range slices.Sorted(maps.Keys(a.headers)) {
		params.ResponseHeaders = append(params.ResponseHeaders, &fetch.HeaderEntry{Name: name, Value: a.headers[name]})
	}
	return params
}

// merge adds headers to those of the request, in place of one of the same name.
func merge(own map[string]string, added savepage.Headers) []*fetch.HeaderEntry {
	all := maps.Clone(own)
	if all == nil {
		all = map[string]string{}
	}
	for name, value := range added {
		maps.DeleteFunc(all, func(known, _ string) bool { return strings.EqualFold(known, name) })
		all[name] = value
	}
	var entries []*fetch.HeaderEntry
	for name, value := range all {
		entries = append(entries, &fetch.HeaderEntry{Name: name, Value: value})
	}
	return entries
}
