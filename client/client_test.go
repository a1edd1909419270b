package client_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/client"
	"github.com/savepage/savepage/internal/api"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/progress"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	key  = "sp_test"
	name = "abcdefghijklmnopqrstuvwx.png"
)

// flow is a server's inside that holds one capture.
type flow struct {
	signer signer
	mu     sync.Mutex
	c      savepage.Capture
	filter capture.Filter
	ended  chan struct{}
	awaits chan struct{} // one for each Await
	last   capture.Request
	outbox outbox
	batch  savepage.Batch
	asked  capture.BatchRequest

	progress progress.Hub
}

func (f *flow) Submit(_ context.Context, r capture.Request) (capture.Accepted, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	replayed := r.IdempotencyKey != "" && r.IdempotencyKey == f.last.IdempotencyKey
	f.last = r
	f.c = savepage.Capture{ID: "cap_1", Account: r.Account, State: savepage.Queued, Options: r.Options, CreatedAt: time.Now()}
	return capture.Accepted{Capture: f.c, Replayed: replayed}, nil
}

func (f *flow) end(how func(*savepage.Capture)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.c.FinishedAt = time.Date(2026, 4, 1, 12, 0, 0, 0, time.UTC)
	how(&f.c)
	close(f.ended)
}

func (f *flow) Get(context.Context, string, string) (savepage.Capture, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.c.ID == "" {
		return f.c, savepage.Errorf(savepage.CodeNotFound, "none")
	}
	return f.c, nil
}

func (f *flow) Await(ctx context.Context, _ string) (savepage.Capture, error) {
	f.awaits <- struct{}{}
	select {
	case <-f.ended:
		return f.Get(ctx, "", "")
	case <-ctx.Done():
		return savepage.Capture{}, ctx.Err()
	}
}

func (f *flow) List(_ context.Context, _ string, filter capture.Filter) ([]savepage.Capture, string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.filter = filter
	return []savepage.Capture{f.c}, "next", nil
}

func (f *flow) Count(context.Context, string, capture.Filter) (int, error) { return 7, nil }

func (f *flow) Deliveries(context.Context, string, string) ([]savepage.Delivery, error) {
	return []savepage.Delivery{{ID: "msg_1", State: savepage.Pending}}, nil
}

func (f *flow) Remove(context.Context, savepage.Capture) error { return nil }
func (f *flow) Authenticate(context.Context, string) (savepage.Principal, error) {
	return savepage.Principal{Account: savepage.Account{ID: "acc_1"}, Scopes: savepage.Scopes(), Limits: savepage.DefaultLimits()}, nil
}

func (f *flow) Cancel(ctx context.Context, _, _ string) (savepage.Capture, error) {
	f.end(func(c *savepage.Capture) { c.State = savepage.Canceled })
	return f.Get(ctx, "", "")
}

func succeed(c *savepage.Capture) {
	c.State = savepage.Success
	c.Picture = &savepage.Picture{Name: name, Format: savepage.FormatPNG, Width: 10, Height: 20, Size: 7}
}

type memory struct{ *bytes.Reader }

func (memory) Close() error       { return nil }
func (memory) ModTime() time.Time { return time.Time{} }

func open(_ context.Context, wanted string) (api.Picture, error) {
	if wanted != name {
		return nil, fs.ErrNotExist
	}
	return memory{bytes.NewReader([]byte("picture"))}, nil
}

// start serves the real API over a flow. Every request must carry the key, but those for pictures must not.
func start(t *testing.T) (*flow, *client.Client) {
	t.Helper()
	f := newFlow()
	server := httptest.NewUnstartedServer(nil)
	url := "http://" + server.Listener.Addr().String()
	cfg := api.Config{Links: capture.Links{PublicURL: url}, SyncWait: 100 * time.Millisecond}
	a, err := api.New(f.parts(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		picture := strings.HasPrefix(r.URL.Path, "/captures/") || r.URL.Path == savepage.LinkPath
		if (r.Header.Get("Authorization") == "Bearer "+key) == picture {
			t.Errorf("%s with Authorization %q", r.URL, r.Header.Get("Authorization"))
		}
		a.ServeHTTP(w, r)
	})
	server.Start()
	t.Cleanup(server.Close)
	hc := server.Client()
	t.Cleanup(hc.CloseIdleConnections)
	return f, client.New(url+"/", key, hc)
}

