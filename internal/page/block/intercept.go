// Package block decides about the requests of a page before they are made: it answers for the document of the option html
// and its files, adds headers, keeps cookies to their origin, and refuses what options and filter lists name. It follows no
// request that it has let pass, and reaches nothing itself.
package block

import (
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/chromedp/cdproto/fetch"
	"github.com/chromedp/cdproto/network"
	cdpage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/page/address"
	"github.com/savepage/savepage/internal/page/session"
	"github.com/savepage/savepage/internal/page/targets"
)

// rule looks at requests before they are made. Only requests that match one of its patterns are sure to be paused for
// it: pausing costs time, so the patterns are as narrow as they can be. judge sees every request that any rule had
// paused. It is called on the page's goroutine for events, and must not wait.
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

// answer is a response that is made here.
type answer struct {
	status  int
	headers map[string]string
	body    []byte
}

// Requests notes what is refused.
type Requests interface {
	// Refuse notes a request that is not made, by its id and URL, with the option that refuses it; shown says that it is for
	// a picture or a frame.
	Refuse(id, url, option string, shown bool)
	// Undrawn are the pictures and frames that were refused: unwanted ones, which leave no trace, and the others.
	Undrawn() (unwanted, others []string)
}

// Navigation says where the page is.
type Navigation interface {
	// URL is the address of the page's document, or of the next one once it is asked for.
	URL() string
}

// Setup has commands sent to the page, and to what belongs to it before it begins.
type Setup interface {
	Setup(method string, params any)
	First(commands func(kind string) []session.Command)
	// Beside has a script run beside every document, where the binding is a function that calls report.
	Beside(world, source, binding string, report targets.Report)
}

// Config is the page whose requests are decided, and the parts of the render that this one needs.
type Config struct {
	Page       session.Sender
	Frame      string // id of the main frame
	To         address.Page
	Events     *session.Router
	Setup      Setup
	Navigation Navigation
	Requests   Requests
	// AllowLocation lets an origin ask for the page's location. It must not wait.
	AllowLocation func(origin string)
}

// Interception is the one place where paused requests are decided: those of the page with its frames and workers, and
// those of its service workers. Its rules do not change once the page is asked for.
type Interception struct {
	Config
	rules []rule
}

// New returns an Interception without a rule, which pauses nothing.
func New(c Config) *Interception { return &Interception{Config: c} }

// Enable adds the rules that the options ask for and has those requests paused that a rule must see, and no others.
func (i *Interception) Enable(o savepage.Options) {
	if o.Geolocation != nil {
		i.add(locationRule(i.AllowLocation))
	}
	if len(o.Assets) > 0 {
		i.add(assetsRule(i.To, o.Assets)) // before the document's, which knows no other document
	}
	if o.HTML != "" {
		i.add(documentRule(i.To, o.HTML))
	}
	if headers := ownHeaders(o); len(headers) > 0 && (o.HTML == "" || o.BaseURL != "") {
		i.add(headersRule(i.To, headers))
	}
	if r := cookiesRule(i.To, o.Cookies); r.judge != nil {
		i.add(r)
	}
	if len(o.BlockURLs) > 0 {
		i.add(blockedURLs(o.BlockURLs))
	}
	if len(o.BlockResources) > 0 {
		i.add(blockedKinds(o.BlockResources))
	}
	if len(i.rules) > 0 {
		i.Events.On(session.Every, "Fetch.requestPaused", i.paused)
		i.Setup.Setup(fetch.CommandEnable, fetch.EnableParams{Patterns: i.patterns()})
	}
	if script := sockets(o); script != "" {
		i.Setup.First(func(kind string) []session.Command { return runFirst(kind, script) })
	}
}

// ownHeaders are those for the page's own origin only.
func ownHeaders(o savepage.Options) savepage.Headers {
	if o.Authorization == "" {
		return o.Headers
	}
	all := savepage.Headers{"Authorization": o.Authorization}
	maps.Copy(all, o.Headers)
	return all
}

func (i *Interception) add(r rule) { i.rules = append(i.rules, r) }

// runFirst returns the commands that have a script run before any other in a target that begins, in the page's own world.
func runFirst(kind, script string) []session.Command {
	switch kind {
	case "page", "iframe":
		now := kind == "iframe"
		return []session.Command{
			{Method: cdpage.CommandEnable},
			{Method: cdpage.CommandAddScriptToEvaluateOnNewDocument, Params: cdpage.AddScriptToEvaluateOnNewDocumentParams{
				Source: script, RunImmediately: &now,
			}},
		}
	default:
		return []session.Command{{Method: runtime.CommandEvaluate, Params: runtime.EvaluateParams{Expression: script}}}
	}
}

// patterns are those of all rules. One that matches every request stands for all.
func (i *Interception) patterns() []*fetch.RequestPattern {
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

// paused decides every request that is paused on a target, also each step of a redirect.
func (i *Interception) paused(from *session.Target, params json.RawMessage) {
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
	if !session.Read(params, &e) {
		return
	}
	a := asked{
		url: e.Request.URL, kind: kindOf(e.Kind, e.Request.Headers), frame: e.FrameID, page: i.Navigation.URL(),
		cookie: e.Request.Headers["Cookie"],
	}
	a.main = e.Kind == network.ResourceTypeDocument && e.FrameID == i.Frame
	if u, err := url.Parse(a.url); err == nil && u.Host != "" {
		a.origin = address.Origin(u)
	}
	switch v := i.judge(a); {
	case v.refuse != "":
		shown := e.Kind == network.ResourceTypeImage || e.Kind == network.ResourceTypeDocument
		i.Requests.Refuse(e.NetworkID, a.url, v.refuse, shown)
		from.Send(fetch.CommandFailRequest, fetch.FailRequestParams{RequestID: e.RequestID, ErrorReason: reasonFor(e.Kind)})
	case v.answer != nil:
		from.Send(fetch.CommandFulfillRequest, v.answer.to(e.RequestID))
	case len(v.headers) > 0:
		from.Send(fetch.CommandContinueRequest, fetch.ContinueRequestParams{RequestID: e.RequestID, Headers: merge(e.Request.Headers, v.headers)})
	default:
		from.Send(fetch.CommandContinueRequest, fetch.ContinueRequestParams{RequestID: e.RequestID})
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
func (i *Interception) judge(a asked) verdict {
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
