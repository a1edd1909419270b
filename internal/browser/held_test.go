package browser

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/chromedp/cdproto/network"
	"golang.org/x/sys/unix"

	wire "github.com/savepage/savepage/internal/cdp"
	"github.com/savepage/savepage/internal/guard"
)

// A page for which none is ready is held at its address: nobody is asked for that before Release, and what it was told before holds
// for its first request. It leaves nothing behind.
func TestHeldPage(t *testing.T) {
	p, asked, url := heldPool(t, Config{Pages: 1})
	eventually(t, "no page is left", func() bool { return contexts(t, p.current) == 0 })
	tab, err := p.TakeAt(within(t), url)
	if err != nil || !tab.Held() {
		t.Fatalf("%+v, %v", tab, err)
	}
	cookie := network.SetCookiesParams{Cookies: []*network.CookieParam{{Name: "a", Value: "b", URL: url}}}
	if _, err := wire.Call(within(t), tab.Session(), network.SetCookies, cookie); err != nil {
		t.Fatal(err)
	}
	select {
	case got := <-asked:
		t.Fatalf("asked before the release, with %q", got)
	default:
	}
	tab.Release()
	select {
	case got := <-asked:
		if got != "a=b" {
			t.Errorf("asked with the cookie %q", got)
		}
	case <-within(t).Done():
		t.Fatal("nobody was asked")
	}
	if s := p.Stats(); s.InUse != 1 {
		t.Errorf("%+v", s)
	}
	tab.Close()
	given, err := p.TakeAt(within(t), url) // and is given back without a release
	if err != nil || !given.Held() {
		t.Fatalf("%+v, %v", given, err)
	}
	given.Close()
	eventually(t, "nothing is left", func() bool {
		p.mu.Lock()
		live := p.current.live
		p.mu.Unlock()
		return live == 0 && contexts(t, p.current) == 0 && p.Stats().InUse == 0
	})
}

// A page that is ready is taken as it is.
func TestReadyPageIsNotHeld(t *testing.T) {
	p, _, url := heldPool(t, Config{Pages: 1, Warm: 1})
	tab, err := p.TakeAt(within(t), url)
	if err != nil || tab.Held() {
		t.Fatalf("%+v, %v", tab, err)
	}
	defer tab.Close()
	mustEvaluate(t, tab, "document.URL", `"about:blank"`)
}

// No page is made ahead at the cost of those that are in use.
func TestNoneAheadOnABusyMachine(t *testing.T) {
	p := pool(t, Config{Pages: 2, Warm: 1, cores: 2})
	tab := take(t, p)
	other := take(t, p)
	p.mu.Lock()
	if p.making+len(p.ready) != 0 {
		t.Errorf("%d pages are made ahead, and %d are ready", p.making, len(p.ready))
	}
	p.mu.Unlock()
	tab.Close()
	p.mu.Lock()
	if p.making+len(p.ready) != 0 {
		t.Errorf("%d pages are made ahead, and %d are ready, with one in use", p.making, len(p.ready))
	}
	p.mu.Unlock()
	other.Close()
	eventually(t, "a page is ready", func() bool { return p.Stats().Warm == 1 })
}

// A caller whose page cannot be held, because the browser ends meanwhile, has one of the next browser.
func TestHoldInABrowserThatEnds(t *testing.T) {
	p, _, url := heldPool(t, Config{Pages: 1})
	b := p.current
	freeze(t, b.process.pid)
	taken := make(chan *Tab, 1)
	go func() {
		tab, err := p.TakeAt(t.Context(), url)
		if err != nil {
			t.Error(err)
		}
		taken <- tab
	}()
	eventually(t, "a page is under way", func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return b.live > 0
	})
	if err := unix.Kill(b.process.pid, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	tab := <-taken
	if tab == nil {
		t.FailNow()
	}
	defer tab.Close()
	if tab.browser == b {
		t.Error("the page is in a browser that has ended")
	}
}

// heldPool is a pool that may ask a server, which says with which cookies.
func heldPool(t *testing.T, cfg Config) (p *Pool, asked <-chan string, url string) {
	t.Helper()
	allow, err := guard.ParseAllow("127.0.0.0/8")
	if err != nil {
		t.Fatal(err)
	}
	cookies := make(chan string, 10)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/page" {
			cookies <- r.Header.Get("Cookie")
		}
	}))
	t.Cleanup(server.Close)
	p, err = Start(within(t), cfg, guard.New(guard.Config{Allow: allow}), quiet())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p, cookies, server.URL + "/page"
}
