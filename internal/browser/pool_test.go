package browser

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image/png"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/target"
	"golang.org/x/sys/unix"

	"github.com/savepage/savepage"
	wire "github.com/savepage/savepage/internal/cdp"
	"github.com/savepage/savepage/internal/guard"
)

func code(err error) savepage.Code {
	if e, ok := errors.AsType[*savepage.Error](err); ok {
		return e.Code
	}
	return ""
}

func TestTabsShareNothing(t *testing.T) {
	p := sharedPool(t)
	a, b := take(t, p), take(t, p)
	if a.ContextID() == b.ContextID() || a.Target() == b.Target() || a.Identity().ProxyURL() == b.Identity().ProxyURL() {
		t.Errorf("two tabs share a context, a page or a proxy: %v %v", a.ContextID(), b.ContextID())
	}
	_, err := wire.Call(within(t), a.Session(), network.SetCookie, network.SetCookieParams{
		Name: "secret", Value: "of a", URL: "http://example.com/",
	})
	if err != nil {
		t.Fatal(err)
	}
	for tab, want := range map[*Tab]int{a: 1, b: 0} {
		got, err := wire.Call(within(t), tab.Session(), network.GetCookies, network.GetCookiesParams{URLs: []string{"http://example.com/"}})
		if err != nil || len(got.Cookies) != want {
			t.Errorf("a page sees %d cookies, %v; want %d", len(got.Cookies), err, want)
		}
	}
}

func TestWarmTabNeedsNoAnswer(t *testing.T) {
	p := pool(t, Config{Pages: 2, Warm: 1, cores: 4})
	eventually(t, "a warm tab", func() bool { return p.Stats().Warm == 1 })
	b := p.current
	// A stopped browser answers nothing.
	freeze(t, b.process.pid)
	began := time.Now()
	tab := take(t, p)
	t.Logf("warm tab after %v", time.Since(began))
	if err := unix.Kill(b.process.pid, unix.SIGCONT); err != nil {
		t.Fatal(err)
	}
	mustEvaluate(t, tab, "6*7", "42")
	eventually(t, "another warm tab", func() bool { return p.Stats().Warm == 1 })
	eventually(t, "one context for each tab", func() bool { return contexts(t, b) == 2 })
}

func TestPopupsAreBlocked(t *testing.T) {
	tab := take(t, sharedPool(t))
	mustEvaluate(t, tab, "String([1,2,3].map(() => window.open('about:blank')))", `",,"`)
	for _, address := range []string{"about:blank", "http://nowhere.invalid/"} {
		for _, opens := range []string{"window.open('%s')", "window.open('%s', '_blank', 'noopener')", `
			Object.assign(document.createElement('a'), {href: '%s', target: '_blank'}).click()`, `
			Object.assign(document.createElement('a'), {href: '%s', target: 'named', rel: 'opener'}).click()`} {
			mustEvaluate(t, tab, fmt.Sprintf(opens, address)+"; 'goes on'", `"goes on"`)
		}
	}
	mustEvaluate(t, tab, "fetch('http://nowhere.invalid/').catch(() => new Promise(r => setTimeout(r, 10, 'still')))", `"still"`)
}

func TestManyTakesLeaveNothing(t *testing.T) {
	p := pool(t, Config{Pages: 4, Warm: 2})
	b := p.current
	var open, most atomic.Int64
	var all sync.WaitGroup
	ctx := within(t)
	for range 10 {
		all.Go(func() {
			for range 5 {
				tab, err := p.Take(ctx)
				if err != nil {
					t.Error(err)
					return
				}
				now := open.Add(1)
				for old := most.Load(); now > old && !most.CompareAndSwap(old, now); old = most.Load() {
				}
				if got, err := evaluate(ctx, tab, "document.URL"); err != nil || got != `"about:blank"` {
					t.Errorf("a page is at %s, %v", got, err)
				}
				open.Add(-1)
				tab.Close()
				tab.Close() // without effect
			}
		})
	}
	all.Wait()
	if n := most.Load(); n > 4 || n < 2 {
		t.Errorf("%d pages were in use at once, want at most 4 and more than one", n)
	}
	eventually(t, "only the warm contexts are left", func() bool {
		return contexts(t, b) == 2 && p.Stats() == Stats{Browsers: 1, Pages: 4, Warm: 2}
	})
	eventually(t, "only the warm tabs are counted", func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		b.mu.Lock()
		defer b.mu.Unlock()
		return b.live == 2 && len(b.tabs) == 2 && b.inUse == 0
	})
}

