package browser

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/inspector"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"

	wire "github.com/savepage/savepage/internal/cdp"
	"github.com/savepage/savepage/internal/guard"
)

// Tab is a page in a context of its own, used for one capture. Whoever took it closes it.
type Tab struct {
	pool     *Pool
	browser  *chromium
	session  *wire.Session
	target   target.ID
	context  cdp.BrowserContextID
	identity *guard.Identity
	late     time.Duration // of the browser, when the tab was taken
	held     bool          // its page lies at an address that is not asked for before Release

	crashed   chan struct{}
	fate      *fate // of its process
	crashOnce sync.Once
	closeOnce sync.Once
	left      func() // called when the tab was closed; may be nil
}

// Session is the route to the page. Page and Inspector are enabled.
func (t *Tab) Session() *wire.Session { return t.session }

// Target is the page's id.
func (t *Tab) Target() target.ID { return t.target }

// ContextID is the id of the page's browser context.
func (t *Tab) ContextID() cdp.BrowserContextID { return t.context }

// Identity is the proxy that the page's connections go through. The tab closes it.
func (t *Tab) Identity() *guard.Identity { return t.identity }

// Version is how the page's browser names itself.
func (t *Tab) Version() Version { return t.browser.version }

// Held reports that the page was made at the address that it will show, which nobody is asked for before Release. Until then
// its session takes commands, all of which hold for the page from its first request on, and answers only those that need no process
// of the page: there is none.
func (t *Tab) Held() bool { return t.held }

// Release has a page that is held ask for its address.
func (t *Tab) Release() { t.session.Send(runtime.CommandRunIfWaitingForDebugger, nil) }

// Crashed is closed when the page's renderer has died, or was killed for its memory, or the page has closed itself.
func (t *Tab) Crashed() <-chan struct{} { return t.crashed }

// Lost is closed when the whole browser has died.
func (t *Tab) Lost() <-chan struct{} { return t.browser.lost }

// Sound looks whether every process that the page depends on lives and runs. The network service of a browser, for one, is started
// again by itself, and what was on its way is lost: an error that the page then has is not its own.
func (t *Tab) Sound() bool { return t.browser.vitals.sound() }

// Succeeded notes that the page's picture was made, so that its browser works.
func (t *Tab) Succeeded() {
	t.pool.mu.Lock()
	defer t.pool.mu.Unlock()
	t.browser.well = time.Now()
}

// KeptWaiting is for how long in all the browser has worked for its pages without an answer to anybody, or has let no new page
// through, since the tab was taken. It is 0 where the page has the browser to itself: then it keeps itself waiting.
func (t *Tab) KeptWaiting() time.Duration { return t.browser.vitals.pulse.lateness() - t.late }

// Distrust has the page's browser replaced, because it does not do what every browser does. Its pages are not disturbed.
func (t *Tab) Distrust(why string) {
	t.pool.mu.Lock()
	defer t.pool.mu.Unlock()
	t.pool.retire(t.browser, why)
}

// Close ends the page's connections, disposes of its context and gives the slot back. It waits for none of it. Only the
// first call has an effect.
func (t *Tab) Close() {
	t.closeOnce.Do(func() {
		t.pool.release(t)
		if t.left != nil {
			t.left()
		}
	})
}

func (t *Tab) crash() { t.crashOnce.Do(func() { close(t.crashed) }) }

// usable reports whether a tab that was made ahead still has its page.
func (t *Tab) usable() bool {
	select {
	case <-t.crashed:
		return false
	case <-t.browser.lost:
		return false
	default:
		return true
	}
}

// openTab makes a context with a proxy of its own and a page in it: a blank one that is ready to navigate or, with an address, one
// that is held.
func openTab(ctx context.Context, b *chromium, identity *guard.Identity, url string) (*Tab, error) {
	t := &Tab{browser: b, identity: identity, held: url != "", crashed: make(chan struct{}), fate: newFate()}
	root := b.conn().Browser()
	made, err := wire.Call(ctx, root, target.CreateBrowserContext, target.CreateBrowserContextParams{
		DisposeOnDetach: new(true),
		ProxyServer:     identity.ProxyURL(),
		// Not inherited from the flag of the same name: without it loopback goes around the proxy.
		ProxyBypassList: "<-loopback>",
	})
	if err != nil {
		return nil, err
	}
	t.context = made.BrowserContextID
	if err := t.openPage(ctx, root, url); err != nil {
		root.Send(target.CommandDisposeBrowserContext, target.DisposeBrowserContextParams{BrowserContextID: t.context})
		return nil, err
	}
	return t, nil
}

