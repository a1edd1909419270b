// Package traffic follows what a page asks of the network and where its main frame is, by the browser's events. It decides
// about no request: it says what is under way, what came of it, and how long the network has been quiet.
package traffic

import (
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

// document is the browser's name for the kind of request that a frame's document is asked for with.
const document = "Document"

// Requests is what the page asks of the network, with its frames and workers. It is safe for concurrent use.
type Requests struct {
	pace
	record
	frame string        // id of the main frame
	stall time.Duration // for which a request may bring nothing and is waited for

	mu        sync.Mutex
	open      map[string]*request
	total     int
	scripts   int                           // requests for scripts
	asked     all                           // what scripts ask for
	endpoints all                           // the same, by the endpoint
	servers   map[string]*server            // by host and port
	gave      map[string]bool               // addresses that were given up
	repeated  time.Time                     // when a script last asked for the same once more
	growing   bool                          // what the page asks for again brings more of it
	grew      time.Time                     // when the page last had more in it than before
	loading   bool                          // the page shows that it waits for something
	workers   map[target.SessionID][]string // ids of the requests of those that have not ended
}

// NewRequests follows the requests of a page, by its main frame's id. One that brings nothing for the time of stall is waited
// for no longer.
func NewRequests(events *session.Router, frame string, stall time.Duration) *Requests {
	r := &Requests{
		record: record{refused: map[string]bool{}}, frame: frame, stall: stall,
		open: map[string]*request{}, asked: all{}, endpoints: all{}, servers: map[string]*server{}, gave: map[string]bool{},
		workers: map[target.SessionID][]string{},
	}
	const both = session.Main | session.Worker
	events.On(both, "Network.requestWillBeSent", r.requestSent)
	events.On(both, "Network.responseReceived", r.answered)
	events.On(both, "Network.dataReceived", r.dataCame)
	events.On(both, "Network.loadingFinished", r.finished)
	events.On(both, "Network.loadingFailed", r.requestFailed)
	events.On(session.Main, "Page.frameNavigated", leaves(r))
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
	r.ResetQuiet()
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

// sending is a request that the browser is about to make.
type sending struct {
	RequestID string    `json:"requestId"`
	LoaderID  string    `json:"loaderId"`
	FrameID   string    `json:"frameId"`
	Type      string    `json:"type"`
	Document  string    `json:"documentURL"`
	Initiator initiator `json:"initiator"`
	Request   struct {
		URL      string `json:"url"`
		Method   string `json:"method"`
		HasBody  bool   `json:"hasPostData"`
		PostData string `json:"postData"` // empty also when it is too long
	} `json:"request"`
}

func (r *Requests) requestSent(from *session.Target, params json.RawMessage) {
	var e sending
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
	if known := r.open[e.RequestID]; known != nil { // a redirect
		known.url = r.keep(e.Request.URL)
		r.moved(known)
		return
	}
	r.total++
	if e.Type == "Script" {
		r.scripts++
	}
	one := r.begun(e)
	if r.gave[one.url] {
		one.given = true
		r.fault(one.url, noAnswer)
	}
	if one.waits(one.begun, r.stall, r.loading) {
		r.ResetQuiet()
	}
	// A worker's own script has no loader, and its end is told to nobody here.
	if worker := e.LoaderID == "" && e.Document == e.Request.URL; worker || len(r.open) >= session.MaxTracked {
		one.ends(one.begun)
		return
	}
	r.open[e.RequestID] = one
}

// begun is a request that begins. The lock is held.
func (r *Requests) begun(e sending) *request {
	now := time.Now()
	one := &request{
		url: r.keep(e.Request.URL), kind: e.Type, begun: now, moved: now, lasting: lasting(e.Type),
		main: e.Type == document && e.FrameID == r.frame, own: e.FrameID == r.frame,
		frame: e.FrameID, loader: e.LoaderID,
	}
	one.at = r.servers[Server(one.url)]
	if one.at == nil && len(r.servers) < session.MaxTracked {
		one.at = &server{}
		r.servers[Server(one.url)] = one.at
	}
	if !scripted(e.Type) {
		return one
	}
	one.held = polls.MatchString(one.url) || e.Initiator.polls()
	if e.Request.HasBody && e.Request.PostData == "" { // too long to be told: it may be another each time
		return one
	}
	one.of = r.asked.of(plain(e.Request.Method+" "+e.Request.URL+" "+e.Request.PostData, now))
	if one.of != nil {
		one.poll = one.of.ask(now, r.growing || r.loading || r.grew.After(one.of.round))
		if one.of.rounds > 1 {
			r.repeated = now
		}
	}
	if one.among = r.endpoints.of(endpoint(e.Request.Method, one.url)); one.among != nil {
		one.among.ask(now, true)
	}
	return one
}

func (r *Requests) answered(_ *session.Target, params json.RawMessage) {
	var e struct {
		RequestID string `json:"requestId"`
		FrameID   string `json:"frameId"`
		Type      string `json:"type"`
		Response  struct {
			URL     string            `json:"url"`
			Status  int               `json:"status"`
			Mime    string            `json:"mimeType"`
			Headers map[string]string `json:"headers"`
		} `json:"response"`
	}
	if !session.Read(params, &e) {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	known := r.open[e.RequestID]
	if known != nil {
		known.answerBegins(time.Now(), e.Response.Mime, e.Response.Headers)
		r.moved(known)
	}
	main := e.Type == document && e.FrameID == r.frame
	if !main && e.Response.Status >= 400 && (known == nil || !known.given) {
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
	if !e.Canceled && known != nil && !known.given && !r.refuses(e.RequestID) {
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
	if known := r.open[e.RequestID]; known != nil {
		known.brings()
		r.moved(known)
	}
}

// leaves has requests forgotten that the document waited for which a frame had before, with all frames in it. The browser does not
// always tell their end: a document that goes on at once is often gone before the end of its own answer.
func leaves(r *Requests) session.Handler {
	return func(_ *session.Target, params json.RawMessage) {
		var e struct {
			Frame struct {
				ID       string `json:"id"`
				ParentID string `json:"parentId"`
				LoaderID string `json:"loaderId"`
			} `json:"frame"`
		}
		if !session.Read(params, &e) {
			return
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		for id, one := range r.open {
			within := e.Frame.ParentID == "" || one.frame == e.Frame.ID
			next := one.kind == document && one.frame == e.Frame.ID && one.head.IsZero() // the frame goes on from here already
			if within && !next && one.loader != "" && one.loader != e.Frame.LoaderID {
				r.close(id)
			}
		}
	}
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

func (r *Requests) close(id string) {
	known := r.open[id]
	if known == nil {
		return
	}
	r.moved(known)
	known.ends(time.Now())
	delete(r.open, id)
}

// moved notes that something has come of a request.
func (r *Requests) moved(known *request) {
	now := time.Now()
	waited := known.wanted(now, r.loading)
	known.moved = now
	if known.at != nil {
		known.at.moved = now
	}
	if waited {
		r.ResetQuiet()
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
