package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/api"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/clock"
	"github.com/savepage/savepage/internal/progress"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Keys and accounts of the world.
const (
	keyA      = "sp_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	keyB      = "sp_bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
	keyRead   = "sp_rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr" // of keyA's account: it may look up only
	keyScope  = "sp_scope_"                           // with the name of its one scope behind it
	keySecret = "0123456789abcdef0123456789abcdef"
	secret    = "8udI3nt3xidnwq90In"
)

// world is the flow, the records, the keys and the store in memory.
type world struct {
	mu         sync.Mutex
	captures   map[string]*savepage.Capture
	order      []string
	ended      map[string]chan struct{}
	requests   []capture.Request
	replays    map[string]capture.Request
	replayIDs  map[string]string
	deliveries map[string][]savepage.Delivery
	outbox     outbox
	pictures   map[string][]byte
	filters    []capture.Filter
	opened     []string
	submitErr  error
	secrets    secrets
	links      links
	inboxes    inboxes
	stores     stores
	batches    []capture.BatchRequest
	batchErr   error
	limits     savepage.Limits // of every account
	progress   progress.Hub
	clock      *clock.Clock
	// ends, if set, ends a capture at once when it is submitted.
	ends func(c *savepage.Capture)
}

func newWorld() *world {
	w := &world{
		captures: map[string]*savepage.Capture{}, ended: map[string]chan struct{}{}, replays: map[string]capture.Request{},
		replayIDs: map[string]string{}, deliveries: map[string][]savepage.Delivery{}, pictures: map[string][]byte{},
		limits: savepage.DefaultLimits(), clock: clock.System(),
	}
	w.ends = w.succeed
	return w
}

// pictureStem is the name of every picture of the world, without its extension.
const pictureStem = "abcdefghijklmnopqrstuvwx012345"

// succeed ends c with a picture.
func (w *world) succeed(c *savepage.Capture) {
	c.State, c.FinishedAt = savepage.Success, time.Date(2026, 4, 1, 12, 0, 0, 5e8, time.UTC)
	c.CapturedAt = c.FinishedAt
	name := pictureStem + "." + c.Options.Format.Extension()
	w.pictures[name] = []byte("picture of " + c.Options.URL)
	c.Picture = &savepage.Picture{Name: name, Format: c.Options.Format, Width: 1440, Height: 900, Size: int64(len(w.pictures[name]))}
	c.Report = &savepage.Report{HTTPStatus: 200}
	phases := savepage.Phases{Navigate: 1, Settle: 2, Shoot: 3, Encode: 4, Store: 5}
	c.Timing = savepage.Timing{QueueMS: 12, RenderMS: 234, TotalMS: 246, Phases: phases}
}

// failWith makes captures end with an error.
func failWith(code savepage.Code, message string) func(*savepage.Capture) {
	return func(c *savepage.Capture) {
		c.State, c.FinishedAt, c.Error = savepage.Failed, time.Now(), savepage.Errorf(code, "%s", message)
	}
}

func (w *world) Submit(_ context.Context, r capture.Request) (capture.Accepted, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.requests = append(w.requests, r)
	if w.submitErr != nil {
		return capture.Accepted{}, w.submitErr
	}
	if strings.Contains(r.Options.URL, "//10.") || strings.Contains(r.Options.URL, "localhost") {
		return capture.Accepted{}, savepage.Errorf(savepage.CodeAddressBlocked, "url: the address is private")
	}
	replay := r.Account + "\n" + r.IdempotencyKey
	if first, used := w.replays[replay]; used && r.IdempotencyKey != "" {
		if first.Fingerprint != r.Fingerprint {
			return capture.Accepted{}, savepage.Errorf(savepage.CodeIdempotencyMismatch, "the key was used with another body")
		}
		return capture.Accepted{Capture: *w.captures[w.replayIDs[replay]], Replayed: true}, nil
	}
	c := &savepage.Capture{
		ID: fmt.Sprintf("cap_%026d", len(w.order)+1), Account: r.Account, KeyID: r.KeyID, State: savepage.Queued,
		Options: r.Options.WithDefaults(), Interactive: r.Interactive, CreatedAt: time.Now(),
	}
	w.captures[c.ID], w.ended[c.ID] = c, make(chan struct{})
	w.order = append(w.order, c.ID)
	w.replays[replay], w.replayIDs[replay] = r, c.ID
	accepted := capture.Accepted{Capture: *c}
	if w.ends != nil {
		w.ends(c)
		close(w.ended[c.ID])
	}
	return accepted, nil
}

