// Package api is the service's HTTP interface: it reads requests, checks keys and limits, passes captures to the flow and
// answers with what comes back, for the current API, the older one of savepage.io, and their description in OpenAPI. It
// decides nothing about captures, and it does not log or count what the middleware in front of it sees as well.
package api

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"reflect"
	"strings"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/clock"
)

// Captures is the flow that submissions enter.
type Captures interface {
	// Submit admits and records a capture. When it returns without error the capture is durable.
	Submit(ctx context.Context, r capture.Request) (capture.Accepted, error)
	// SubmitBatch admits and records a batch, all or none. Fields of its error name rows: "[3].width".
	SubmitBatch(ctx context.Context, r capture.BatchRequest) (capture.AcceptedBatch, error)
	// Check returns the error that Submit would return for the options alone.
	Check(o savepage.Options) error
	// Remove deletes an ended capture with its picture and its deliveries.
	Remove(ctx context.Context, c savepage.Capture) error
}

// Records looks captures up. An id of another account is as unknown as one that never existed: *savepage.Error of
// CodeNotFound.
type Records interface {
	Get(ctx context.Context, account, id string) (savepage.Capture, error)
	// List returns one page and the cursor of the next one, empty at the end. A broken cursor is CodeInvalidRequest.
	List(ctx context.Context, account string, f capture.Filter) ([]savepage.Capture, string, error)
	// Count returns how many captures match, at most capture.CountedAtMost, whatever the cursor and the limit are.
	Count(ctx context.Context, account string, f capture.Filter) (int, error)
	// Await returns the capture when it has ended, or an error when ctx ends first.
	Await(ctx context.Context, id string) (savepage.Capture, error)
	Deliveries(ctx context.Context, account, captureID string) ([]savepage.Delivery, error)
}

// Canceler ends captures that have not ended. It returns a capture that has as it is, or *savepage.Error of CodeConflict.
type Canceler interface {
	Cancel(ctx context.Context, account, id string) (savepage.Capture, error)
}

// Keys finds who a key belongs to. An unknown key is *savepage.Error of CodeUnauthorized.
type Keys interface {
	Authenticate(ctx context.Context, key string) (savepage.Principal, error)
}

// Picture is an open picture. The API closes it.
type Picture interface {
	io.ReadSeekCloser
	Size() int64
	ModTime() time.Time
}

// Parts are what the API works with. All are needed.
type Parts struct {
	Captures   Captures
	Records    Records
	Deliveries Deliveries
	Cancels    Canceler
	Batches    Batches
	Keys       Keys
	Secrets    Secrets
	Links      Links
	Accounts   Accounts
	KeyRing    KeyRing
	Usage      Usage
	Nodes      Nodes
	TestSender TestSender
	Inboxes    Inboxes
	Stores     Stores
	Uploads    StoreTester
	Progress   Progress
	Clock      *clock.Clock
	// Open opens a stored picture by its file name, or returns fs.ErrNotExist.
	Open func(ctx context.Context, name string) (Picture, error)
}

// missing names the parts that are nil, pointers in interfaces included.
func (p Parts) missing() []string {
	var names []string
	all := reflect.ValueOf(p)
	for i := range all.NumField() {
		part := all.Field(i)
		if part.Kind() == reflect.Interface {
			part = part.Elem()
		}
		switch part.Kind() {
		case reflect.Invalid:
		case reflect.Pointer, reflect.Func, reflect.Map, reflect.Slice, reflect.Chan:
			if !part.IsNil() {
				continue
			}
		default:
			continue
		}
		names = append(names, all.Type().Field(i).Name)
	}
	return names
}

// Operations are handlers that the API serves beside its own, so that one table holds every route. A nil one is neither
// served nor documented.
type Operations struct {
	Live    http.Handler // GET /healthz
	Ready   http.Handler // GET /readyz
	Metrics http.Handler // GET /metrics
}

