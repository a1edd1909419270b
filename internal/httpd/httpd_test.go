package httpd_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/savepage/savepage/internal/httpd"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// lines is a log that tests read.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// entries returns the log's lines with a message.
func (l *lines) entries(t *testing.T, message string) []map[string]any {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	var found []map[string]any
	for line := range strings.Lines(l.text.String()) {
		var entry map[string]any
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatal(err)
		}
		if entry["msg"] == message {
			found = append(found, entry)
		}
	}
	return found
}

func newLog() (*slog.Logger, *lines) {
	l := &lines{}
	return slog.New(slog.NewJSONHandler(l, nil)), l
}

func get(t *testing.T, h http.Handler, path string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	req := httptest.NewRequest(http.MethodGet, path, nil)
	for _, line := range headers {
		name, value, _ := strings.Cut(line, ": ")
		req.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, req)
	return w
}

func TestAccessLog(t *testing.T) {
	log, written := newLog()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/captures/{id}", func(w http.ResponseWriter, r *http.Request) {
		httpd.SetAccount(r, "acc_1")
		w.WriteHeader(http.StatusTeapot)
		_, _ = io.WriteString(w, "12345")
	})
	mux.HandleFunc("GET /v1/{$}", func(http.ResponseWriter, *http.Request) {})
	for _, path := range []string{"/healthz", "/readyz", "/metrics", "/version", "/openapi.json", "/docs", "/docs/options"} {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	}
	h := httpd.Chain{Log: log}.Wrap(mux)
	w := get(t, h, "/v1/captures/cap_1?key=secret%0aforged", "X-Request-Id: abc-1", "Authorization: Bearer secret")
	get(t, h, "/v1/")
	for _, path := range []string{"/healthz", "/readyz", "/metrics", "/version", "/openapi.json", "/docs", "/docs/options"} {
		get(t, h, path)
	}
	got := written.entries(t, "request")
	if len(got) != 2 {
		t.Fatalf("%d lines: %s", len(got), written.text.String())
	}
	for name, want := range map[string]any{
		"method": "GET", "route": "/v1/captures/{id}", "path": "/v1/captures/cap_1", "status": 418.0, "bytes": 5.0, "account": "acc_1",
		"request_id": "abc-1",
	} {
		if got[0][name] != want {
			t.Errorf("%s: %v", name, got[0][name])
		}
	}
	if _, measured := got[0]["ms"].(float64); !measured || strings.Contains(written.text.String(), "secret") {
		t.Error(written.text.String())
	}
	if got[1]["route"] != "/v1/" || got[1]["status"] != 200.0 {
		t.Errorf("%v", got[1])
	}
	if w.Header().Get("X-Request-Id") != "abc-1" {
		t.Errorf("%v", w.Header())
	}
}

func TestRequestID(t *testing.T) {
	log, _ := newLog()
	var seen string
	h := httpd.Chain{Log: log}.Wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen = r.Header.Get("X-Request-Id") }))
	made := map[string]bool{}
	for _, given := range []string{"", "a b", "<script>", strings.Repeat("x", 129), "a\tb", "ü"} {
		w := get(t, h, "/", "X-Request-Id: "+given)
		id := w.Header().Get("X-Request-Id")
		if !strings.HasPrefix(id, "req_") || len(id) < 20 || made[id] || seen != id {
			t.Errorf("%q: %q", given, id)
		}
		made[id] = true
	}
	for _, given := range []string{"a", strings.Repeat("x", 128), "01J:x/y+z=._-"} {
		if got := get(t, h, "/", "X-Request-Id: "+given).Header().Get("X-Request-Id"); got != given {
			t.Errorf("%q: %q", given, got)
		}
	}
}

func TestPanicBecomesAFault(t *testing.T) {
	log, written := newLog()
	h := httpd.Chain{Log: log, Fault: func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = io.WriteString(w, "fault "+w.Header().Get("X-Request-Id"))
	}}.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Cache-Control", "immutable")
		panic("boom")
	}))
	w := get(t, h, "/x", "X-Request-Id: id7")
	if w.Code != 500 || w.Body.String() != "fault id7" || w.Header().Get("Cache-Control") != "" {
		t.Errorf("%d %s %v", w.Code, w.Body, w.Header())
	}
	panics := written.entries(t, "handler panicked")
	if len(panics) != 1 || panics[0]["panic"] != "boom" || panics[0]["request_id"] != "id7" ||
		!strings.Contains(panics[0]["stack"].(string), "httpd_test") {
		t.Errorf("%v", panics)
	}
	if got := written.entries(t, "request"); len(got) != 1 || got[0]["status"] != 500.0 {
		t.Errorf("%v", got)
	}
	if w := get(t, httpd.Chain{Log: log}.Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("boom") })),
		"/"); w.Code != 500 {
		t.Errorf("%d", w.Code)
	}
}

