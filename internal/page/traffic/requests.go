// Package traffic follows what a page asks of the network and where its main frame is, by the browser's events. It decides
// about no request: it says what is under way, what came of it, and how long the network has been quiet.
package traffic

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/target"

	"github.com/savepage/savepage/internal/page/address"
	"github.com/savepage/savepage/internal/page/session"
)

const (
	maxFaults = 256 // failed requests that are remembered
	// maxAsked is how often a script may ask for the same before it is taken for a poll, which nobody waits for.
	maxAsked = 3
)

// Requests is what the page asks of the network, with its frames and workers. It is safe for concurrent use.
type Requests struct {
	frame string // id of the main frame

	mu       sync.Mutex
	open     map[string]*request
	total    int
	scripts  int       // requests for scripts
	active   time.Time // of the last event of a request that is waited for, or of the load event
	faults   []fault
	failed   int
	refused  map[string]bool // ids of requests that a rule has refused
	refusals []refusal       // the first of them
	unmade   int             // how many a rule has refused
	asked    repeats
	growing  bool                          // the page loads what it shows further down: what it asks for again brings more of it
	workers  map[target.SessionID][]string // ids of the requests of those that have not ended
	texts    texts
}

// request is one that has begun and not ended.
type request struct {
	url    string
	kind   string
	waited bool // settling waits for it
	begun  time.Time
}

