package page

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"
)

const (
	maxNamed   = 10   // requests that the report names
	maxTracked = 5000 // open requests that are followed; a page with more is not waited for in all
)

// traffic is what the page asks of the network.
type traffic struct {
	open     map[string]*request
	total    int
	scripts  int       // requests for scripts
	active   time.Time // of the last event of a request that is waited for, or of the load event
	status   int       // of the main document
	failure  string    // of the main document: Chromium's code, as net::ERR_FAILED
	faults   []fault
	failed   int
	refused  map[string]bool // ids of requests that a rule has refused
	refusals []refusal       // the first of them
	unmade   int             // how many a rule has refused
	asked    map[string]int  // how often a script has asked for the same
	growing  bool            // the page is being woken: what it asks for again brings more of it
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

// lasting reports kinds of requests that are made to stay open or that no picture depends on.
func lasting(kind string) bool {
	switch kind {
	case "EventSource", "WebSocket", "Ping", "Media", "Manifest", "Prefetch", "CSPViolationReport", "Preflight":
		return true
	default:
		return false
	}
}

// mostAsked is how often a script may ask for the same before it is taken for a poll, which nobody waits for.
const mostAsked = 3

// polls reports that a script asks for what it has asked for several times.
func (w *watch) polls(kind, what string) bool {
	if (kind != "XHR" && kind != "Fetch") || w.net.growing {
		return false
	}
	if len(w.net.asked) < maxTracked {
		w.net.asked[what]++
	}
	return w.net.asked[what] > mostAsked
}

func (w *watch) requested(params json.RawMessage) {
	var e struct {
		RequestID string `json:"requestId"`
		LoaderID  string `json:"loaderId"`
		FrameID   string `json:"frameId"`
		Type      string `json:"type"`
		Document  string `json:"documentURL"`
		Request   struct {
			URL      string `json:"url"`
			Method   string `json:"method"`
			PostData string `json:"postData"`
		} `json:"request"`
	}
	if !read(params, &e) || strings.HasPrefix(e.Request.URL, "data:") || strings.HasPrefix(e.Request.URL, "blob:") {
		return
	}
	now := time.Now()
	waited := !lasting(e.Type) && !w.polls(e.Type, e.Request.Method+" "+e.Request.URL+" "+e.Request.PostData)
	if waited {
		w.net.active = now
	}
	if e.Type == "Document" && e.FrameID == w.frame && e.RequestID == e.LoaderID {
		w.nav.url, w.nav.leaving = e.Request.URL, true
		w.asksFor(e.Request.URL)
		w.allowPlace(e.Request.URL)
	}
	if known := w.net.open[e.RequestID]; known != nil { // a redirect
		known.url = e.Request.URL
		return
	}
	w.net.total++
	if e.Type == "Script" {
		w.net.scripts++
	}
	// A worker's own script has no loader, and its end is told to nobody here.
	if worker := e.LoaderID == "" && e.Document == e.Request.URL; worker || len(w.net.open) >= maxTracked {
		return
	}
	r := &request{url: e.Request.URL, kind: e.Type, waited: waited, begun: now}
	w.net.open[e.RequestID] = r
}

func (w *watch) responded(params json.RawMessage) {
	var e struct {
		LoaderID  string `json:"loaderId"`
		RequestID string `json:"requestId"`
		FrameID   string `json:"frameId"`
		Type      string `json:"type"`
		Response  struct {
			URL    string `json:"url"`
			Status int    `json:"status"`
		} `json:"response"`
	}
	if !read(params, &e) {
		return
	}
	w.moved(e.RequestID)
	if e.Type == "Document" && e.FrameID == w.frame {
		w.net.status = e.Response.Status
		return
	}
	if e.Response.Status >= 400 {
		w.fault(e.Response.URL, fmt.Sprintf("status %d", e.Response.Status))
	}
}

func (w *watch) finished(params json.RawMessage) {
	var e struct {
		RequestID string `json:"requestId"`
	}
	if read(params, &e) {
		w.close(e.RequestID)
	}
}

func (w *watch) failed(params json.RawMessage) {
	var e struct {
		RequestID string `json:"requestId"`
		Type      string `json:"type"`
		ErrorText string `json:"errorText"`
		Canceled  bool   `json:"canceled"`
	}
	if !read(params, &e) {
		return
	}
	r := w.net.open[e.RequestID]
	w.close(e.RequestID)
	if e.Type == "Document" && r != nil && r.url == w.nav.url {
		w.net.failure = e.ErrorText
	}
	if !e.Canceled && r != nil && !w.net.refused[e.RequestID] {
		w.fault(r.url, e.ErrorText)
	}
}

// refused notes a request that is not made. The lock is held.
func (w *watch) refused(id string, r refusal) {
	w.net.unmade++
	if len(w.net.refusals) < maxTracked {
		w.net.refusals = append(w.net.refusals, r)
	}
	if id != "" && len(w.net.refused) < maxTracked {
		w.net.refused[id] = true
	}
}

// socket notes a WebSocket that was sent nowhere instead.
func (w *watch) socket(params json.RawMessage) {
	var e struct {
		URL string `json:"url"`
	}
	if !read(params, &e) {
		return
	}
	rest, refused := strings.CutPrefix(e.URL, nowhere)
	if !refused || rest == "" {
		return
	}
	option := "block_urls"
	if rest[0] == 'r' {
		option = "block_resources"
	}
	if wanted, err := url.QueryUnescape(rest[1:]); err == nil {
		w.net.total++
		w.refused("", refusal{url: wanted, option: option})
	}
}

func (w *watch) close(id string) {
	w.moved(id)
	delete(w.net.open, id)
}

// moved notes that something has come of a request.
func (w *watch) moved(id string) {
	if r := w.net.open[id]; r != nil && r.waited {
		w.net.active = time.Now()
	}
}

func (w *watch) data(params json.RawMessage) {
	var e struct {
		RequestID string `json:"requestId"`
	}
	if read(params, &e) {
		w.moved(e.RequestID)
	}
}

func (w *watch) fault(address, what string) {
	w.net.failed++
	if len(w.net.faults) < 256 {
		w.net.faults = append(w.net.faults, fault{address, what})
	}
}

// waiting counts the open requests that settling waits for. The lock is held.
func (w *watch) waiting() int {
	n := 0
	for _, r := range w.net.open {
		if r.waited {
			n++
		}
	}
	return n
}

// quietFor is the time since the last event of the network. The lock is held.
func (w *watch) quietFor() time.Duration { return time.Since(w.net.active) }

// quietAt is what quietFor was when the page or a worker was asked. What they answered is as old: on a busy machine it may be
// heard much later. The lock is held.
func (w *watch) quietAt(asked time.Time) time.Duration { return max(0, asked.Sub(w.net.active)) }

// openList names up to three open requests for a message, oldest first.
func (w *watch) openList() string {
	names := w.openNames(3)
	if len(names) == 0 {
		return ""
	}
	return " (open: " + strings.Join(names, ", ") + ")"
}

// openNames names at most n open requests that were waited for, oldest first.
func (w *watch) openNames(n int) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var open []*request
	for _, r := range w.net.open {
		if r.waited {
			open = append(open, r)
		}
	}
	sortByAge(open)
	var names []string
	for _, r := range open[:min(n, len(open))] {
		names = append(names, named(r.url))
	}
	return names
}
