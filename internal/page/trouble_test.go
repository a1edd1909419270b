package page_test

import (
	"context"
	"errors"
	"fmt"
	"image/color"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/browser"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/guard"
	"github.com/savepage/savepage/internal/page"
	"github.com/savepage/savepage/internal/testsite"
)

// awaitSeen waits until the site has been asked for a path.
func awaitSeen(t *testing.T, site *testsite.Site, path string) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(2 * time.Minute)
	for len(site.Seen(path)) == 0 {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%s was not asked for", path)
		}
	}
}

// closedPort is an address where nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// Every page that misbehaves ends with its code in time, and the next capture on the same browser is right.
func TestMisbehaving(t *testing.T) {
	closed := closedPort(t)
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	t.Cleanup(secure.Close) // after the parallel subtests
	for _, c := range []struct {
		name    string
		o       savepage.Options
		code    savepage.Code
		message string // part of it
	}{
		{"name without address", savepage.Options{URL: "http://no-such-name.invalid/"}, savepage.CodeNameNotResolved, "no-such-name.invalid"},
		{
			"https name without address", savepage.Options{URL: "https://no-such-name.invalid/"}, savepage.CodeNameNotResolved,
			"no-such-name.invalid",
		},
		{"private address", savepage.Options{URL: "http://10.0.0.7/"}, savepage.CodeAddressBlocked, "10.0.0.7"},
		{
			"redirect to private", savepage.Options{URL: shared.url("/redirect?to=http://192.168.3.4/x")}, savepage.CodeAddressBlocked,
			"192.168.3.4",
		},
		{
			"script to private", savepage.Options{URL: shared.url("/js-redirect?to=http://192.168.3.5/x")}, savepage.CodeAddressBlocked,
			"192.168.3.5",
		},
		{
			"late script to private", savepage.Options{URL: shared.url("/js-redirect?ms=60&to=http://192.168.3.6/x")},
			savepage.CodeAddressBlocked, "192.168.3.6",
		},
		{"refused", savepage.Options{URL: "http://" + closed + "/"}, savepage.CodeConnectionFailed, closed},
		{"closed", savepage.Options{URL: shared.url("/close")}, savepage.CodeConnectionFailed, ""},
		{"certificate of nobody", savepage.Options{URL: secure.URL}, savepage.CodeTLSError, "ERR_CERT"},
		{"redirect to a file", savepage.Options{URL: shared.url("/redirect?to=file:///etc/passwd")}, savepage.CodeAddressBlocked, ""},
		{"tls to http", savepage.Options{URL: "https://127.0.0.1:" + shared.site.Port + "/a"}, savepage.CodeTLSError, ""},
		{"unsafe port", savepage.Options{URL: "http://127.0.0.1:1/"}, savepage.CodeAddressBlocked, ""},
		{"redirect loop", savepage.Options{URL: shared.url("/redirect-loop")}, savepage.CodeTooManyRedirects, ""},
		{"script loop", savepage.Options{URL: shared.url("/js-loop")}, savepage.CodeTooManyRedirects, "20"},
		{"meta loop", savepage.Options{URL: shared.url("/meta-loop")}, savepage.CodeTooManyRedirects, "20"},
		{"script loop, load", savepage.Options{URL: shared.url("/js-loop"), WaitUntil: savepage.WaitLoad}, savepage.CodeTooManyRedirects, ""},
		{"download", savepage.Options{URL: shared.url("/download")}, savepage.CodeNotAPage, "download"},
		{"nothing", savepage.Options{URL: shared.url("/empty")}, savepage.CodeNotAPage, ""},
		{"alert loop", savepage.Options{URL: shared.url("/alert-loop")}, savepage.CodeRenderTimeout, "dialogs"},
		{
			"no answer", savepage.Options{URL: shared.url("/hang"), Timeout: 4000}, savepage.CodeNavigationTimeout,
			"/hang did not answer within 4s",
		},
		{
			"load never comes", savepage.Options{URL: shared.url("/pending-picture"), Timeout: 8000, WaitUntil: savepage.WaitLoad},
			savepage.CodeRenderTimeout, "the load event (open: " + shared.url("/hang"),
		},
		{
			"never idle", savepage.Options{URL: shared.url("/pending"), Timeout: 8000, WaitUntil: savepage.WaitNetworkIdle},
			savepage.CodeRenderTimeout, "the network to be idle (open: " + shared.url("/hang") + ")",
		},
		{
			"never parsed", savepage.Options{URL: shared.url("/drip"), Timeout: 8000, WaitUntil: savepage.WaitDOMContentLoaded},
			savepage.CodeRenderTimeout, "the document to be parsed",
		},
		{
			"never appears", savepage.Options{URL: shared.url("/a"), Timeout: 8000, WaitForSelector: "#nothing"},
			savepage.CodeRenderTimeout, `the selector "#nothing" to be visible`,
		},
		{
			"hidden", savepage.Options{URL: shared.url("/element"), Timeout: 8000, WaitForSelector: "#gone"}, savepage.CodeRenderTimeout,
			`"#gone" to be visible`,
		},
		{"heap", savepage.Options{URL: shared.url("/crash")}, savepage.CodePageCrashed, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := shared.Render(t.Context(), patient(c.o))
			if code(err) != c.code || !strings.Contains(err.Error(), c.message) {
				t.Errorf("%v, want %s with %q", err, c.code, c.message)
			}
			next := render(t, savepage.Options{URL: shared.url("/bands?height=900")})
			bands(t, decode(t, next), 1, 0)
		})
	}
}