func (t *Tab) openPage(ctx context.Context, root *wire.Session, url string) error {
	noDownloads := root.Send(browser.CommandSetDownloadBehavior, browser.SetDownloadBehaviorParams{
		Behavior:         browser.SetDownloadBehaviorBehaviorDeny,
		BrowserContextID: t.context,
	})
	coming := t.browser.expect(t.context)
	made, err := wire.Call(ctx, root, target.CreateTarget, target.CreateTargetParams{
		URL: cmp.Or(url, "about:blank"), BrowserContextID: t.context,
	})
	if err != nil {
		t.browser.unexpect(t.context)
		return err
	}
	t.target = made.TargetID
	select {
	case id := <-coming:
		t.session = t.browser.attach(id, t)
	case <-t.browser.conn().Done():
		return wire.ErrClosed
	case <-ctx.Done():
		t.browser.unexpect(t.context)
		return ctx.Err()
	}
	inspect := t.session.Send(inspector.CommandEnable, nil)
	enable := t.session.Send(page.CommandEnable, page.EnableParams{})
	sent := []*wire.Pending{noDownloads}
	if !t.held {
		t.Release()
		// Awaited: a navigation that overtakes it can lose its load event.
		sent = append(sent, inspect, enable)
	}
	for _, one := range sent {
		if err := one.Wait(ctx, nil); err != nil {
			return err
		}
	}
	return nil
}

// expect has the route to the page that is made next in a context handed over.
func (b *chromium) expect(context cdp.BrowserContextID) <-chan target.SessionID {
	coming := make(chan target.SessionID, 1)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.expected[context] = coming
	return coming
}

func (b *chromium) unexpect(context cdp.BrowserContextID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.expected, context)
}

// attached handles the event that a page was made, which does nothing before it is released. One that a page has opened goes its own
// way, and ends at once: it keeps the page that opened it from going on meanwhile.
func (b *chromium) attached(method string, params json.RawMessage) {
	if method != target.AttachedToTarget.Method {
		return
	}
	var e target.EventAttachedToTarget
	if err := wire.Decode(params, &e); err != nil || e.TargetInfo == nil {
		return
	}
	b.mu.Lock()
	coming := b.expected[e.TargetInfo.BrowserContextID]
	delete(b.expected, e.TargetInfo.BrowserContextID)
	b.mu.Unlock()
	if coming == nil {
		b.conn().Attach(e.SessionID).Send(runtime.CommandRunIfWaitingForDebugger, nil)
		return
	}
	coming <- e.SessionID
}

// attach makes the route to a tab's page and watches for its end.
func (b *chromium) attach(id target.SessionID, t *Tab) *wire.Session {
	session := b.conn().Attach(id)
	session.Listen(func(method string, _ json.RawMessage) {
		if method == inspector.TargetCrashed.Method {
			t.crash()
		}
	})
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tabs[id] = t
	return session
}

// detached handles the event that the browser has taken a session back, as it does when a page closes itself.
func (b *chromium) detached(method string, params json.RawMessage) {
	if method != target.DetachedFromTarget.Method {
		return
	}
	var e target.EventDetachedFromTarget
	if err := wire.Decode(params, &e); err != nil {
		return
	}
	b.mu.Lock()
	t := b.tabs[e.SessionID]
	b.mu.Unlock()
	if t != nil {
		t.fate.learn(false)
		t.crash()
	}
}

// detach drops the route to a tab that is closed.
func (b *chromium) detach(t *Tab) {
	b.mu.Lock()
	delete(b.tabs, t.session.ID())
	b.mu.Unlock()
	t.session.Detach()
}

// dispose ends a tab's connections and its context, and waits for both.
func (t *Tab) dispose(ctx context.Context) error {
	sent := t.browser.conn().Browser().Send(target.CommandDisposeBrowserContext,
		target.DisposeBrowserContextParams{BrowserContextID: t.context})
	closing := t.identity.Close()
	err := sent.Wait(ctx, nil)
	t.browser.detach(t)
	if err != nil {
		return err
	}
	if closing != nil {
		return fmt.Errorf("close the capture's proxy: %w", closing)
	}
	return nil
}