// Config shapes the API.
type Config struct {
	Links      capture.Links
	Version    string        // for /version and the OpenAPI document
	SyncWait   time.Duration // how long a synchronous request waits for its picture
	MaxWait    time.Duration // longest wait that a client may ask for with Prefer: wait=N
	Heartbeat  time.Duration // between two comments in an event stream
	Operations Operations
	// Link returns an address from which a stored picture can be read without this server, or fs.ErrNotExist. Nil, where the
	// server sends pictures itself.
	Link func(ctx context.Context, name, mediaType, disposition string) (string, error)
	// OnAccount, if set, is called with the account that a request belongs to, for the access log.
	OnAccount func(r *http.Request, account string)
}

// withDefaults fills what was not set.
func (c Config) withDefaults() Config {
	c.SyncWait = cmp.Or(max(c.SyncWait, 0), 25*time.Second)
	c.MaxWait = cmp.Or(max(c.MaxWait, 0), maxWait*time.Second)
	c.Heartbeat = cmp.Or(max(c.Heartbeat, 0), defaultHeartbeat)
	c.Links.PublicURL = strings.TrimSuffix(c.Links.PublicURL, "/")
	return c
}

// API serves the service's HTTP interface. It is an http.Handler.
type API struct {
	out      responder
	drain    *drain
	routes   *http.ServeMux
	document []byte
}

// New makes the API. It fails when a part is missing or when its description cannot be written, which no request can cause.
func New(parts Parts, cfg Config, log *slog.Logger) (*API, error) {
	if names := parts.missing(); len(names) > 0 {
		return nil, fmt.Errorf("api: parts are missing: %s", strings.Join(names, ", "))
	}
	h := newHandlers(parts, cfg.withDefaults(), log)
	table := h.table()
	if err := h.documents.describe(table); err != nil {
		return nil, err
	}
	a := &API{out: h.out, drain: h.drain, routes: http.NewServeMux(), document: h.documents.document}
	for _, r := range table {
		a.routes.Handle(r.method+" "+r.pattern(), r.handler)
	}
	a.routes.HandleFunc("/", a.unknown)
	return a, nil
}

// Document is the OpenAPI document, as JSON.
func (a *API) Document() []byte { return a.document }

// Drain makes the API refuse new captures with shutting_down, turns every synchronous request that waits into a 202, and
// ends event streams. Look-ups are still answered. Call it before the server stops accepting connections.
func (a *API) Drain() { a.drain.begin() }

// Fault answers a request whose handler panicked. The middleware that recovers calls it.
func (a *API) Fault(w http.ResponseWriter, _ *http.Request) {
	a.out.problem(w, problemOf(internalError(), http.StatusInternalServerError))
}

// ServeHTTP answers one request.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if !cleanPath(r.URL.Path) {
		a.out.fail(w, r, notFound()) // the mux would redirect
		return
	}
	a.routes.ServeHTTP(w, r)
}

// cleanPath reports whether a path is in the form that the mux serves without a redirect.
func cleanPath(path string) bool {
	if !strings.HasPrefix(path, "/") || strings.Contains(path, "//") {
		return false
	}
	for part := range strings.SplitSeq(path, "/") {
		if part == "." || part == ".." {
			return false
		}
	}
	return true
}

// unknown answers requests that no route matches: 405 where another method would match, else 404.
func (a *API) unknown(w http.ResponseWriter, r *http.Request) {
	var allowed []string
	for _, method := range []string{
		http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
		http.MethodOptions,
	} {
		probe := &http.Request{Method: method, URL: r.URL, Host: r.Host}
		if _, pattern := a.routes.Handler(probe); pattern != "/" {
			allowed = append(allowed, method)
		}
	}
	if len(allowed) == 0 {
		a.out.fail(w, r, notFound())
		return
	}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	methods := strings.Join(allowed, " or ")
	a.out.fail(w, r, savepage.Errorf(savepage.CodeMethodNotAllowed, "%s is not supported here; use %s", r.Method, methods))
}

func notFound() error {
	return savepage.Errorf(savepage.CodeNotFound, "this path does not exist; see /docs")
}
