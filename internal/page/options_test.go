package page_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/testsite"
)

func TestHTML(t *testing.T) {
	t.Parallel()
	w := ownSite(t)
	shot := render(t, savepage.Options{
		HTML: `<!doctype html><title>Grüße</title><body style="margin:0"><img style="display:block" ` +
			`src="` + w.url("/picture/400x300-5.png") + `">
			<p id="p">ü</p><script>document.getElementById('p').textContent=location.origin</script><img src="/etc/passwd"><iframe ` +
			`src="file:///etc/passwd"></iframe>`,
	})
	if r := shot.Report; r.Title != "Grüße" || r.HTTPStatus != 200 || r.FinalURL != "" {
		t.Errorf("%+v", r)
	}
	if img := decode(t, shot); !near(img.At(200, 150), testsite.PictureColor(5), 0) {
		t.Errorf("the picture is %v", img.At(200, 150))
	}
}

func TestUserAgentAndLanguage(t *testing.T) {
	t.Parallel()
	w := ownSite(t)
	render(t, savepage.Options{URL: w.url("/echo"), UserAgent: "Harbour/1.0", AcceptLanguage: "de-CH,de;q=0.5"})
	for _, path := range []string{"/echo", "/echo.json"} {
		seen := w.site.Seen(path)
		if len(seen) == 0 {
			t.Fatalf("%s was not asked for", path)
		}
		if h := seen[0].Header; h.Get("User-Agent") != "Harbour/1.0" || !strings.HasPrefix(h.Get("Accept-Language"), "de-CH,de;q=0.") {
			t.Errorf("%s: %q %q", path, h.Get("User-Agent"), h.Get("Accept-Language"))
		}
	}
	w.site.Forget()
	render(t, savepage.Options{URL: w.url("/echo"), AcceptLanguage: "fr"})
	if h := w.site.Seen("/echo")[0].Header; h.Get("Accept-Language") != "fr" || !strings.HasPrefix(h.Get("User-Agent"), "Mozilla/5.0") {
		t.Errorf("%q %q", h.Get("Accept-Language"), h.Get("User-Agent"))
	}
}

// Headers reach the page's own origin, with its subresources, and no other one: not by a subresource, not by a redirect.
func TestHeadersStayWithTheOrigin(t *testing.T) {
	t.Parallel()
	w := ownSite(t)
	headers := savepage.Headers{"X-Secret": "s3cret", "Authorization": "Bearer abc", "Accept": "text/x-own"}
	render(t, savepage.Options{URL: w.url("/third"), Headers: headers})
	own := strings.TrimPrefix(w.site.URL, "http://")
	mine, others := 0, 0
	for _, path := range []string{
		"/third", "/picture/60x40-3.png", "/picture/60x40-4.png", "/picture/60x40-5.png", "/style.css", "/echo", "/echo.json",
		"/redirect",
	} {
		for _, r := range w.site.Seen(path) {
			has := r.Header.Get("X-Secret") == "s3cret" && r.Header.Get("Authorization") == "Bearer abc" && r.Header.Get("Accept") == "text/x-own"
			leaked := r.Header.Get("X-Secret") != "" || r.Header.Get("Authorization") != ""
			switch {
			case r.Host == own && has:
				mine++
			case r.Host == own:
				t.Errorf("own origin, %s: headers are missing: %v", r.Path, r.Header)
			case leaked:
				t.Errorf("leaked to %s%s", r.Host, r.Path)
			default:
				others++
			}
		}
	}
	if mine < 4 || others < 5 {
		t.Errorf("%d requests to the own origin and %d to others: too few to show anything", mine, others)
	}
	w.site.Forget()
	render(t, savepage.Options{URL: w.url("/redirect?to=" + w.site.Other + "/echo"), Headers: headers})
	for _, r := range w.site.Seen("/echo") {
		if r.Header.Get("X-Secret") != "" || r.Header.Get("Authorization") != "" {
			t.Errorf("leaked by a redirect of the document: %v", r.Header)
		}
	}
	if len(w.site.Seen("/echo")) == 0 || w.site.Seen("/redirect")[0].Header.Get("X-Secret") == "" {
		t.Error("the redirect was not followed with headers")
	}
}