// Pages that annoy and still have a picture.
func TestAnnoying(t *testing.T) {
	for _, c := range []struct {
		name    string
		o       savepage.Options
		title   string
		partial string // part of the reason; empty when the picture is whole
	}{
		{"print", savepage.Options{URL: shared.url("/print")}, "Print", ""},
		{"popups", savepage.Options{URL: shared.url("/popup")}, "Popups", ""},
		{"dialogs", savepage.Options{URL: shared.url("/dialogs")}, "Dialogs", ""},
		{"ticker", savepage.Options{URL: shared.url("/ticker")}, "Ticker", "an animation did not end in time: p#now"},
		{"animation", savepage.Options{URL: shared.url("/animation")}, "Animation", ""},
		{
			"pending request", savepage.Options{URL: shared.url("/pending"), Timeout: 12_000}, "Pending",
			"requests did not end: " + shared.url("/hang"),
		},
		{
			"pending picture", savepage.Options{URL: shared.url("/pending-picture"), Timeout: 12_000}, "Pending picture",
			"nobody answered, and the page was shown without: " + shared.url("/hang"),
		},
		{"drip", savepage.Options{URL: shared.url("/drip"), Timeout: 12_000}, "Drip", "the load event did not come"},
		{"endless script", savepage.Options{URL: shared.url("/spin"), Timeout: 12_000}, "Spin", "a script that did not end was stopped"},
		{
			"endless script later", savepage.Options{URL: shared.url("/spin?ms=150"), Timeout: 12_000, Delay: 300}, "Spin",
			"a script that did not end was stopped",
		},
		{
			"endless script in the parser", savepage.Options{URL: shared.url("/spin-now"), Timeout: 40_000}, "Spin now",
			"a script that did not end was stopped",
		},
		{"to a file", savepage.Options{URL: shared.url("/navigates-late")}, "To somewhere else", ""},
		{"to mailto", savepage.Options{URL: shared.url("/navigates-late?to=mailto:a@example.com")}, "To somewhere else", ""},
		{"to a download", savepage.Options{URL: shared.url("/navigates-late?to=/download")}, "To somewhere else", ""},
		{"to nothing", savepage.Options{URL: shared.url("/navigates-late?to=/empty")}, "To somewhere else", ""},
		{"endless feed", savepage.Options{URL: shared.url("/infinite"), Fullpage: true, MaxHeight: 3000}, "Endless feed", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			shot := render(t, c.o)
			r := shot.Report
			if r.Title != c.title || r.Partial != (c.partial != "") || !strings.Contains(strings.Join(r.Reasons, "; "), c.partial) {
				t.Errorf("%+v", r)
			}
			if strings.Contains(strings.Join(r.Reasons, " ")+strings.Join(r.Requests.Named, " "), "secret") {
				t.Errorf("a query is told: %+v", r)
			}
			decode(t, shot)
		})
	}
	if r := render(t, savepage.Options{URL: shared.url("/dialogs")}).Report; r.Dialogs != 3 {
		t.Errorf("%d dialogs", r.Dialogs)
	}
}

