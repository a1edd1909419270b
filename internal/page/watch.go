package page

import (
	"context"
	"encoding/json"
	"maps"
	"strings"
	"sync"
	"time"

	cdproto "github.com/chromedp/cdproto/cdp"
	cdpage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/target"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/browser"
	"github.com/savepage/savepage/internal/cdp"
)

const (
	maxNavigations = 20 // of the main frame in one capture
	maxDialogs     = 20
)

// watch follows what happens to the page by the browser's events. The listener only notes and answers, it never waits.
type watch struct {
	s        *cdp.Session
	frame    string        // id of the main frame
	timeout  time.Duration // of the render
	end      context.CancelCauseFunc
	handlers map[string]func(json.RawMessage)
	changed  chan struct{} // holds a token when something has changed
	asks     *interception
	place    func(origin string) // lets an origin ask for the place; nil where there is none to tell

	mu  sync.Mutex
	nav navigation
	net traffic
	con savepage.ConsoleReport

	workers map[target.SessionID]*worker // that have begun and not ended
	begun   map[string]int               // how many workers have begun, by URL

	expired  func()                         // hears that the page has used the time that it was given
	animated map[cdproto.BackendNodeID]bool // elements that the browser has named

	dialogs int
	world   *cdp.Pending // Page.createIsolatedWorld in the document that came last
}

// navigation is where the main frame is.
type navigation struct {
	url         string // of the document that came last, or of the request for it
	commits     int
	requested   int
	hosts       []string // that documents were asked of
	leaving     bool     // on the way to another document
	content     bool     // DOMContentLoaded
	loaded      bool     // load
	unreachable string   // the address that an error page stands for
}

func newWatch(tab *browser.Tab, to where, timeout time.Duration, end context.CancelCauseFunc) *watch {
	w := &watch{s: tab.Session(), frame: string(tab.Target()), timeout: timeout, end: end, changed: make(chan struct{}, 1)}
	w.nav.url = to.url
	w.net.open, w.net.refused, w.net.asked = map[string]*request{}, map[string]bool{}, map[string]int{}
	w.workers, w.begun = map[target.SessionID]*worker{}, map[string]int{}
	w.animated = map[cdproto.BackendNodeID]bool{}
	w.asks = &interception{w: w}
	w.handlers = w.asks.outfit.listeners(w.s)
	maps.Copy(w.handlers, map[string]func(json.RawMessage){
		"Page.frameNavigated":           w.frameNavigated,
		"Page.frameRequestedNavigation": w.frameRequested,
		"Page.frameStoppedLoading":      w.frameStopped,
		"Page.domContentEventFired":     func(json.RawMessage) { w.nav.content = true },
		"Page.loadEventFired":           w.loaded,
		"Page.javascriptDialogOpening":  w.dialog,
		"Network.requestWillBeSent":     w.requested,
		"Network.responseReceived":      w.responded,
		"Network.dataReceived":          w.data,
		"Network.loadingFinished":       w.finished,
		"Network.loadingFailed":         w.failed,
		"Network.webSocketCreated":      w.socket,
		"Runtime.consoleAPICalled":      w.console,
		"Runtime.exceptionThrown":       w.exception,
		"Fetch.requestPaused":           w.asks.paused(w.s),
		"Target.attachedToTarget":       w.asks.attached(w.s),
		"Target.detachedFromTarget":     w.workerLeft,
		"Animation.animationStarted":    w.animates,
		"Emulation.virtualTimeBudgetExpired": func(json.RawMessage) {
			if w.expired != nil {
				w.expired()
			}
		},
	})
	return w
}

// hearing is a listener that hands events to their handlers, with the lock held.
func (w *watch) hearing(handlers map[string]func(json.RawMessage)) func(string, json.RawMessage) {
	return func(method string, params json.RawMessage) {
		handle, known := handlers[method]
		if !known {
			return
		}
		w.mu.Lock()
		handle(params)
		w.mu.Unlock()
		select {
		case w.changed <- struct{}{}:
		default:
		}
	}
}

// read decodes an event. One that can not be read is passed over: what it says is then not known.
func read(params json.RawMessage, into any) bool { return cdp.Decode(params, into) == nil }

