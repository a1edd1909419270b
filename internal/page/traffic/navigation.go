package traffic

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/page/session"
)

const maxNavigations = 20 // of the main frame in one capture

// idle is how long no request may have brought anything for a navigation without one to be none: a mailto link, a download.
const idle = 500 * time.Millisecond

// Navigation is where the main frame is. It is safe for concurrent use.
type Navigation struct {
	frame    string // id of the main frame
	requests *Requests
	end      context.CancelCauseFunc

	mu          sync.Mutex
	url         string // of the document that came last, or of the request for it
	commits     int
	requested   int
	request     string         // id of the last one for a document of the main frame
	leaving     bool           // on the way to another document
	left        time.Time      // when that began
	parsed      bool           // DOMContentLoaded
	loaded      bool           // load
	unreachable string         // the address that an error page stands for
	failure     string         // of the main document: Chromium's code, as net::ERR_FAILED
	status      int            // of the main document
	loadedAt    time.Time      // the load event; zero before
	refresh     string         // the header of that name
	coming      string         // the same, of the document that is on its way
	loader      string         // the browser's id of the document
	been        map[string]int // documents by their addresses
	download    bool           // what came is a file
}

// Arrival is what has become of the first navigation. Nothing has when all of it is zero.
type Arrival struct {
	Came     bool   // there is a document, or the browser's error page in its place
	Download bool   // a file came
	Failure  string // Chromium's code
}

// NewNavigation follows the main frame of a page that is asked for at a URL, by the browser's events. end is called with
// the reason when the page goes where no page may.
func NewNavigation(events *session.Router, frame, url string, requests *Requests, end context.CancelCauseFunc) *Navigation {
	n := &Navigation{frame: frame, url: url, requests: requests, end: end, been: map[string]int{}}
	for event, handle := range map[string]session.Handler{
		"Page.frameNavigated":           n.navigatedTo,
		"Page.frameRequestedNavigation": n.navigationRequested,
		"Page.frameStoppedLoading":      n.stoppedLoading,
		"Page.downloadWillBegin":        n.downloads,
		"Page.domContentEventFired":     n.contentParsed,
		"Page.loadEventFired":           n.loadFired,
		"Network.requestWillBeSent":     n.documentRequested,
		"Network.responseReceived":      n.documentAnswered,
		"Network.loadingFailed":         n.documentFailed,
	} {
		events.On(session.Main, event, handle)
	}
	return n
}

func (n *Navigation) contentParsed(*session.Target, json.RawMessage) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.parsed = true
}

// loadFired notes the load event. Scripts begin to work at it: quiet is counted from there.
func (n *Navigation) loadFired(*session.Target, json.RawMessage) {
	n.requests.ResetQuiet()
	n.mu.Lock()
	defer n.mu.Unlock()
	n.loaded, n.parsed, n.loadedAt = true, true, time.Now()
}