// A browser that ends while it renders is told from a page that ends its renderer, and one that crashes from one that
// somebody kills.
func TestBrowserEnds(t *testing.T) {
	for signal, crashed := range map[syscall.Signal]bool{syscall.SIGKILL: false, syscall.SIGSEGV: true} {
		w := ownSite(t)
		before := children(t)
		allow, err := guard.ParseAllow("127.0.0.0/8")
		if err != nil {
			t.Fatal(err)
		}
		quiet := slog.New(slog.DiscardHandler)
		pool, err := browser.Start(context.Background(), browser.Config{Pages: 1}, guard.New(guard.Config{Allow: allow}), quiet)
		if err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() {
			o := savepage.Options{URL: w.url("/pending-picture"), WaitUntil: savepage.WaitLoad}
			_, err := page.New(pool, page.Config{}, quiet).Render(t.Context(), patient(o))
			ended <- err
		}()
		awaitSeen(t, w.site, "/hang")
		for _, pid := range children(t) {
			if !slices.Contains(before, pid) {
				if err := syscall.Kill(pid, signal); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := <-ended; code(err) != savepage.CodeBrowserLost || errors.Is(err, capture.ErrCrashed) != crashed {
			t.Errorf("%s: %v", signal, err)
		}
		if err := pool.Close(); err != nil {
			t.Error(err)
		}
	}
}

// children are the processes that this test has started.
func children(t *testing.T) []int {
	t.Helper()
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	var pids []int
	for _, task := range tasks {
		list, _ := os.ReadFile(fmt.Sprintf("/proc/self/task/%s/children", task.Name()))
		for field := range strings.FieldsSeq(string(list)) {
			pid, err := strconv.Atoi(field)
			if err != nil {
				t.Fatal(err)
			}
			pids = append(pids, pid)
		}
	}
	return pids
}

// A page whose scripts begin again whenever they are stopped is shown as it is, whatever is asked for. Each keeps a processor
// busy, and its picture has seconds: no more than two are rendered at once, and nothing else beside them.
func TestSpinning(t *testing.T) {
	turns := make(chan struct{}, 2)
	take := func() func() {
		turns <- struct{}{}
		return func() { <-turns }
	}
	first, low := testsite.BandColor(101), testsite.BandColor(103)
	for _, c := range []struct {
		name          string
		o             savepage.Options
		width, height int
		x, y          int // a place in the picture
		is            color.RGBA
		reason        string // one more than that scripts were switched off
	}{
		{"viewport", savepage.Options{}, 1440, 900, 140, 250, first, "the timeout came while waiting for "},
		{"delay", savepage.Options{Delay: 4800}, 1440, 900, 140, 250, first, "the timeout came while waiting for "},
		{
			"own time", savepage.Options{Delay: 4800, Time: savepage.TimeVirtual}, 1440, 900, 140, 250, first,
			"the timeout came while waiting for ",
		},
		{"page", savepage.Options{Fullpage: true}, 1440, 2900, 140, 2850, low, "pictures further down the page were not waited for"},
		{"element", savepage.Options{Selector: "#low"}, 200, 100, 0, 0, low, "pictures further down the page were not waited for"},
		{
			"clip", savepage.Options{Clip: &savepage.Clip{X: 30, Y: 2790, Width: 300, Height: 100}}, 300, 100, 10, 10, low,
			"pictures further down the page were not waited for",
		},
		{"refused picture", savepage.Options{BlockResources: []savepage.Resource{savepage.ResourceImage}}, 1440, 900, 140, 250, first, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			defer take()()
			c.o.URL, c.o.Timeout, c.o.OnTimeout = shared.url("/spins?by=interval"), 5000, savepage.OnTimeoutCapture
			shot := render(t, c.o)
			if got := decode(t, shot).At(c.x, c.y); shot.Width != c.width || shot.Height != c.height || !near(got, c.is, 0) {
				t.Errorf("%d x %d, %v at %d,%d", shot.Width, shot.Height, got, c.x, c.y)
			}
			said := strings.Join(shot.Report.Reasons, "; ")
			if shot.Report.Title != "Spins" || !strings.Contains(said, "scripts that kept the page from being drawn were switched off") ||
				!strings.Contains(said, c.reason) {
				t.Errorf("%+v", shot.Report)
			}
		})
	}
	late := savepage.Options{URL: shared.url("/spins?by=interval"), Timeout: 5000, OnTimeout: savepage.OnTimeoutCapture}
	t.Run("pdf", func(t *testing.T) {
		t.Parallel()
		defer take()()
		o := late
		o.Format = savepage.FormatPDF
		if shot := render(t, o); shot.Report.Pages == 0 || shot.Report.Title != "Spins" || !shot.Report.Partial {
			t.Errorf("%+v", shot.Report)
		}
	})
	t.Run("what only the page can make", func(t *testing.T) {
		t.Parallel()
		defer take()()
		o := late
		o.Format, o.ThumbWidth = savepage.FormatWebP, 300
		if _, err := shared.Render(t.Context(), patient(o)); code(err) != savepage.CodeRenderTimeout {
			t.Error(err)
		}
	})
	t.Run("no element", func(t *testing.T) {
		t.Parallel()
		defer take()()
		o := late
		o.Selector = "#no-such"
		if _, err := shared.Render(t.Context(), patient(o)); code(err) != savepage.CodeSelectorNotFound {
			t.Error(err)
		}
	})
}
