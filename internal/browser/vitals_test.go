package browser

import (
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// shared finds a process that all pages share.
func sharedProcess(t *testing.T, b *chromium, name string) int {
	t.Helper()
	var pids []int
	eventually(t, "the "+name+" process is known", func() bool { pids = b.vitals.pids(name); return len(pids) > 0 })
	return slices.Max(pids)
}

// A browser of which a shared process ends or is stopped is replaced, also while no page is in use.
func TestSickBrowserIsReplaced(t *testing.T) {
	for _, name := range []string{"browser", "network", "GPU", "zygote"} {
		for _, c := range []struct {
			verb   string
			signal unix.Signal
		}{{"ended", unix.SIGKILL}, {"stopped", unix.SIGSTOP}} {
			t.Run(name+" "+c.verb, func(t *testing.T) {
				p := pool(t, Config{Pages: 2, Warm: 1})
				tab := take(t, p)
				if err := unix.Kill(sharedProcess(t, tab.browser, name), c.signal); err != nil {
					t.Fatal(err)
				}
				await(t, "Lost", tab.Lost())
				if tab.Sound() {
					t.Error("the browser still counts as sound")
				}
				tab.Close()
				next := take(t, p)
				mustEvaluate(t, next, "1", "1")
				if next.browser == tab.browser || !next.Sound() {
					t.Error("the next page is of the same browser")
				}
			})
		}
	}
}

// What a page does, however busy, is no sickness of its browser.
func TestBusyBrowserIsSound(t *testing.T) {
	p := pool(t, Config{Pages: 3})
	b := p.current
	var tabs []*Tab
	for range 2 {
		tab := take(t, p)
		tab.Session().Send("Runtime.evaluate", map[string]any{"expression": "for (;;);"})
		tabs = append(tabs, tab)
	}
	for range 3 { // the browser's own may be asking
		own := &probe{browser: b, pids: b.vitals.pids, page: b.vitals.page, kept: func(time.Duration) { t.Error("pages were kept waiting") }}
		if why, _ := own.ask(); why != "" {
			t.Error(why)
		}
	}
	if why := b.vitals.look(); why != "" || !tabs[0].Sound() {
		t.Error(why)
	}
}

// The probe alone, without a look at the processes' states, finds out which one does not answer.
func TestProbeNamesWhatDoesNotAnswer(t *testing.T) {
	p := pool(t, Config{Pages: 1})
	for _, name := range []string{"browser", "network", "GPU"} {
		t.Run(name, func(t *testing.T) {
			b, first, err := p.launcher.launch(within(t)) // nobody watches this one
			if err != nil {
				t.Fatal(err)
			}
			defer first.identity.Close()
			defer b.stop()
			b.vitals.pool = p
			b.vitals.look()
			if why, _ := b.vitals.probe.ask(); why != "" {
				t.Errorf("of a sound browser: %s", why)
			}
			freeze(t, sharedProcess(t, b, name))
			b.vitals.probe.next = b.born
			if why, worn := b.vitals.probe.ask(); worn || why != "the "+name+" process does not answer and does not run" {
				t.Errorf("got %q", why)
			}
		})
	}
}

// Pages that give something which every page needs more to do than it can end with their browser, which answers all the while. The
// others count as kept waiting.
func TestBrowserThatLetsNoPageThroughIsReplaced(t *testing.T) {
	const floods = 3
	p, _, url := heldPool(t, Config{Pages: floods + 1})
	good := take(t, p)
	var others []*Tab
	for range floods {
		tab := take(t, p)
		defer tab.Close()
		await(t, "the page", tab.Session().Send("Page.navigate", map[string]any{"url": strings.Replace(url, "127.0.0.1", "localhost", 1)}).Done())
		others = append(others, tab)
	}
	for _, tab := range others {
		tab.Session().Send("Runtime.evaluate", map[string]any{
			"expression": `setInterval(() => { for (let i = 0; i < 1000; i++) caches.has('x') }, 0)`,
		})
	}
	loses(t, good)
}

// Only a picture shows that a browser works: pages that end without one do not.
func TestBrowserWithoutPicturesIsSuspect(t *testing.T) {
	p := pool(t, Config{Pages: 2})
	stays := take(t, p)
	eventually(t, "the browser is suspect", func() bool {
		take(t, p).Close()
		return stays.browser.vitals.suspect()
	})
	stays.Succeeded()
	if stays.browser.vitals.suspect() {
		t.Error("a browser that has just made a picture is suspect")
	}
}

// A page that a signal has stopped ends, and no other.
func TestStoppedPageIsEnded(t *testing.T) {
	p := pool(t, Config{Pages: 2})
	stopped, other := take(t, p), take(t, p)
	mustEvaluate(t, stopped, "1", "1")
	before := stopped.browser.vitals.pids("page")
	stopped.Session().Send("Runtime.evaluate", map[string]any{"expression": "for (;;);"})
	busy := func() int { return busiest(before) }
	eventually(t, "the page works", func() bool { return processorTime(busy()) > time.Second/2 })
	if err := unix.Kill(busy(), unix.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	await(t, "the page's end", stopped.Crashed())
	still(t, "the browser ended", other.Lost())
	mustEvaluate(t, other, "1", "1")
}

// A process that is frozen stands still. One of which a thread runs, waits to, or has ended does not.
func TestThreadsStandStill(t *testing.T) {
	work := func(d time.Duration) effort { return effort{total: d} }
	before := threads{1: work(time.Second), 2: work(time.Minute)}
	for name, c := range map[string]struct {
		after threads
		want  bool
	}{
		"nothing done":       {threads{1: work(time.Second), 2: work(time.Minute)}, true},
		"next to nothing":    {threads{1: work(time.Second + restless), 2: work(time.Minute)}, true},
		"one ran":            {threads{1: work(2 * time.Second), 2: work(time.Minute)}, false},
		"one waits to":       {threads{1: {time.Second, true}, 2: work(time.Minute)}, false},
		"one ran and ended":  {threads{1: work(time.Second)}, false},
		"one has just begun": {threads{1: work(time.Second), 2: work(time.Minute), 3: work(time.Second)}, false},
	} {
		if got := c.after.still(before, restless); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
