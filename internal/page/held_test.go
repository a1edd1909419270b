package page_test

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/browser"
	"github.com/savepage/savepage/internal/guard"
	"github.com/savepage/savepage/internal/page"
	"github.com/savepage/savepage/internal/page/session"
)

// ways is a page that goes wrong, or right, in the way that its address names. It notes how documents are asked for.
type ways struct {
	mu    sync.Mutex
	asked []string
}

func (w *ways) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	var told []string
	for _, name := range []string{
		"User-Agent", "Accept-Language", "Sec-Ch-Ua", "Sec-Ch-Ua-Mobile", "Sec-Ch-Ua-Platform", "Sec-Fetch-Mode", "Sec-Fetch-Site",
		"Sec-Fetch-User", "Sec-Fetch-Dest", "Cookie", "X-Own",
	} {
		told = append(told, name+"="+r.Header.Get(name))
	}
	w.mu.Lock()
	w.asked = append(w.asked, r.URL.Path+" "+strings.Join(told, "; "))
	w.mu.Unlock()
	rw.Header().Set("Content-Type", "text/html")
	switch r.URL.Path {
	case "/redirect":
		http.Redirect(rw, r, "/page", http.StatusFound)
	case "/loop":
		http.Redirect(rw, r, "/loop", http.StatusFound)
	case "/download":
		rw.Header().Set("Content-Disposition", "attachment")
		_, _ = io.WriteString(rw, "a file")
	case "/none":
		rw.WriteHeader(http.StatusNoContent)
	case "/reset":
		rw.WriteHeader(http.StatusResetContent)
	case "/mail":
		rw.Header().Set("Location", "mailto:a@b.test")
		rw.WriteHeader(http.StatusFound)
	case "/missing":
		rw.WriteHeader(http.StatusNotFound)
	case "/gone":
		rw.WriteHeader(http.StatusGone)
		_, _ = io.WriteString(rw, "<title>Gone</title><p>gone")
	case "/abort":
		panic(http.ErrAbortHandler)
	case "/scripted":
		_, _ = io.WriteString(rw, `<title>A</title><body><script>
			history.pushState(0, '')
			document.body.append([history.length, innerWidth, outerHeight, screen.width, navigator.userAgent, navigator.languages].join())
			setTimeout(() => { document.title = 'B'; fetch('/page').then(() => document.body.append(' fetched')) }, 50)
		</script>`)
	case "/onward":
		_, _ = io.WriteString(rw, `<title>A</title><script>location.replace('/page')</script>`)
	default:
		_, _ = io.WriteString(rw, `<!DOCTYPE html><title>A page</title><p style="font-size:40px">Some text.`)
	}
}

// taken returns how documents were asked for since the last call.
func (w *ways) taken() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	taken := w.asked
	w.asked = nil
	return taken
}

// A page that is made at its address, as on a machine whose cores are busy, is the same in every way as one that is blank first: its
// requests, its picture, its report and its errors.
func TestHeldPage(t *testing.T) {
	allow, err := guard.ParseAllow("127.0.0.0/8")
	if err != nil {
		t.Fatal(err)
	}
	site := &ways{}
	server := httptest.NewServer(site)
	defer server.Close()
	quiet := slog.New(slog.DiscardHandler)
	type end struct {
		err     string
		picture []byte
		report  savepage.Report
		asked   []string
	}
	made := func(blank bool) func(o savepage.Options) end {
		cfg := browser.Config{Pages: 1}
		if blank {
			cfg.Warm = 1
		}
		pool, err := browser.Start(t.Context(), cfg, guard.New(guard.Config{Allow: allow}), quiet)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = pool.Close() })
		// The first page was made with the browser.
		tab, err := pool.Take(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		tab.Close()
		return func(o savepage.Options) end {
			for s := pool.Stats(); s.InUse > 0 || s.Warm != cfg.Warm; s = pool.Stats() {
				if t.Context().Err() != nil {
					t.Fatal(t.Context().Err())
				}
			}
			all := &sent{}
			r := page.New(pool, page.Config{}, quiet)
			r.Wrap(func(s session.Session) session.Session { return recorder{Session: s, to: all} })
			shot, err := r.Render(t.Context(), o)
			if slices.Contains(all.commands, "Page.navigate") != blank {
				t.Errorf("blank %t: sent %v", blank, all.commands)
			}
			is := end{picture: shot.Bytes, report: shot.Report, asked: site.taken()}
			if err != nil {
				is.err = err.Error()
			}
			return is
		}
	}
	held, blank := made(false), made(true)
	html := `<!DOCTYPE html><title>H</title><p>html`
	for name, o := range map[string]savepage.Options{
		"page": {}, "redirect": {}, "loop": {}, "download": {}, "none": {}, "reset": {}, "mail": {}, "missing": {}, "gone": {}, "abort": {},
		"scripted": {}, "onward": {},
		"html":        {HTML: html},
		"html at":     {HTML: html, BaseURL: server.URL + "/at"},
		"nobody":      {URL: "http://127.0.0.1:1/"},
		"no name":     {URL: "http://nowhere.invalid/"},
		"no port":     {URL: "http://127.0.0.1:6667/"}, // which browsers refuse
		"not allowed": {URL: "http://10.0.0.1/"},
		"no TLS":      {URL: strings.Replace(server.URL, "http:", "https:", 1)},
		"fragment":    {URL: server.URL + "/page#there"},
		"cookies":     {URL: server.URL + "/page", Cookies: savepage.Cookies{{Name: "a", Value: "b"}}},
		"headers":     {URL: server.URL + "/redirect", Headers: savepage.Headers{"X-Own": "yes"}},
		"languages":   {URL: server.URL + "/page", AcceptLanguage: "de"},
		"dark":        {URL: server.URL + "/scripted", ColorScheme: savepage.ColorSchemeDark, Width: 600, Scale: 2},
		"load":        {URL: server.URL + "/page", WaitUntil: savepage.WaitLoad},
		"whole page":  {URL: server.URL + "/scripted", Fullpage: true},
		"transparent": {URL: server.URL + "/page", Transparent: true},
		"blocked":     {URL: server.URL + "/page", BlockURLs: []string{"*/page"}},
		"own script":  {URL: server.URL + "/page", JS: "document.body.append('own')"},
		"fails":       {URL: server.URL + "/gone", FailOn: []savepage.Failure{"4xx"}},
	} {
		t.Run(name, func(t *testing.T) {
			if o.URL == "" && o.HTML == "" {
				o.URL = server.URL + "/" + name
			}
			a, b := held(patient(o)), blank(patient(o))
			if a.err != b.err || !slices.Equal(a.asked, b.asked) {
				t.Errorf("held: %s %q\nblank: %s %q", a.err, a.asked, b.err, b.asked)
			}
			if !bytes.Equal(a.picture, b.picture) {
				t.Error("the pictures differ")
			}
			x, y := a.report, b.report
			if x.HTTPStatus != y.HTTPStatus || x.FinalURL != y.FinalURL || x.Title != y.Title || x.Partial != y.Partial ||
				x.Requests.Total != y.Requests.Total || x.Requests.Failed != y.Requests.Failed || x.Console.Errors != y.Console.Errors {
				t.Errorf("held: %+v\nblank: %+v", x, y)
			}
		})
	}
}