// end ends a capture that waits.
func (w *world) end(id string, how func(*savepage.Capture)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	how(w.captures[id])
	close(w.ended[id])
}

func (w *world) Check(o savepage.Options) error {
	if !strings.Contains(o.URL, "//10.") {
		return nil
	}
	blocked := savepage.Errorf(savepage.CodeAddressBlocked, "url: the address is private")
	blocked.Fields = []savepage.FieldError{{Location: "url", Message: "the address is private"}}
	return blocked
}

func (w *world) Remove(_ context.Context, c savepage.Capture) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.captures, c.ID)
	return nil
}

func (w *world) Get(_ context.Context, account, id string) (savepage.Capture, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if c, known := w.captures[id]; known && c.Account == account {
		return *c, nil
	}
	return savepage.Capture{}, savepage.Errorf(savepage.CodeNotFound, "no capture %s", id)
}

func (w *world) List(_ context.Context, account string, f capture.Filter) ([]savepage.Capture, string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.filters = append(w.filters, f)
	if f.Cursor == "broken" {
		return nil, "", savepage.Errorf(savepage.CodeInvalidRequest, "the cursor is not one of ours")
	}
	var page []savepage.Capture
	for _, id := range slices.Backward(w.order) {
		if c := w.captures[id]; c != nil && c.Account == account && (f.Cursor == "" || id < f.Cursor) {
			if len(page) == f.Limit {
				return page, page[len(page)-1].ID, nil
			}
			page = append(page, *c)
		}
	}
	return page, "", nil
}

func (w *world) Count(ctx context.Context, account string, f capture.Filter) (int, error) {
	f.Limit, f.Cursor = 1000, ""
	page, _, err := w.List(ctx, account, f)
	return len(page), err
}

func (w *world) Await(ctx context.Context, id string) (savepage.Capture, error) {
	w.mu.Lock()
	ended := w.ended[id]
	w.mu.Unlock()
	select {
	case <-ended:
		w.mu.Lock()
		defer w.mu.Unlock()
		return *w.captures[id], nil
	case <-ctx.Done():
		return savepage.Capture{}, ctx.Err()
	}
}

func (w *world) Deliveries(_ context.Context, _, captureID string) ([]savepage.Delivery, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.deliveries[captureID], nil
}

func (w *world) Cancel(ctx context.Context, account, id string) (savepage.Capture, error) {
	c, err := w.Get(ctx, account, id)
	if err != nil || c.State.Final() {
		return c, err
	}
	w.end(id, func(c *savepage.Capture) { c.State, c.FinishedAt = savepage.Canceled, time.Now() })
	return w.Get(ctx, account, id)
}

func (w *world) Authenticate(_ context.Context, key string) (savepage.Principal, error) {
	who := savepage.Principal{KeyID: key[:min(len(key), 11)], Scopes: savepage.Scopes(), Limits: w.limits}
	switch key {
	case keyA:
		who.Account.ID = "acc_a"
	case keyB:
		who.Account.ID = "acc_b"
	case keyRead:
		who.Account.ID, who.Scopes = "acc_a", []savepage.Scope{savepage.ScopeRead}
	case keySecret:
		who.Account = savepage.Account{ID: "acc_s", APISecret: secret}
	case keyScope + "capture", keyScope + "read", keyScope + "admin":
		who.Account.ID, who.Scopes = "acc_a", []savepage.Scope{savepage.Scope(strings.TrimPrefix(key, keyScope))}
	default:
		return savepage.Principal{}, savepage.Errorf(savepage.CodeUnauthorized, "the key is not valid")
	}
	return who, nil
}

type memory struct{ *bytes.Reader }

