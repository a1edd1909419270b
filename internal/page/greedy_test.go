package page_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/browser"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/guard"
	"github.com/savepage/savepage/internal/page"
)

// A page that gives the browser more than it can take loses its own picture at most, and the page beside it does not end. Only a
// browser that it keeps from all others is replaced.
func TestGreedyPages(t *testing.T) {
	cfg := browser.Config{Pages: 3, MaxOwnRSS: 600 << 20}
	pool, err := browser.Start(context.Background(), cfg, guard.New(guard.Config{}), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pool.Close() }) // after the parallel subtests
	r := page.New(pool, page.Config{}, slog.New(slog.DiscardHandler))
	for _, c := range []struct {
		name, script string
		delay        int
	}{
		{"escaped text to the console", `console.log("\x01".repeat(46e6))`, 0},
		{"long text to the console", `console.log("a".repeat(270e6))`, 0},
		{"long error", `throw new Error("\x01".repeat(46e6))`, 0},
		{"long body", `fetch("/x", {method: "POST", body: "\x01".repeat(46e6)})`, 0},
		{"long address", `location.hash = "\x01".repeat(46e6)`, 0},
		{
			"blobs", `const all = []
			setInterval(() => all.push(new Blob([new Uint8Array(32 << 20).fill(all.length)])))`, 5000,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			beside, err := pool.Take(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer beside.Close()
			_, err = r.Render(t.Context(), patient(savepage.Options{HTML: "<p>x</p><script>" + c.script + "</script>", Delay: c.delay}))
			if err != nil && code(err) != savepage.CodePageCrashed && code(err) != savepage.CodeBrowserLost {
				t.Error(err)
			}
			select {
			case <-beside.Lost():
				if code(err) != savepage.CodeBrowserLost {
					t.Error("the browser ended")
				}
			case <-beside.Crashed():
				t.Error("the page beside ended")
			default:
			}
			if _, err := r.Render(t.Context(), patient(savepage.Options{HTML: "<p>next</p>"})); err != nil {
				t.Errorf("the next page: %v", err)
			}
		})
	}
}

// What a page writes to its console beyond a bound is dropped, and the report says so.
func TestFloodedConsole(t *testing.T) {
	shot := render(t, savepage.Options{HTML: `<p>x</p><script>
		for (let i = 0; i < 1500; i++) console.warn("w" + i)
		console.error("e".repeat(2e6))
		for (let i = 0; i < 1200; i++) setTimeout(() => { throw new Error("t" + i) })
	</script>`})
	got := shot.Report.Console
	if got.Warnings != 1000 || got.Errors != 1000 || got.Dropped != 500+1+200 || len(got.Texts) != 5 {
		t.Errorf("%+v", got)
	}
	shot = render(t, savepage.Options{HTML: `<p>x</p><script>
		let left = 200
		const say = () => { for (let i = 0; i < 500; i++) console.log(i); if (--left) setTimeout(say, 10) }
		say()
	</script>`, Delay: 1000})
	if got := shot.Report.Console.Dropped; got < 5000 || got > 50_000 {
		t.Errorf("%d of 100,000 messages were reported and dropped: the flood was not silenced", got)
	}
}

// Requests that cannot be followed are counted, and the report says so.
func TestUnfollowedRequests(t *testing.T) {
	shot := render(t, savepage.Options{HTML: `<p>x</p><script>
		for (let i = 0; i < 3; i++) fetch("/x?" + "a".repeat(1.5e6)).catch(() => 0)
	</script>`, Delay: 1000})
	r := shot.Report
	if r.Requests.Total < 4 || !r.Partial || !strings.Contains(strings.Join(r.Reasons, "; "), "were not followed") {
		t.Errorf("%+v", r)
	}
}

// A page that has its browser do more than it can ends as the cause, where the browser is behind; the page beside it is lost then
// without a fault of its own. Where the browser keeps up, both have their pictures. Neither times out.
func TestNeighbourThatFloods(t *testing.T) {
	pool, err := browser.Start(context.Background(), browser.Config{Pages: 2}, guard.New(guard.Config{}), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	r := page.New(pool, page.Config{}, slog.New(slog.DiscardHandler))
	ended := make(chan error, 1)
	go func() {
		flood := `setInterval(() => { for (let i = 0; i < 20000; i++) console.log("x".repeat(100)) }, 0)`
		_, err := r.Render(t.Context(), savepage.Options{HTML: "<p>x</p><script>" + flood + "</script>", Delay: 10_000, Timeout: 120_000})
		ended <- err
	}()
	for {
		_, err := r.Render(t.Context(), savepage.Options{HTML: "<p>honest</p>", Timeout: 30_000})
		if err != nil && (code(err) != savepage.CodeBrowserLost || errors.Is(err, capture.ErrCrashed)) {
			t.Errorf("the page beside: %v", err)
		}
		select {
		case err := <-ended:
			if err != nil && !errors.Is(err, capture.ErrCrashed) {
				t.Errorf("the page that floods: %v", err)
			}
			return
		default:
		}
	}
}