func (n *Navigation) navigatedTo(_ *session.Target, params json.RawMessage) {
	var e struct {
		Frame struct {
			ParentID       string `json:"parentId"`
			LoaderID       string `json:"loaderId"`
			URL            string `json:"url"`
			UnreachableURL string `json:"unreachableUrl"`
		} `json:"frame"`
	}
	if !session.Read(params, &e) || e.Frame.ParentID != "" {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.unreachable, n.url = e.Frame.UnreachableURL, e.Frame.URL
	if n.unreachable != "" {
		n.url = n.unreachable
	}
	n.leaving, n.parsed, n.loaded = false, false, false
	n.loadedAt, n.refresh, n.coming = time.Time{}, n.coming, ""
	n.loader = e.Frame.LoaderID
	n.commits++
	n.been[n.url]++ // at most maxNavigations of them
	n.count(n.commits)
	n.leftWeb(e.Frame.URL)
}

// leftWeb ends the render when the page has gone where no page may be.
func (n *Navigation) leftWeb(url string) {
	scheme, _, _ := strings.Cut(url, ":")
	switch scheme {
	case "http", "https", "about", "blob", "data", "chrome-error":
	default:
		n.end(savepage.Errorf(savepage.CodeAddressBlocked, "the page went to an address of the kind %s:", scheme))
	}
}

func (n *Navigation) navigationRequested(_ *session.Target, params json.RawMessage) {
	var e struct {
		FrameID     string `json:"frameId"`
		Disposition string `json:"disposition"`
	}
	if !session.Read(params, &e) || e.FrameID != n.frame || e.Disposition != "currentTab" {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.leave()
	n.requested++
	n.count(n.requested)
}

// stoppedLoading ends a navigation that came to nothing: a download, an empty answer, a script that thought otherwise.
func (n *Navigation) stoppedLoading(_ *session.Target, params json.RawMessage) {
	var e struct {
		FrameID string `json:"frameId"`
	}
	if !session.Read(params, &e) || e.FrameID != n.frame {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.leaving = false
}

// downloads ends a navigation whose answer is a file: the page stays.
func (n *Navigation) downloads(_ *session.Target, params json.RawMessage) {
	var e struct {
		FrameID string `json:"frameId"`
		URL     string `json:"url"`
	}
	if !session.Read(params, &e) {
		return
	}
	n.requests.drop(e.URL)
	if e.FrameID == n.frame {
		n.Stay()
		n.mu.Lock()
		defer n.mu.Unlock()
		n.download = true
	}
}

func (n *Navigation) count(navigations int) {
	if navigations > maxNavigations {
		n.end(savepage.Errorf(savepage.CodeTooManyRedirects, "the page went to another address more than %d times", maxNavigations))
	}
}

func (n *Navigation) documentRequested(_ *session.Target, params json.RawMessage) {
	url, id, is := session.MainDocument(params, n.frame)
	if !is {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.url, n.request = url, id
	n.leave()
}

func (n *Navigation) documentAnswered(_ *session.Target, params json.RawMessage) {
	var e struct {
		FrameID  string `json:"frameId"`
		LoaderID string `json:"loaderId"`
		Type     string `json:"type"`
		Response struct {
			Status  int               `json:"status"`
			Headers map[string]string `json:"headers"`
		} `json:"response"`
	}
	if !session.OfDocument(params) || !session.Read(params, &e) || e.Type != document || e.FrameID != n.frame {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.status, n.coming = e.Response.Status, ""
	for name, value := range e.Response.Headers {
		if strings.EqualFold(name, "Refresh") {
			n.coming = strings.Clone(value[:min(len(value), longText)])
		}
	}
	if e.LoaderID == n.loader { // the document is there before what is told of its answer
		n.refresh, n.coming = n.coming, ""
	}
}

func (n *Navigation) documentFailed(_ *session.Target, params json.RawMessage) {
	var e struct {
		RequestID string `json:"requestId"`
		Type      string `json:"type"`
		ErrorText string `json:"errorText"`
	}
	if !session.OfDocument(params) || !session.Read(params, &e) || e.Type != document {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if e.RequestID == n.request {
		n.failure = e.ErrorText
	}
}

// URL is the address of the document that came last, or of the request for the next one.
func (n *Navigation) URL() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.url
}

// Arrival says what has become of the first navigation.
func (n *Navigation) Arrival() Arrival {
	n.mu.Lock()
	defer n.mu.Unlock()
	return Arrival{Came: n.commits > 0, Download: n.download, Failure: n.failure}
}

// Commits is how many documents the main frame has had.
func (n *Navigation) Commits() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.commits
}

// Parsed reports whether DOMContentLoaded has come.
func (n *Navigation) Parsed() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.parsed
}

// Loaded reports whether the load event has come.
func (n *Navigation) Loaded() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.loaded
}

// Status is the HTTP status of the document that came last; 0 when none has come by HTTP.
func (n *Navigation) Status() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.status
}

// Unreachable is the address in whose place an error page of the browser stands, with Chromium's code for the reason;
// empty when none does.
func (n *Navigation) Unreachable() (url, netError string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.unreachable, n.failure
}

// Leaving reports whether the main frame is on its way to another document. A navigation that was asked for and made no
// request is none.
func (n *Navigation) Leaving() bool {
	n.mu.Lock()
	leaving, url := n.leaving, n.url
	n.mu.Unlock()
	if !leaving || n.requests.Quiet() < idle {
		return leaving
	}
	return n.requests.Asks(url)
}