func TestCaptureWaits(t *testing.T) {
	f, c := start(t)
	go func() {
		<-f.awaits
		<-time.After(300 * time.Millisecond) // past the server's own wait
		f.end(succeed)
	}()
	done, err := c.Capture(t.Context(), savepage.Options{URL: "http://e.test", Width: 800, Metadata: []byte(`{"a":1}`)})
	if err != nil {
		t.Fatal(err)
	}
	if done.Status != savepage.Success || done.Width != 10 || done.Format != savepage.FormatPNG || string(done.Metadata) != `{"a":1}` ||
		!done.CapturedAt.Equal(time.Date(2026, 4, 1, 12, 0, 0, 0, time.UTC)) {
		t.Errorf("%+v", done)
	}
	if f.last.Options.Width != 800 || f.last.Options.Async {
		t.Errorf("%+v", f.last.Options)
	}
	picture, err := c.Image(t.Context(), done)
	if err != nil || string(picture) != "picture" {
		t.Errorf("%q %v", picture, err)
	}
	done.Image += "x"
	if _, err := c.Image(t.Context(), done); !isCode(err, savepage.CodeNotFound) {
		t.Errorf("%v", err)
	}
	if _, err := c.Image(t.Context(), client.Capture{}); err == nil {
		t.Error("a picture of nothing")
	}
}

func isCode(err error, code savepage.Code) bool {
	fault, known := errors.AsType[*savepage.Error](err)
	return known && fault.Code == code
}