// What a page asks for in other ways than by an element stays as apart: by workers of all kinds, sockets, preflights, forms,
// pings, and a redirect that leads away and back.
func TestHeadersStayWithTheOriginInWorkers(t *testing.T) {
	t.Parallel()
	w := ownSite(t)
	render(
		t,
		savepage.Options{URL: w.url("/workers"), Headers: savepage.Headers{"X-Secret": "s3cret", "Authorization": "Bearer abc"}, Delay: 500},
	)
	own := strings.TrimPrefix(w.site.URL, "http://")
	with, without := map[string]bool{}, map[string]bool{}
	for _, path := range []string{"/workers", "/worker.js", "/echo.json", "/socket", "/echo", "/redirect"} {
		for _, r := range w.site.Seen(path) {
			has := r.Header.Get("X-Secret") != "" || r.Header.Get("Authorization") != ""
			if has && r.Host != own {
				t.Errorf("leaked to %s%s", r.Host, r.Path)
			}
			if has {
				with[r.Path] = true
			} else {
				without[r.Host+r.Path] = true
			}
		}
	}
	for _, path := range []string{
		"/workers", "/worker.js?dedicated", "/worker.js?shared", "/worker.js?service", "/echo.json?in-dedicated",
		"/echo.json?in-service",
	} {
		if !with[path] {
			t.Errorf("%s came without the headers", path)
		}
	}
	other := strings.TrimPrefix(w.site.Other, "http://")
	for _, path := range []string{
		"/echo.json?in-dedicated", "/echo.json?in-shared", "/echo.json?in-service", "/echo.json?preflight", "/echo?form", "/echo.json?beacon",
		"/echo.json?prefetch", "/echo.json?ping", "/socket?other", "/socket?in-dedicated", "/socket?in-shared", "/socket?in-service",
		"/redirect?to=" + w.site.URL + "/echo.json?back",
	} {
		if !without[other+path] {
			t.Errorf("%s was not asked for: nothing is shown for it", path)
		}
	}
}

func TestCookies(t *testing.T) {
	t.Parallel()
	w := ownSite(t)
	shot := render(t, savepage.Options{
		URL:     w.url("/third"),
		Cookies: savepage.Cookies{{Name: "a", Value: "1"}, {Name: "b", Value: "2", Domain: "127.0.0.1", Path: "/picture"}},
	})
	for path, want := range map[string]string{"/third": "a=1", "/picture/60x40-5.png": "b=2; a=1"} {
		if got := w.site.Seen(path)[0].Header.Get("Cookie"); got != want {
			t.Errorf("%s: cookie %q, want %q", path, got, want)
		}
	}
	other := strings.TrimPrefix(w.site.Other, "http://")
	for _, r := range w.site.Seen("/style.css") {
		if r.Host == other && r.Header.Get("Cookie") != "" {
			t.Errorf("cookie leaked: %v", r.Header)
		}
	}
	_ = shot
	// The next capture knows nothing of them.
	w.site.Forget()
	render(t, savepage.Options{URL: w.url("/echo")})
	if got := w.site.Seen("/echo")[0].Header.Get("Cookie"); got != "" {
		t.Errorf("cookie of another capture: %q", got)
	}
}

func TestCookieOfAnotherSite(t *testing.T) {
	t.Parallel()
	for host, domains := range map[string][]string{
		"127.0.0.1":       {"127.0.0.2", "0.0.1", "example.com"},
		"www.example.com": {"example.org", "com", "ww.example.com", "a.www.example.com"},
	} {
		for _, domain := range domains {
			_, err := shared.Render(
				t.Context(),
				savepage.Options{URL: "http://" + host + "/", Cookies: savepage.Cookies{{Name: "a", Value: "1", Domain: domain}}, Timeout: 20_000},
			)
			var told *savepage.Error
			if !errors.As(err, &told) || told.Code != savepage.CodeInvalidRequest || len(told.Fields) != 1 {
				t.Errorf("%s for %s: %v", domain, host, err)
			}
		}
	}
}