// After the first byte a panic can only break the connection, so that nobody takes half an answer for a whole one.
func TestLatePanicBreaksTheConnection(t *testing.T) {
	log, _ := newLog()
	server := httptest.NewServer(httpd.Chain{Log: log}.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "half")
		_ = http.NewResponseController(w).Flush()
		panic("boom")
	})))
	defer server.Close()
	resp, err := http.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.ReadAll(resp.Body); err == nil {
		t.Error("half an answer was whole")
	}
	http.DefaultClient.CloseIdleConnections()
}

func TestHealth(t *testing.T) {
	if w := get(t, httpd.Live(noBelts), "/healthz"); w.Code != 200 || w.Body.String() != "{\"status\":\"ok\"}\n" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	fine := httpd.Check{Name: "database", Run: func(context.Context) error { return nil }}
	if w := get(t, httpd.Ready(noBelts, fine), "/readyz"); w.Code != 200 || w.Body.String() != "{\"status\":\"ready\"}\n" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	broken := httpd.Check{Name: "browser", Run: func(context.Context) error { return errors.New("no browser answers") }}
	hangs := httpd.Check{Name: "blobs", Run: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }}
	w := get(t, httpd.Ready(noBelts, fine, broken, hangs), "/readyz")
	want := `{"status":"not ready","wrong":{"blobs":"context deadline exceeded","browser":"no browser answers"}}`
	if w.Code != 503 || strings.TrimSpace(w.Body.String()) != want || w.Header().Get("Content-Type") != "application/json" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestMetrics(t *testing.T) {
	var broken error
	m := httpd.NewMetrics("v1", httpd.Sources{
		Queues: func(context.Context) ([]httpd.Queue, error) {
			return []httpd.Queue{{Name: "interactive", Waiting: 7, Running: 2, Oldest: 1500 * time.Millisecond}}, broken
		},
		Deliveries: func(context.Context) (httpd.Deliveries, error) {
			return httpd.Deliveries{Pending: 11, Dead: 12, Delivered: 13, Died: 14, OpenReceivers: 15, ReceiversOpened: 16}, broken
		},
		Browsers: func() httpd.Browsers { return httpd.Browsers{Running: 1, Pages: 3, Warm: 2, Restarts: 4} },
	})
	m.Cache("hit")
	m.Accepted(false)
	m.Accepted(false)
	m.Accepted(true)
	m.Ended("failed", "tls_error", time.Second)
	m.Phases(httpd.Phases{Shoot: 30 * time.Millisecond})
	m.Retried("browser_lost")
	m.WebhookAttempt("delivered", 20*time.Millisecond)
	log, _ := newLog()
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", m.Handler())
	mux.HandleFunc("/v1/captures/{id}", func(http.ResponseWriter, *http.Request) {})
	h := httpd.Chain{Log: log, Metrics: m}.Wrap(mux)
	for range 3 {
		get(t, h, "/v1/captures/"+time.Now().String()[:10])
	}
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("BREW", "/v1/captures/x", nil))
	get(t, h, "/nothing/here")
	got := get(t, h, "/metrics").Body.String()
	for _, line := range []string{
		`savepage_captures_accepted_total{replayed="false"} 2`, `savepage_captures_accepted_total{replayed="true"} 1`,
		`savepage_cache_total{outcome="hit"} 1`,
		`savepage_captures_ended_total{code="tls_error",state="failed"} 1`, `savepage_captures_retried_total{code="browser_lost"} 1`,
		`savepage_capture_phase_seconds_bucket{phase="shoot",le="0.025"} 0`, `savepage_capture_phase_seconds_bucket{phase="shoot",le="0.05"} 1`,
		`savepage_capture_seconds_count 1`, `savepage_webhook_attempts_total{outcome="delivered"} 1`, `savepage_webhook_attempt_seconds_count 1`,
		`savepage_queue_waiting{queue="interactive"} 7`, `savepage_queue_running{queue="interactive"} 2`,
		`savepage_queue_oldest_seconds{queue="interactive"} 1.5`,
		`savepage_deliveries{state="pending"} 11`, `savepage_deliveries{state="dead"} 12`,
		`savepage_deliveries_ended_total{state="delivered"} 13`,
		`savepage_deliveries_ended_total{state="dead"} 14`, `savepage_receivers_open 15`, `savepage_receivers_opened_total 16`,
		`savepage_browsers 1`, `savepage_browser_pages 3`, `savepage_browser_warm_contexts 2`, `savepage_browser_restarts_total 4`,
		`savepage_http_request_seconds_count{method="GET",route="/v1/captures/{id}",status="200"} 3`,
		`savepage_http_request_seconds_count{method="other",route="/v1/captures/{id}",status="200"} 1`,
		`savepage_http_request_seconds_count{method="GET",route="other",status="404"} 1`,
		`savepage_build_info{version="v1"} 1`, `savepage_queue_unknown 0`,
	} {
		if !strings.Contains(got, line+"\n") {
			t.Errorf("no %s", line)
		}
	}
	broken = errors.New("locked")
	if got := get(t, h, "/metrics").Body.String(); !strings.Contains(got, "savepage_queue_unknown 1\n") ||
		!strings.Contains(got, "savepage_browsers 1\n") {
		t.Error("a broken source spoils the rest")
	} else if strings.Contains(got, `savepage_deliveries{`) {
		t.Error("unknown counts are shown")
	}
	if got := get(t, httpd.NewMetrics("v1", httpd.Sources{}).Handler(), "/metrics"); got.Code != 200 ||
		strings.Contains(got.Body.String(), "savepage_browsers") {
		t.Errorf("%d", got.Code)
	}
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// serve serves until the function that it returns is called, which returns what both the stop and Serve returned.
func serve(t *testing.T, on net.Listener, grace time.Duration, server *httpd.Server) (stop func() error) {
	t.Helper()
	served := make(chan error, 1)
	go func() { served <- server.Serve(on) }()
	return func() error { return errors.Join(server.Shutdown(context.Background(), grace), <-served) }
}