func TestTakeGivesUp(t *testing.T) {
	p := pool(t, Config{Pages: 1})
	tab := take(t, p)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := p.Take(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("got %v", err)
	}
	tab.Close()
	again := take(t, p)
	mustEvaluate(t, again, "1", "1")
	again.Close()
	// A caller that gives up while its tab is being made leaves no slot taken and no context behind.
	b := p.current
	eventually(t, "no context", func() bool { return contexts(t, b) == 0 })
	for i := range 20 {
		ended, cancel := context.WithTimeout(t.Context(), time.Duration(i)*3*time.Millisecond)
		if tab, err := p.Take(ended); err == nil {
			tab.Close()
		}
		cancel()
	}
	eventually(t, "no context and no slot taken", func() bool { return contexts(t, b) == 0 && p.Stats().InUse == 0 })
	mustEvaluate(t, take(t, p), "1", "1")
}

func TestPageCrashHarmsNoOther(t *testing.T) {
	p := sharedPool(t)
	bad, good := take(t, p), take(t, p)
	for _, address := range []string{"chrome://crash", "chrome://kill"} {
		bad.Session().Send("Page.navigate", page.NavigateParams{URL: address})
		await(t, "the crash is seen", bad.Crashed())
		still(t, "another page crashed", good.Crashed())
		still(t, "the browser died", good.Lost())
		mustEvaluate(t, good, "1+1", "2")
		bad.Close()
		bad = take(t, p)
		mustEvaluate(t, bad, "1+1", "2")
	}
}

func TestPageThatIsGone(t *testing.T) {
	tab := take(t, sharedPool(t))
	tab.browser.conn().Browser().Send(target.CommandCloseTarget, target.CloseTargetParams{TargetID: tab.Target()})
	await(t, "the page's end is seen", tab.Crashed())
	if _, err := evaluate(within(t), tab, "1"); !errors.Is(err, wire.ErrClosed) {
		t.Errorf("a command to it got %v", err)
	}
}

func TestDeadWarmTabIsNotHandedOut(t *testing.T) {
	p := pool(t, Config{Pages: 1, Warm: 1})
	eventually(t, "a warm tab", func() bool { return p.Stats().Warm == 1 })
	p.mu.Lock()
	dead := p.ready[0]
	p.mu.Unlock()
	dead.Session().Send("Page.navigate", page.NavigateParams{URL: "chrome://crash"})
	await(t, "the crash is seen", dead.Crashed())
	mustEvaluate(t, take(t, p), "1", "1")
}