// fault is a request that failed.
type fault struct {
	url  string
	what string // Chromium's code, or the status
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

// NewRequests follows the requests of a page, by its main frame's id.
func NewRequests(events *session.Router, frame string) *Requests {
	r := &Requests{
		frame: frame, open: map[string]*request{}, refused: map[string]bool{}, asked: repeats{},
		workers: map[target.SessionID][]string{},
	}
	const both = session.Main | session.Worker
	events.On(both, "Network.requestWillBeSent", r.requestSent)
	events.On(both, "Network.responseReceived", r.answered)
	events.On(both, "Network.dataReceived", r.dataCame)
	events.On(both, "Network.loadingFinished", r.finished)
	events.On(both, "Network.loadingFailed", r.requestFailed)
	events.On(session.Main, "Network.webSocketCreated", r.socketCreated)
	events.On(session.Every, "Target.detachedFromTarget", r.workerLeft)
	return r
}

// First is what a worker has to be sent before it begins, so that its requests are seen.
func (r *Requests) First(kind string) []session.Command {
	if kind != session.WorkerKind {
		return nil
	}
	return []session.Command{{Method: network.CommandEnable, Params: EnableParams()}}
}

// EnableParams has the browser tell of requests, keep no bodies of answers, and leave out long ones of requests.
func EnableParams() network.EnableParams {
	const longest = 64 << 10
	return network.EnableParams{MaxTotalBufferSize: new(int64), MaxResourceBufferSize: new(int64), MaxPostDataSize: new(int64(longest))}
}

// Begin takes in a worker. What it asks of the network is the page's, and quiet is counted from here.
func (r *Requests) Begin(t *session.Target) {
	if t.Kind != session.WorkerKind {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.workers[t.ID] = []string{}
	r.active = time.Now()
}

// workerLeft forgets a worker that has ended, and what it was waiting for.
func (r *Requests) workerLeft(_ *session.Target, params json.RawMessage) {
	var e struct {
		SessionID target.SessionID `json:"sessionId"`
	}
	if !session.Read(params, &e) {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range r.workers[e.SessionID] {
		r.close(id)
	}
	delete(r.workers, e.SessionID)
}

// lasting reports kinds of requests that are made to stay open or that no picture depends on.
func lasting(kind string) bool {
	switch kind {
	case "EventSource", "WebSocket", "Ping", "Media", "Manifest", "Prefetch", "CSPViolationReport", "Preflight":
		return true
	default:
		return false
	}
}

// repeats is how often a script has asked for the same, by a digest of it.
type repeats map[[sha256.Size]byte]int

// poll reports that a script asks for what it has asked for several times. kind is the request's.
func (n repeats) poll(kind, what string) bool {
	if kind != "XHR" && kind != "Fetch" {
		return false
	}
	is := sha256.Sum256([]byte(what))
	if len(n) < session.MaxTracked {
		n[is]++
	}
	return n[is] > maxAsked
}

func (r *Requests) requestSent(from *session.Target, params json.RawMessage) {
	var e struct {
		RequestID string `json:"requestId"`
		LoaderID  string `json:"loaderId"`
		Type      string `json:"type"`
		Document  string `json:"documentURL"`
		Request   struct {
			URL      string `json:"url"`
			Method   string `json:"method"`
			HasBody  bool   `json:"hasPostData"`
			PostData string `json:"postData"` // empty also when it is too long
		} `json:"request"`
	}
	if !session.Read(params, &e) {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if ids, known := r.workers[from.ID]; known && len(ids) < session.MaxTracked {
		r.workers[from.ID] = append(ids, e.RequestID)
	}
	if session.OfPage(e.Request.URL) {
		return
	}
	now := time.Now()
	// A body that is too long to be told may be another each time.
	repeats := !e.Request.HasBody || e.Request.PostData != ""
	polls := repeats && !r.growing && r.asked.poll(e.Type, e.Request.Method+" "+e.Request.URL+" "+e.Request.PostData)
	waited := !lasting(e.Type) && !polls
	if waited {
		r.active = now
	}
	if known := r.open[e.RequestID]; known != nil { // a redirect
		known.url = r.texts.keep(e.Request.URL)
		return
	}
	r.total++
	if e.Type == "Script" {
		r.scripts++
	}
	// A worker's own script has no loader, and its end is told to nobody here.
	if worker := e.LoaderID == "" && e.Document == e.Request.URL; worker || len(r.open) >= session.MaxTracked {
		return
	}
	r.open[e.RequestID] = &request{url: r.texts.keep(e.Request.URL), kind: e.Type, waited: waited, begun: now}
}

func (r *Requests) answered(_ *session.Target, params json.RawMessage) {
	var e struct {
		RequestID string `json:"requestId"`
		FrameID   string `json:"frameId"`
		Type      string `json:"type"`
		Response  struct {
			URL    string `json:"url"`
			Status int    `json:"status"`
		} `json:"response"`
	}
	if !session.Read(params, &e) {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.moved(e.RequestID)
	if main := e.Type == "Document" && e.FrameID == r.frame; !main && e.Response.Status >= 400 {
		r.fault(e.Response.URL, fmt.Sprintf("status %d", e.Response.Status))
	}
}

func (r *Requests) finished(_ *session.Target, params json.RawMessage) {
	var e struct {
		RequestID string `json:"requestId"`
	}
	if !session.Read(params, &e) {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.close(e.RequestID)
}

func (r *Requests) requestFailed(_ *session.Target, params json.RawMessage) {
	var e struct {
		RequestID string `json:"requestId"`
		ErrorText string `json:"errorText"`
		Canceled  bool   `json:"canceled"`
	}
	if !session.Read(params, &e) {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	known := r.open[e.RequestID]
	r.close(e.RequestID)
	if !e.Canceled && known != nil && !r.refused[e.RequestID] {
		r.fault(known.url, e.ErrorText)
	}
}

func (r *Requests) dataCame(_ *session.Target, params json.RawMessage) {
	var e struct {
		RequestID string `json:"requestId"`
	}
	if !session.Read(params, &e) {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.moved(e.RequestID)
}

// socketCreated notes a WebSocket that was sent nowhere instead.
func (r *Requests) socketCreated(_ *session.Target, params json.RawMessage) {
	var e struct {
		URL string `json:"url"`
	}
	if !session.Read(params, &e) {
		return
	}
	rest, refused := strings.CutPrefix(e.URL, address.Nowhere)
	if !refused || rest == "" {
		return
	}
	option := "block_urls"
	if rest[0] == 'r' {
		option = "block_resources"
	}
	wanted, err := url.QueryUnescape(rest[1:])
	if err != nil {
		return
	}
	r.Refuse("", wanted, option, false)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.total++
}

// Refuse notes a request that is not made, with the option that refuses it; shown says that it is for a picture or a
// frame. The id may be empty.
func (r *Requests) Refuse(id, url, option string, shown bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.unmade++
	if len(r.refusals) < session.MaxTracked {
		r.refusals = append(r.refusals, refusal{r.texts.keep(url), option, shown})
	}
	if id != "" && len(r.refused) < session.MaxTracked {
		r.refused[id] = true
	}
}

func (r *Requests) close(id string) {
	r.moved(id)
	delete(r.open, id)
}

// moved notes that something has come of a request.
func (r *Requests) moved(id string) {
	if known := r.open[id]; known != nil && known.waited {
		r.active = time.Now()
	}
}

func (r *Requests) fault(url, what string) {
	r.failed++
	if len(r.faults) < maxFaults {
		r.faults = append(r.faults, fault{r.texts.keep(url), what})
	}
}

// oldest are open requests, oldest first.
func oldest(all map[string]*request) []*request {
	var open []*request
	for _, one := range all {
		open = append(open, one)
	}
	slices.SortFunc(open, func(a, b *request) int { return a.begun.Compare(b.begun) })
	return open
}