func (memory) Close() error       { return nil }
func (memory) ModTime() time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) }

func (w *world) open(_ context.Context, name string) (api.Picture, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.opened = append(w.opened, name)
	data, found := w.pictures[name]
	if !found {
		return nil, fmt.Errorf("open %s: %w", name, fs.ErrNotExist)
	}
	return memory{bytes.NewReader(data)}, nil
}

func (w *world) requested() []capture.Request {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.requests)
}

// parts are the world as the API sees it.
func (w *world) parts() api.Parts {
	return api.Parts{
		Captures: w, Records: w, Deliveries: &w.outbox, Cancels: w, Batches: w, Keys: w, Secrets: &w.secrets, Links: &w.links,
		TestSender: &w.secrets, Inboxes: &w.inboxes, Accounts: noAccounts{}, KeyRing: noAccounts{}, Usage: noAccounts{},
		Stores: &w.stores, Uploads: &w.stores, Nodes: noAccounts{},
		Progress: &w.progress, Clock: w.clock, Open: w.open,
	}
}

// service is the API over a world, served on loopback.
type service struct {
	*world

	*api.API

	url string
}

// serve starts the API. change may alter its configuration; the public URL is always http://api.test.
func serve(tb testing.TB, change func(*api.Config)) *service {
	tb.Helper()
	w := newWorld()
	cfg := api.Config{
		Links:   capture.Links{PublicURL: "http://api.test", CDNURL: "http://cdn.test"},
		Version: "v1.2.3",
	}
	if change != nil {
		change(&cfg)
	}
	a, err := api.New(w.parts(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		tb.Fatal(err)
	}
	server := httptest.NewServer(a)
	tb.Cleanup(server.Close)
	tb.Cleanup(http.DefaultClient.CloseIdleConnections)
	return &service{world: w, API: a, url: server.URL}
}

// reply is an answer, read.
type reply struct {
	status int
	header http.Header
	body   string
}

func (r reply) json(t *testing.T) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal([]byte(r.body), &v); err != nil {
		t.Fatalf("%v in %q", err, r.body)
	}
	return v
}

// call sends a request with keyA. Headers are "Name: value"; "Authorization:" leaves the key out.
func (s *service) call(t *testing.T, method, path, body string, headers ...string) reply {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+keyA)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for _, line := range headers {
		name, value, _ := strings.Cut(line, ":")
		if value = strings.TrimSpace(value); value == "" {
			req.Header.Del(name)
			continue
		}
		req.Header.Set(name, value)
	}
	if len(body) > 1<<20 { // a server that refuses it may hang up before all of it is written
		direct := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
		direct.Header = req.Header
		w := record(s, direct)
		return reply{w.Code, w.Header(), w.Body.String()}
	}
	return send(t, req)
}

func send(t *testing.T, req *http.Request) reply {
	t.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{resp.StatusCode, resp.Header, string(text)}
}

func wantStatus(t *testing.T, r reply, status int) {
	t.Helper()
	if r.status != status {
		t.Fatalf("status %d, want %d: %s", r.status, status, r.body)
	}
}

// wantProblem checks a problem's status, code and shape.
func wantProblem(t *testing.T, r reply, status int, code savepage.Code) map[string]any {
	t.Helper()
	wantStatus(t, r, status)
	if got := r.header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("Content-Type %q", got)
	}
	p := r.json(t)
	if p["code"] != string(code) || p["status"] != float64(status) || p["type"] != "http://api.test/docs#"+string(code) ||
		p["title"] == "" || p["detail"] == "" {
		t.Errorf("problem %s", r.body)
	}
	return p
}

// errorsOf returns the problem's messages by location.
func errorsOf(t *testing.T, p map[string]any) map[string]string {
	t.Helper()
	found := map[string]string{}
	list, _ := p["errors"].([]any)
	for _, one := range list {
		field, _ := one.(map[string]any)
		location, _ := field["location"].(string)
		found[location], _ = field["message"].(string)
	}
	return found
}

// eventually polls until done.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	deadline := time.After(time.Minute)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("never: %s", what)
		}
	}
}