func TestKilledBrowserIsReplaced(t *testing.T) {
	p := pool(t, Config{Pages: 2, Warm: 1})
	tab := take(t, p)
	open := tab.Session().Send("Runtime.evaluate", map[string]any{"expression": "new Promise(() => {})", "awaitPromise": true})
	dead := tab.browser
	began := time.Now()
	if err := unix.Kill(dead.process.pid, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	await(t, "Lost", tab.Lost())
	t.Logf("loss seen after %v", time.Since(began))
	if err := open.Wait(within(t), nil); !errors.Is(err, wire.ErrClosed) {
		t.Errorf("an open call got %v", err)
	}
	tab.Close()
	next := take(t, p)
	t.Logf("next tab after %v", time.Since(began))
	mustEvaluate(t, next, "1", "1")
	if next.browser == dead {
		t.Error("a tab of the dead browser was handed out")
	}
	eventually(t, "the dead browser is off the books", func() bool { return p.Stats().Browsers == 1 })
	if s := p.Stats(); s.Restarts != 1 {
		t.Errorf("%d restarts, want 1", s.Restarts)
	}
	if _, all := p.Roster(); len(all) != 1 || all[0].PID != dead.process.pid || all[0].Reason == "" {
		t.Errorf("the browsers that were replaced are %+v, want %d", all, dead.process.pid)
	}
	eventually(t, "it is ready", func() bool { return p.Ready() == nil })
	gone(t, dead)
}

// gone checks that nothing is left of a browser.
func gone(t *testing.T, b *chromium) {
	t.Helper()
	await(t, "the browser's end", b.process.done)
	eventually(t, "no process is left", func() bool { return groupGone(b.process.pid) })
	if _, err := os.Stat(b.process.folder.path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder is left: %v", err)
	}
}

func TestTakeWhileTheBrowserDies(t *testing.T) {
	p := pool(t, Config{Pages: 4, Warm: 1})
	ctx := within(t)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 8 {
				tab, err := p.Take(ctx)
				if err != nil {
					t.Error(err)
					return
				}
				_, _ = evaluate(ctx, tab, "1")
				tab.Close()
			}
		})
	}
	for range 3 {
		p.mu.Lock()
		b := p.current
		p.mu.Unlock()
		if b != nil {
			b.process.kill()
			gone(t, b)
		}
	}
	all.Wait()
	mustEvaluate(t, take(t, p), "1", "1")
}

func TestBrowserThatHangsIsKilled(t *testing.T) {
	p := pool(t, Config{Pages: 2})
	tab := take(t, p)
	b := tab.browser
	freeze(t, b.process.pid)
	if err := p.Ready(); err == nil {
		t.Error("a browser that hangs is ready")
	}
	tab.Close()
	await(t, "the browser is given up", tab.Lost())
	gone(t, b)
	mustEvaluate(t, take(t, p), "1", "1")
}

func TestRecycleDisturbsNoPage(t *testing.T) {
	p := pool(t, Config{Pages: 3, Warm: 1, RecycleAfter: 2})
	a, b := take(t, p), take(t, p)
	old := a.browser
	mustEvaluate(t, a, "window.kept = 5", "5")
	all, _ := p.Roster()
	if len(all) == 0 || all[0].PID != old.process.pid || all[0].Pages != 2 || all[0].Captures != 2 || all[0].Memory < 10<<20 {
		t.Errorf("the browsers that run are %+v", all)
	}
	eventually(t, "a second browser", func() bool { return p.Stats().Browsers == 2 && p.Stats().Restarts == 1 })
	c := take(t, p)
	if c.browser == old || b.browser != old {
		t.Error("the new tab is in the old browser")
	}
	b.Close()
	mustEvaluate(t, a, "window.kept", "5")
	still(t, "the old browser was ended with a page in use", a.Lost())
	a.Close()
	gone(t, old)
	mustEvaluate(t, c, "1", "1")
	eventually(t, "one browser", func() bool { return p.Stats().Browsers == 1 })
}

func TestRecycleByAgeAndMemory(t *testing.T) {
	for name, cfg := range map[string]Config{
		"age":    {Pages: 1, RecycleAge: time.Millisecond},
		"memory": {Pages: 1, MaxRSS: 1},
	} {
		t.Run(name, func(t *testing.T) {
			p := pool(t, cfg)
			if s := p.Stats(); s.Restarts != 0 {
				t.Errorf("a browser that nobody used was replaced")
			}
			tab := take(t, p)
			eventually(t, "a new browser", func() bool { return p.Stats().Restarts > 0 })
			mustEvaluate(t, tab, "1", "1")
			if _, all := p.Roster(); all[len(all)-1].Reason != name {
				t.Errorf("the browsers that were replaced are %+v, want the first by %s", all, name)
			}
			tab.Close()
			gone(t, tab.browser)
		})
	}
}

