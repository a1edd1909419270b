package dash_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/clock"
	"github.com/savepage/savepage/internal/dash"
)

const key = "sp_right"

// world is a dashboard before an API that a test scripts.
type world struct {
	t        *testing.T
	server   *httptest.Server
	dash     *dash.Dashboard
	client   *http.Client
	api      *http.ServeMux
	clock    *clock.Clock
	scopes   []savepage.Scope
	asked    []string        // requests to the API: method and address
	free     map[string]bool // patterns that need no key
	browsers func() ([]dash.Browser, []dash.Replaced)
	storage  func() (dash.Storage, error)
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{
		t: t, api: http.NewServeMux(), free: map[string]bool{}, scopes: savepage.Scopes(),
		clock: clock.Manual(time.Date(2026, 4, 1, 12, 0, 0, 0, time.UTC)),
	}
	made, err := dash.New(dash.Parts{
		API: http.HandlerFunc(w.ask), Authenticate: w.authenticate, Clock: w.clock,
		Browsers: func() ([]dash.Browser, []dash.Replaced) { return w.browsers() },
		Storage:  func(context.Context) (dash.Storage, error) { return w.storage() },
	}, dash.Config{
		Secret: make([]byte, 32), PublicURL: "http://shots.test", Version: "1", Log: slog.New(slog.DiscardHandler),
		Verifiers: []dash.Snippet{{Name: "Python", Text: "def verify_webhook(secrets, headers, body):"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.dash, w.server = made, httptest.NewServer(made)
	t.Cleanup(w.server.Close)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	w.client = &http.Client{Jar: jar}
	return w
}

func (w *world) ask(out http.ResponseWriter, r *http.Request) {
	w.asked = append(w.asked, r.Method+" "+r.URL.RequestURI())
	if _, pattern := w.api.Handler(r); !w.free[pattern] && r.Header.Get("Authorization") != "Bearer "+key {
		w.t.Errorf("%s was asked with %q", r.URL, r.Header.Get("Authorization"))
	}
	w.api.ServeHTTP(out, r)
}

func (w *world) authenticate(_ context.Context, given string) (savepage.Principal, error) {
	if given != key {
		return savepage.Principal{}, savepage.Errorf(savepage.CodeUnauthorized, "the key is not valid")
	}
	return savepage.Principal{Account: savepage.Account{ID: "acc_1"}, Scopes: w.scopes}, nil
}

// answer has the API answer a pattern with JSON.
func (w *world) answer(pattern string, status int, body any) {
	w.api.HandleFunc(pattern, func(out http.ResponseWriter, _ *http.Request) {
		w.write(out, status, body)
	})
}

// open is answer for what needs no key.
func (w *world) open(pattern string, body any) {
	w.free[pattern] = true
	w.answer(pattern, http.StatusOK, body)
}

func (w *world) write(out http.ResponseWriter, status int, body any) {
	out.Header().Set("Content-Type", "application/json")
	out.WriteHeader(status)
	if err := json.NewEncoder(out).Encode(body); err != nil {
		w.t.Error(err)
	}
}

func (w *world) get(address string) (int, string) {
	w.t.Helper()
	answer, err := w.client.Get(w.server.URL + address)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.read(answer)
}

func (w *world) post(address string, form url.Values) (int, string) {
	w.t.Helper()
	answer, err := w.client.PostForm(w.server.URL+address, form)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.read(answer)
}

func (w *world) read(answer *http.Response) (int, string) {
	w.t.Helper()
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

func (w *world) signIn() {
	w.t.Helper()
	if status, text := w.post("/ui/sign-in", url.Values{"key": {key}, "next": {"/ui/playground"}}); status != http.StatusOK ||
		!strings.Contains(text, "Playground") {
		w.t.Fatalf("signing in answers %d: %s", status, text)
	}
}

// has expects words of a page, without its markup.
func (w *world) has(text string, want ...string) {
	w.t.Helper()
	plain := regexp.MustCompile(`<[^>]*>|\s+`).ReplaceAllString(text, " ")
	plain = regexp.MustCompile(` +`).ReplaceAllString(plain, " ")
	for _, words := range want {
		if !strings.Contains(plain, words) {
			w.t.Errorf("%q is not in the page: %s", words, plain)
		}
	}
}

// TestNobodyIsLetIn leads who is not signed in to the form, and back afterwards.
func TestNobodyIsLetIn(t *testing.T) {
	w := newWorld(t)
	for _, address := range []string{"/", "/ui/captures?state=failed", "/ui/system", "/ui/keys"} {
		if status, text := w.get(address); status != http.StatusOK || !strings.Contains(text, "Sign in to SavePage") {
			t.Errorf("%s answers %d: %s", address, status, text)
		}
	}
	if len(w.asked) != 0 {
		t.Errorf("the API was asked: %q", w.asked)
	}
	w.answer("GET /v1/captures", http.StatusOK, map[string]any{"captures": []any{}})
	_, text := w.post("/ui/sign-in", url.Values{"key": {" " + key + "\n"}, "next": {"/ui/captures?state=failed"}})
	w.has(text, "No capture is like that")
	for _, outside := range []string{"https://evil.test/", "//evil.test/ui/", "/ui//evil.test", `/ui/\evil.test`, ""} {
		if _, text := w.post("/ui/sign-in", url.Values{"key": {key}, "next": {outside}}); !strings.Contains(text, "Nothing captured yet") {
			t.Errorf("signing in leads to %q", outside)
		}
	}
}

// TestWrongKeys are refused, and after ten of them right ones too, until five minutes have passed.
func TestWrongKeys(t *testing.T) {
	w := newWorld(t)
	for range 10 {
		if status, text := w.post("/ui/sign-in", url.Values{"key": {"sp_wrong"}}); status != http.StatusUnauthorized ||
			!strings.Contains(text, "not a valid key") {
			t.Fatalf("a wrong key answers %d", status)
		}
	}
	if status, _ := w.post("/ui/sign-in", url.Values{"key": {key}}); status != http.StatusTooManyRequests {
		t.Errorf("the eleventh try answers %d", status)
	}
	w.clock.Advance(5 * time.Minute)
	w.signIn()
}

// TestOneTimeLink signs in once, within an hour.
func TestOneTimeLink(t *testing.T) {
	w := newWorld(t)
	path := func() string { return strings.TrimPrefix(w.dash.OneTimeLink(key), "http://shots.test") }
	late := path()
	w.clock.Advance(time.Hour + time.Second)
	if status, text := w.get(late); status != http.StatusGone || !strings.Contains(text, "older than an hour") {
		t.Errorf("a late link answers %d", status)
	}
	link := path()
	if _, text := w.get(link); !strings.Contains(text, "Nothing captured yet") {
		t.Errorf("the link leads to %s", text)
	}
	if status, _ := w.get(link); status != http.StatusGone {
		t.Errorf("the second time it answers %d", status)
	}
}

// TestSessionsEnd with signing out, with the key, and after thirty days. A cookie of another secret is none.
func TestSessionsEnd(t *testing.T) {
	w := newWorld(t)
	w.signIn()
	w.clock.Advance(31 * 24 * time.Hour)
	_, text := w.get("/ui/playground")
	w.has(text, "Sign in to SavePage")
	w.signIn()
	_, text = w.post("/ui/sign-out", nil)
	w.has(text, "Sign in to SavePage")
	_, text = w.get("/ui/playground")
	w.has(text, "Sign in to SavePage")
}

// TestCookie cannot be read by scripts nor sent by other sites, and a form of another site is refused.
func TestCookie(t *testing.T) {
	w := newWorld(t)
	w.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	answer, err := w.client.PostForm(w.server.URL+"/ui/sign-in", url.Values{"key": {key}})
	if err != nil {
		t.Fatal(err)
	}
	w.read(answer)
	cookie := answer.Header.Get("Set-Cookie")
	for _, want := range []string{"HttpOnly", "SameSite=Strict", "Path=/ui/"} {
		if !strings.Contains(cookie, want) {
			t.Errorf("the cookie %q lacks %s", cookie, want)
		}
	}
	if strings.Contains(cookie, "right") {
		t.Error("the cookie shows the key")
	}
	csp := answer.Header.Get("Content-Security-Policy")
	if strings.Contains(csp, "unsafe") || !strings.Contains(csp, "default-src 'none'") || !strings.Contains(csp, "frame-ancestors 'none'") {
		t.Errorf("the policy is %q", csp)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.server.URL+"/ui/captures/cap_1/delete", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Origin", "https://evil.test")
	request.Header.Set("Sec-Fetch-Site", "cross-site")
	if answer, err = w.client.Do(request); err != nil {
		t.Fatal(err)
	}
	if w.read(answer); answer.StatusCode != http.StatusForbidden || len(w.asked) != 0 {
		t.Errorf("another site's form answers %d, and the API was asked %q", answer.StatusCode, w.asked)
	}
}

// TestPlayground submits what the form has and leads to an address that keeps it. Wrong values stand at their fields.
func TestPlayground(t *testing.T) {
	w := newWorld(t)
	w.signIn()
	var got map[string]any
	w.api.HandleFunc("POST /v1/capture", func(out http.ResponseWriter, r *http.Request) {
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
			t.Error(err)
		}
		out.WriteHeader(http.StatusAccepted)
		_, _ = io.WriteString(out, `{"status":"accepted","capture_id":"cap_1"}`)
	})
	w.answer("GET /v1/captures/cap_1", http.StatusOK, map[string]any{
		"status": "success", "capture_id": "cap_1", "url": "https://example.com/", "image": "http://cdn.test/captures/abc.png",
		"width": 1440, "height": 900, "format": "png", "size": 20144,
		"timing": map[string]int{"queue_ms": 5, "render_ms": 1200, "total_ms": 1205},
		"report": map[string]any{"http_status": 404, "requests": map[string]any{"failed": 2, "named": []string{"https://x.test/<b>"}}},
	})
	_, text := w.post("/ui/playground", url.Values{
		"url": {"https://example.com/"}, "width": {"1440"}, "fullpage": {"true"}, "hide": {".a\r\n.b, .c"},
		"css": {"p::before{content:': true'}"},
	})
	want := map[string]any{
		"url": "https://example.com/", "fullpage": true, "hide": []any{".a", ".b, .c"}, "async": true,
		"css": "p::before{content:': true'}",
	}
	if a, b := mustJSON(t, got), mustJSON(t, want); a != b {
		t.Errorf("submitted %s, want %s", a, b)
	}
	w.has(text, "success", "1.21 s", "The page answered 404.", "2 requests failed.", "https://x.test/&lt;b&gt;",
		"1440 × 900 pixels, 20.1 kB, png")
	if !strings.Contains(text, `src="/captures/abc.png"`) || strings.Contains(text, "https://x.test/<b>") {
		t.Error("the picture is not shown from this server, or a text is not escaped")
	}
	w.has(text, "--fullpage", "&#34;fullpage&#34;: True", "content:&#39;: true&#39;")
	status, text := w.post("/ui/playground", url.Values{"url": {"ftp://x"}, "width": {"12"}})
	if status != http.StatusBadRequest {
		t.Errorf("wrong values answer %d", status)
	}
	w.has(text, "must be from 320 to 3840")
	if !strings.Contains(text, `value="12"`) {
		t.Error("the wrong value is not in the form any more")
	}
	_, text = w.get("/ui/playground/check?name=width&width=12")
	w.has(text, "must be from 320 to 3840")
	if _, text = w.get("/ui/playground/check?name=width&width=500"); strings.TrimSpace(text) != "" {
		t.Errorf("a right value is called wrong: %q", text)
	}
}

// TestCaptureAgain submits the same options, and wants no kept picture.
func TestCaptureAgain(t *testing.T) {
	w := newWorld(t)
	w.signIn()
	w.answer("GET /v1/captures/cap_1", http.StatusOK, map[string]any{
		"status": "success", "capture_id": "cap_1", "options": map[string]any{"url": "https://example.com/", "fullpage": true, "cache_ttl": 60},
	})
	w.answer("GET /v1/captures/cap_2", http.StatusOK, map[string]any{"status": "queued", "capture_id": "cap_2"})
	var got map[string]any
	w.api.HandleFunc("POST /v1/capture", func(out http.ResponseWriter, r *http.Request) {
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
			t.Error(err)
		}
		out.WriteHeader(http.StatusAccepted)
		_, _ = io.WriteString(out, `{"status":"accepted","capture_id":"cap_2"}`)
	})
	if status, text := w.post("/ui/captures/cap_1/again", nil); status != http.StatusOK || !strings.Contains(text, "cap_2") {
		t.Errorf("%d %s", status, text)
	}
	if a, b := mustJSON(t, got), `{"async":true,"fullpage":true,"url":"https://example.com/"}`; a != b {
		t.Errorf("submitted %s, want %s", a, b)
	}
}

// TestEveryPage has a face without data, with an error of the API, and without permission.
func TestEveryPage(t *testing.T) {
	pages := []struct{ address, api, empty string }{
		{"/ui/captures", "/v1/captures", "No captures yet"}, {"/ui/batches", "/v1/batches", "No batches yet"},
		{"/ui/deliveries", "/v1/deliveries", "No callbacks yet"}, {"/ui/inbox", "/v1/inbox", "Nothing has arrived yet"},
		{"/ui/webhooks", "/v1/webhooks/secret", "Rotate secret"},
		{"/ui/usage", "/v1/usage", "Captures this month"}, {"/ui/keys", "/v1/accounts/acc_1/keys", "Create a key"},
	}
	for _, one := range pages {
		t.Run(one.address, func(t *testing.T) {
			w := newWorld(t)
			w.signIn()
			broken := true
			w.answer("GET /v1/usage/history", http.StatusOK, map[string]any{})
			w.api.HandleFunc("GET "+one.api, func(out http.ResponseWriter, _ *http.Request) {
				if broken {
					out.WriteHeader(http.StatusServiceUnavailable)
					_, _ = io.WriteString(out, `{"status":503,"code":"storage_unavailable",
						"detail":"the database does not answer","request_id":"req-7"}`)
					return
				}
				_, _ = io.WriteString(out, `{}`)
			})
			status, text := w.get(one.address)
			if status != http.StatusServiceUnavailable {
				t.Errorf("an error answers %d", status)
			}
			w.has(text, "The database does not answer.", "storage_unavailable", "req-7")
			broken = false
			if status, text = w.get(one.address); status != http.StatusOK {
				t.Errorf("no data answers %d: %s", status, text)
			}
			w.has(text, one.empty)
		})
	}
	w := newWorld(t)
	w.scopes = []savepage.Scope{savepage.ScopeRead}
	w.signIn()
	for _, address := range []string{"/ui/keys", "/ui/system"} {
		_, text := w.get(address)
		w.has(text, "This key may not do that")
	}
	if status, text := w.get("/ui/nowhere"); status != http.StatusNotFound || !strings.Contains(text, "There is no page at this address.") {
		t.Errorf("an unknown page answers %d", status)
	}
}

// TestScriptIsSmall bounds what a browser loads.
func TestScriptIsSmall(t *testing.T) {
	w := newWorld(t)
	w.signIn()
	_, text := w.get("/ui/playground")
	for _, bad := range []string{"<style", " style=", "onclick=", "<script>"} {
		if strings.Contains(text, bad) {
			t.Errorf("the page has %q", bad)
		}
	}
	for _, found := range regexp.MustCompile(`(?:src|href)="([^"]+)"`).FindAllStringSubmatch(text, -1) {
		if strings.Contains(found[1], "://") {
			t.Errorf("the page refers to %s", found[1])
		}
		if strings.HasPrefix(found[1], "/ui/static/") {
			if status, data := w.get(found[1]); status != http.StatusOK || data == "" {
				t.Errorf("%s answers %d", found[1], status)
			}
		}
	}
}

// TestScriptsAreSmallTogether counts every script that the binary has.
func TestScriptsAreSmallTogether(t *testing.T) {
	names, err := filepath.Glob("static/*.js")
	if err != nil || len(names) < 4 {
		t.Fatalf("%q %v", names, err)
	}
	var packed bytes.Buffer
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		out := gzip.NewWriter(&packed)
		if _, err := out.Write(text); err != nil {
			t.Fatal(err)
		}
		if err := out.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if packed.Len() > 80_000 {
		t.Errorf("the scripts have %d bytes, packed", packed.Len())
	}
}

func mustJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