// loaded notes the load event. Scripts begin to work at it: quiet is counted from there.
func (w *watch) loaded(json.RawMessage) {
	w.nav.loaded, w.nav.content = true, true
	w.net.active = time.Now()
}

func (w *watch) frameNavigated(params json.RawMessage) {
	var e struct {
		Frame struct {
			ID             string `json:"id"`
			ParentID       string `json:"parentId"`
			URL            string `json:"url"`
			UnreachableURL string `json:"unreachableUrl"`
		} `json:"frame"`
	}
	if fn := w.asks.outfit.handlers["Page.frameNavigated"]; fn != nil {
		fn(w.s, params)
	}
	if !read(params, &e) || e.Frame.ParentID != "" {
		return
	}
	w.nav.unreachable = e.Frame.UnreachableURL
	w.nav.url = or(e.Frame.UnreachableURL, e.Frame.URL)
	w.nav.leaving, w.nav.content, w.nav.loaded = false, false, false
	w.nav.commits++
	w.count(w.nav.commits)
	w.leftWeb(e.Frame.URL)
	// Asked for now, so that the answer is there when the page has loaded.
	w.world = w.s.Send(cdpage.CommandCreateIsolatedWorld, map[string]any{"frameId": w.frame, "worldName": besideWorld})
}

// leftWeb ends the render when the page has gone where no page may be.
func (w *watch) leftWeb(url string) {
	scheme, _, _ := strings.Cut(url, ":")
	switch scheme {
	case "http", "https", "about", "blob", "data", "chrome-error":
	default:
		w.end(savepage.Errorf(savepage.CodeAddressBlocked, "the page went to an address of the kind %s:", scheme))
	}
}

func (w *watch) frameRequested(params json.RawMessage) {
	var e struct {
		FrameID     string `json:"frameId"`
		Disposition string `json:"disposition"`
	}
	if !read(params, &e) || e.FrameID != w.frame || e.Disposition != "currentTab" {
		return
	}
	w.nav.leaving = true
	w.nav.requested++
	w.count(w.nav.requested)
}

// frameStopped ends a navigation that came to nothing: a download, an empty answer, a script that thought otherwise.
func (w *watch) frameStopped(params json.RawMessage) {
	var e struct {
		FrameID string `json:"frameId"`
	}
	if read(params, &e) && e.FrameID == w.frame {
		w.nav.leaving = false
	}
}

func (w *watch) count(navigations int) {
	if navigations > maxNavigations {
		w.end(savepage.Errorf(savepage.CodeTooManyRedirects, "the page went to another address more than %d times", maxNavigations))
	}
}

// dialog dismisses alert, confirm and prompt. A page that asks whether to leave it may be left.
func (w *watch) dialog(params json.RawMessage) {
	var e struct {
		Type string `json:"type"`
	}
	if !read(params, &e) {
		return
	}
	w.dialogs++
	if w.dialogs > maxDialogs {
		w.end(savepage.Errorf(savepage.CodeRenderTimeout, "the page opened more than %d dialogs", maxDialogs))
		return
	}
	w.s.Send(cdpage.CommandHandleJavaScriptDialog, cdpage.HandleJavaScriptDialogParams{Accept: e.Type == "beforeunload"})
}

func (w *watch) mainURL() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.nav.url
}

// until waits until cond says that it is done. cond is called with the lock held, at once and after each event; it may
// name a time after which it wants to be asked again without one.
func (w *watch) until(ctx context.Context, cond func() (done bool, again time.Duration)) error {
	for {
		w.mu.Lock()
		done, again := cond()
		w.mu.Unlock()
		if done {
			return nil
		}
		if err := w.pause(ctx, again); err != nil {
			return err
		}
	}
}

// pause waits for an event, or for the given time if it is not zero.
func (w *watch) pause(ctx context.Context, atMost time.Duration) error {
	var timer <-chan time.Time
	if atMost > 0 {
		t := time.NewTimer(atMost)
		defer t.Stop()
		timer = t.C
	}
	select {
	case <-w.changed:
	case <-timer:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}