// The browser's last tab may be closed before the next browser is up.
func TestRecycleOfAnIdleBrowser(t *testing.T) {
	p := pool(t, Config{Pages: 1, RecycleAfter: 1})
	tab := take(t, p)
	old := tab.browser
	tab.Close()
	gone(t, old)
	if s := p.Stats(); s.Restarts != 1 {
		t.Errorf("%d restarts, want 1", s.Restarts)
	}
}

func TestBrowserWithoutNewPagesIsReplaced(t *testing.T) {
	p := pool(t, Config{Pages: 2})
	tab := take(t, p)
	b := tab.browser
	waiting := make(chan offer, 1)
	p.mu.Lock()
	p.waiting = append(p.waiting, waiting)
	for range maxFailed {
		b.live++
		maker{p, b}.failed(errors.New("no page"), false)
	}
	p.mu.Unlock()
	if o := <-waiting; o.err == nil || !strings.Contains(o.err.Error(), "no page") {
		t.Errorf("a waiting caller got %v", o.err)
	}
	eventually(t, "a new browser", func() bool { return p.Stats().Restarts == 1 })
	mustEvaluate(t, tab, "1", "1")
	tab.Close()
	gone(t, b)
	mustEvaluate(t, take(t, p), "1", "1")
}

func TestGreedyPageIsKilled(t *testing.T) {
	p := pool(t, Config{Pages: 2, MaxTabRSS: 400 << 20})
	greedy, modest := take(t, p), take(t, p)
	greedy.Session().Send("Runtime.evaluate", map[string]any{
		"expression": "window.all = []; setInterval(() => all.push(new Uint8Array(32<<20).fill(7)), 20)",
	})
	await(t, "the page is killed", greedy.Crashed())
	still(t, "another page crashed", modest.Crashed())
	mustEvaluate(t, modest, "1", "1")
}

// What a page hands to the browser is the browser's memory: the page ends, not the browser, and no other page.
func TestPageThatFillsTheBrowserIsEnded(t *testing.T) {
	p := pool(t, Config{Pages: 3, Warm: 1, MaxOwnRSS: 500 << 20})
	greedy, modest := take(t, p), take(t, p)
	greedy.Session().Send("Runtime.evaluate", map[string]any{
		"expression": "window.all = []; setInterval(() => all.push(new Blob([new Uint8Array(32<<20).fill(7)])), 20)",
	})
	await(t, "the page is killed", greedy.Crashed())
	still(t, "the browser ended", greedy.Lost())
	greedy.Close()
	own := func() int64 { resident, _ := memory(p.current.process.pid); return resident }
	eventually(t, "the browser gives the memory back", func() bool { return own() < 500<<20 })
	still(t, "another page ended", modest.Crashed())
	mustEvaluate(t, modest, "1", "1")
}

func TestCloseLeavesNothing(t *testing.T) {
	dir := folderForAll(t)
	p := pool(t, Config{Pages: 1, Warm: 1, TempDir: dir})
	tab := take(t, p)
	proxy, err := url.Parse(tab.Identity().ProxyURL())
	if err != nil {
		t.Fatal(err)
	}
	waiting := make(chan error)
	go func() {
		_, err := p.Take(context.Background())
		waiting <- err
	}()
	began := time.Now()
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	t.Logf("closed after %v", time.Since(began))
	if err := <-waiting; code(err) != savepage.CodeShuttingDown {
		t.Errorf("a waiting caller got %v", err)
	}
	await(t, "Lost", tab.Lost())
	tab.Close()
	if c, err := net.Dial("tcp", proxy.Host); err == nil {
		c.Close()
		t.Error("the capture's proxy still listens")
	}
	gone(t, tab.browser)
	if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
	if _, err := p.Take(t.Context()); code(err) != savepage.CodeShuttingDown {
		t.Errorf("Take after Close got %v", err)
	}
	if err := p.Ready(); err == nil {
		t.Error("a closed pool is ready")
	}
	if s := p.Stats(); s.Browsers != 0 || s.Warm != 0 {
		t.Errorf("%+v after Close", s)
	}
}