func TestReport(t *testing.T) {
	t.Parallel()
	r := render(t, savepage.Options{URL: shared.url("/console")}).Report
	if r.HTTPStatus != 200 || r.Title != "Console" || r.FinalURL != shared.url("/console") || r.Partial || r.Blank {
		t.Errorf("%+v", r)
	}
	if r.Console.Warnings != 1 || r.Console.Errors != 53 || len(r.Console.Texts) != 5 || r.Console.Texts[0] != "careful" ||
		!strings.HasPrefix(r.Console.Texts[1], "broken") {
		t.Errorf("console: %+v", r.Console)
	}
	for _, text := range r.Console.Texts {
		if len(text) > 310 {
			t.Errorf("a text of %d bytes", len(text))
		}
	}
	if r.Requests.Total != 2 || r.Requests.Failed != 1 || len(r.Requests.Named) != 1 ||
		r.Requests.Named[0] != "failed: "+shared.url("/no-such-picture")+" (status 404)" {
		t.Errorf("requests: %+v", r.Requests)
	}
	r = render(t, savepage.Options{URL: shared.url("/redirect?n=3&to=/status/404")}).Report
	if r.HTTPStatus != 404 || r.FinalURL != shared.url("/status/404") {
		t.Errorf("%+v", r)
	}
	if r := render(t, savepage.Options{URL: shared.url("/status/500")}).Report; r.HTTPStatus != 500 {
		t.Errorf("%+v", r)
	}
	if r := render(t, savepage.Options{URL: shared.url("/basic-auth")}).Report; r.HTTPStatus != 401 || r.Title != "Sign in" {
		t.Errorf("%+v", r)
	}
}

func TestBlockedRequestsAreCounted(t *testing.T) {
	t.Parallel()
	r := render(
		t,
		savepage.Options{HTML: `<img src="http://10.1.2.3/x.png?token=1"><img src="http://169.254.169.254/latest"><p>text</p>`},
	).Report
	if r.Requests.Blocked != 2 || r.Requests.Failed != 0 || len(r.Requests.Named) != 2 ||
		!strings.HasPrefix(r.Requests.Named[0], "blocked: ") {
		t.Errorf("%+v", r.Requests)
	}
}

func TestContextEnds(t *testing.T) {
	t.Parallel()
	w := ownSite(t)
	ctx, cancel := context.WithCancel(t.Context())
	cause := errors.New("no longer wanted")
	_ = cause
	done := make(chan error, 1)
	go func() {
		_, err := shared.Render(ctx, savepage.Options{URL: w.url("/hang")})
		done <- err
	}()
	awaitSeen(t, w.site, "/hang")
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) || code(err) != "" {
		t.Errorf("%v", err)
	}
}

// A cookie without a domain stays with the page's origin: not another port of its host, not by a redirect, and not another
// host when other headers are set too. One with a domain belongs to the host.
func TestCookiesStayWithTheOrigin(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	asked := map[string]string{}
	server := func(body func() string) *httptest.Server {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			asked[r.URL.Path] = r.Header.Get("Cookie")
			mu.Unlock()
			switch r.URL.Path {
			case "/leave":
				http.Redirect(w, r, r.URL.Query().Get("to"), http.StatusFound)
			case "/page":
				w.Header().Set("Content-Type", "text/html")
				http.SetCookie(w, &http.Cookie{Name: "site", Value: "s"})
				_, _ = io.WriteString(w, body())
			}
		}))
		t.Cleanup(s.Close)
		return s
	}
	neighbour := server(nil)
	other := strings.Replace(neighbour.URL, "127.0.0.1", "localhost", 1)
	own := server(func() string {
		return `<!doctype html><title>p</title><img src="/own"><img src="` + neighbour.URL + `/img"><iframe ` +
			`src="` + neighbour.URL + `/frame"></iframe><img src="/leave?to=` + neighbour.URL + `/left">
			<img src="/leave?to=` + other + `/elsewhere"><script>fetch("` + neighbour.URL + `/fetch", {mode: "no-cors", credentials: ` +
			`"include"}); document.title = document.cookie</script>`
	})
	shot := render(t, savepage.Options{
		URL: own.URL + "/page", Headers: savepage.Headers{"X-A": "1"},
		Cookies: savepage.Cookies{{Name: "a", Value: "1"}, {Name: "b", Value: "2", Domain: "127.0.0.1"}},
	})
	mu.Lock()
	defer mu.Unlock()
	for path, want := range map[string]string{
		"/page": "a=1; b=2", "/own": "a=1; b=2; site=s", "/leave": "a=1; b=2; site=s",
		"/img": "b=2; site=s", "/frame": "b=2; site=s", "/fetch": "b=2; site=s", "/left": "b=2; site=s", "/elsewhere": "",
	} {
		if got, found := asked[path]; got != want || !found {
			t.Errorf("%s: cookies %q, want %q (asked: %v)", path, got, want, found)
		}
	}
	if shot.Report.Title != "a=1; b=2; site=s" {
		t.Errorf("the page sees %q", shot.Report.Title)
	}
}