func TestSubmitAndWait(t *testing.T) {
	f, c := start(t)
	accepted, err := c.SubmitOnce(t.Context(), "k1", savepage.Options{URL: "http://e.test"})
	if err != nil || accepted.CaptureID != "cap_1" || !strings.HasSuffix(accepted.StatusURL, "/v1/captures/cap_1") || accepted.Replayed {
		t.Fatalf("%+v %v", accepted, err)
	}
	if !f.last.Options.Async || f.last.IdempotencyKey != "k1" {
		t.Errorf("%+v", f.last)
	}
	if accepted, err = c.SubmitOnce(t.Context(), "k1", savepage.Options{URL: "http://e.test"}); err != nil || !accepted.Replayed {
		t.Errorf("%+v %v", accepted, err)
	}
	short, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := c.Wait(short, "cap_1"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	f.end(func(c *savepage.Capture) {
		c.State, c.Error = savepage.Failed, savepage.Errorf(savepage.CodeTLSError, "expired")
	})
	done, err := c.Wait(t.Context(), "cap_1")
	if !isCode(err, savepage.CodeTLSError) || done.Status != savepage.Failed || len(done.Deliveries) != 1 || done.CreatedAt.IsZero() {
		t.Errorf("%+v %v", done, err)
	}
}

func TestCaptureOnce(t *testing.T) {
	f, c := start(t)
	page := savepage.Options{URL: "http://e.test"}
	done, err := client.CaptureOnce(t.Context(), c, "k1", page, 0)
	if err != nil || done.CaptureID != "cap_1" || done.Status != savepage.Queued || f.last.IdempotencyKey != "k1" || f.last.Interactive {
		t.Fatalf("%+v %v %+v", done, err, f.last)
	}
	go func() {
		<-f.awaits
		f.end(succeed)
	}()
	done, err = client.CaptureOnce(t.Context(), c, "k1", page, 20*time.Second)
	if err != nil || done.Status != savepage.Success || done.Width != 10 || !f.last.Interactive || f.last.Options.Async {
		t.Errorf("%+v %v %+v", done, err, f.last)
	}
}

func TestFailedCaptureIsItsError(t *testing.T) {
	f, c := start(t)
	go func() {
		<-f.awaits
		f.end(func(c *savepage.Capture) {
			c.State, c.Error = savepage.Failed, savepage.Errorf(savepage.CodeRenderTimeout, "awaited load")
		})
	}()
	_, err := c.Capture(t.Context(), savepage.Options{URL: "http://e.test"})
	if !isCode(err, savepage.CodeRenderTimeout) || !strings.Contains(err.Error(), "awaited load") {
		t.Errorf("%v", err)
	}
}

func TestCancel(t *testing.T) {
	_, c := start(t)
	if _, err := c.Submit(t.Context(), savepage.Options{URL: "http://e.test"}); err != nil {
		t.Fatal(err)
	}
	if err := c.Cancel(t.Context(), "cap_1"); err != nil {
		t.Fatal(err)
	}
	done, err := c.Wait(t.Context(), "cap_1")
	if !isCode(err, savepage.CodeConflict) || done.Status != savepage.Canceled || done.CanceledAt.IsZero() {
		t.Errorf("%+v %v", done, err)
	}
	if err := c.Cancel(t.Context(), "cap_1"); err != nil { // deletes it
		t.Error(err)
	}
}

func TestList(t *testing.T) {
	f, c := start(t)
	f.c = savepage.Capture{ID: "cap_1", State: savepage.Queued}
	after := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	page, err := c.List(t.Context(), client.Filter{
		States: []savepage.State{savepage.Queued, savepage.Failed}, URL: "http://e.test/?a=b&c", Limit: 7, Cursor: "c+/=", CreatedAfter: after,
	})
	if err != nil || len(page.Captures) != 1 || page.Captures[0].CaptureID != "cap_1" || page.Next != "next" {
		t.Fatalf("%+v %v", page, err)
	}
	got := f.filter
	if len(got.States) != 2 || got.URL != "http://e.test/?a=b&c" || got.Limit != 7 || got.Cursor != "c+/=" ||
		!got.CreatedAfter.Equal(after) || !got.CreatedBefore.IsZero() {
		t.Errorf("%+v", got)
	}
	page, err = c.List(t.Context(), client.Filter{Count: true})
	if err != nil || page.Total != 7 {
		t.Errorf("%+v %v", page, err)
	}
	page, err = c.List(t.Context(), client.Filter{URLContains: "e.test"})
	if err != nil || page.Total != 0 || f.filter.URLContains != "e.test" {
		t.Errorf("%+v %+v %v", page, f.filter, err)
	}
	if _, err := c.List(t.Context(), client.Filter{}); err != nil || f.filter.Limit != 20 {
		t.Errorf("%+v %v", f.filter, err)
	}
}

func TestErrors(t *testing.T) {
	_, c := start(t)
	_, err := c.Submit(t.Context(), savepage.Options{URL: "ftp://x", Width: 5})
	fault, known := errors.AsType[*savepage.Error](err)
	if !known || fault.Code != savepage.CodeInvalidRequest || len(fault.Fields) != 2 || fault.Fields[0].Location != "body.url" ||
		fault.Fields[1].Value != 5.0 {
		t.Errorf("%+v", fault)
	}
	if _, err := c.Get(t.Context(), "../x y"); !isCode(err, savepage.CodeNotFound) {
		t.Errorf("%v", err)
	}
	odd := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "<b>proxy</b>", http.StatusBadGateway)
	}))
	defer odd.Close()
	if _, err := client.New(odd.URL, key, odd.Client()).Get(t.Context(), "x"); err == nil || !strings.Contains(err.Error(), "answered 502") {
		t.Errorf("%v", err)
	}
	garbled := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("nope")) }))
	defer garbled.Close()
	_, err = client.New(garbled.URL, key, garbled.Client()).Get(t.Context(), "x")
	if err == nil || !strings.Contains(err.Error(), "read the answer") {
		t.Errorf("%v", err)
	}
}