func TestCloseEndsACallThatWaitsForItsTab(t *testing.T) {
	p := pool(t, Config{Pages: 1})
	freeze(t, p.current.process.pid)
	waiting := make(chan error)
	go func() {
		_, err := p.Take(context.Background())
		waiting <- err
	}()
	eventually(t, "a caller waits", func() bool { return p.Stats().Waiting == 1 })
	p.Close()
	if err := <-waiting; code(err) != savepage.CodeShuttingDown {
		t.Errorf("a waiting caller got %v", err)
	}
}

// The limits of the browser's processes must leave room for the largest picture that is taken in one piece.
func TestLargePictureWithinTheLimits(t *testing.T) {
	tab := take(t, sharedPool(t))
	mustEvaluate(t, tab, "document.body.style.height = '20000px'; document.body.style.background = 'linear-gradient(red, blue)'; 1", "1")
	res, err := wire.Call(within(t), tab.Session(), page.CaptureScreenshot, page.CaptureScreenshotParams{
		Format: page.CaptureScreenshotFormatPng, CaptureBeyondViewport: new(true), OptimizeForSpeed: new(true),
		Clip: &page.Viewport{Width: 1440, Height: 20000, Scale: 1},
	})
	if err != nil {
		t.Fatal(err)
	}
	size, err := png.DecodeConfig(bytes.NewReader(res.Data))
	if err != nil || size.Width != 1440 || size.Height != 20000 {
		t.Errorf("got %d bytes, %dx%d, %v", len(res.Data), size.Width, size.Height, err)
	}
}

func TestBrowserOutlivesTheThreadThatAskedForIt(t *testing.T) {
	started := make(chan *Pool)
	ctx := within(t)
	go func() {
		runtime.LockOSThread() // without unlocking: the thread ends with the goroutine
		p, err := Start(ctx, Config{Pages: 1}, guard.New(guard.Config{}), quiet())
		if err != nil {
			t.Error(err)
		}
		started <- p
	}()
	p := <-started
	if p == nil {
		t.FailNow()
	}
	defer p.Close()
	tab := take(t, p)
	for range 20 {
		mustEvaluate(t, tab, "1", "1")
		runtime.Gosched()
	}
	still(t, "the browser died", tab.Lost())
}

func TestBrowserThatCanNotStartAgain(t *testing.T) {
	dir := folderForAll(t)
	p := pool(t, Config{Pages: 1, TempDir: dir})
	tab := take(t, p)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	tab.browser.process.kill()
	await(t, "Lost", tab.Lost())
	tab.Close()
	if _, err := p.Take(within(t)); code(err) != savepage.CodeBrowserLost {
		t.Fatalf("got %v", err)
	}
	if err := p.Ready(); err == nil {
		t.Error("ready without a browser")
	}
}

func BenchmarkTakeWarm(b *testing.B) {
	p, err := Start(b.Context(), Config{Pages: 2, Warm: 2}, guard.New(guard.Config{}), quiet())
	if err != nil {
		b.Fatal(err)
	}
	defer p.Close()
	var taken time.Duration
	for b.Loop() {
		began := time.Now()
		tab, err := p.Take(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		taken += time.Since(began)
		tab.Close()
	}
	b.ReportMetric(float64(taken.Microseconds())/float64(b.N), "µs/take")
}

func BenchmarkStart(b *testing.B) {
	for b.Loop() {
		p, err := Start(b.Context(), Config{Pages: 2}, guard.New(guard.Config{}), quiet())
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if err := p.Close(); err != nil {
			b.Fatal(fmt.Errorf("close: %w", err))
		}
		b.StartTimer()
	}
}