// The stop waits for a request that is being answered, and accepts no new one.
func TestGracefulStop(t *testing.T) {
	log, _ := newLog()
	listener := listen(t)
	entered, release := make(chan struct{}), make(chan struct{})
	stop := serve(t, listener, time.Hour, httpd.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(entered)
		<-release
		if r.Context().Err() != nil {
			w.WriteHeader(http.StatusInternalServerError)
		}
		_, _ = io.WriteString(w, "done")
	}), log))
	answers := make(chan string, 1)
	go func() {
		resp, err := http.Get("http://" + listener.Addr().String())
		if err != nil {
			answers <- err.Error()
			return
		}
		defer resp.Body.Close()
		text, _ := io.ReadAll(resp.Body)
		answers <- string(text)
	}()
	<-entered
	stopped := make(chan error, 1)
	go func() { stopped <- stop() }()
	select {
	case err := <-stopped:
		t.Fatalf("did not wait: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	refused := func() bool {
		conn, err := net.Dial("tcp", listener.Addr().String())
		if err == nil {
			conn.Close()
		}
		return err != nil
	}
	for deadline := time.After(time.Minute); !refused(); {
		select {
		case <-deadline:
			t.Fatal("still accepts connections")
		case <-time.After(time.Millisecond):
		}
	}
	close(release)
	if got := <-answers; got != "done" {
		t.Errorf("answer %q", got)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	http.DefaultClient.CloseIdleConnections()
}

// What is not done within the grace is cut off, and said.
func TestStopCutsOff(t *testing.T) {
	log, _ := newLog()
	listener := listen(t)
	entered := make(chan struct{})
	stop := serve(t, listener, 20*time.Millisecond, httpd.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(entered)
		<-r.Context().Done()
	}), log))
	failed := make(chan error, 1)
	go func() {
		resp, err := http.Get("http://" + listener.Addr().String())
		if err == nil {
			resp.Body.Close()
		}
		failed <- err
	}()
	<-entered
	if err := stop(); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	if err := <-failed; err == nil {
		t.Error("the request was answered")
	}
	http.DefaultClient.CloseIdleConnections()
}

func TestServeSaysWhyItFailed(t *testing.T) {
	log, _ := newLog()
	listener := listen(t)
	listener.Close()
	err := httpd.NewServer(http.NotFoundHandler(), log).Serve(listener)
	if !errors.Is(err, net.ErrClosed) {
		t.Errorf("%v", err)
	}
}

// A client that sends its header too slowly is cut off.
func TestSlowHeader(t *testing.T) {
	log, _ := newLog()
	listener := listen(t)
	stop := serve(t, listener, time.Second, httpd.NewServer(http.NotFoundHandler(), log))
	started := time.Now()
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n")
	_ = conn.SetReadDeadline(time.Now().Add(2 * time.Minute))
	if _, err := io.ReadAll(conn); err != nil || time.Since(started) < 5*time.Second {
		t.Errorf("after %s: %v", time.Since(started), err)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// noBelts are those of a server without a browser.
func noBelts() httpd.Belts { return nil }
