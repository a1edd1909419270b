// Package api is the service's HTTP interface: it reads requests, checks keys and limits, hands captures to the flow and
// turns what comes back into answers, for the current API, the older one of savepage.io, and their description in OpenAPI.
// It decides nothing about captures, and it logs and counts nothing that the middleware in front of it sees as well.
package api

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
)

// Captures is the flow that submissions enter.
type Captures interface {
	// Submit admits and records a capture. When it returns without error the capture is durable.
	Submit(ctx context.Context, r capture.Request) (capture.Accepted, error)
	// SubmitBatch admits and records a batch, all or none. Fields of its error name rows: "[3].width".
	SubmitBatch(ctx context.Context, r capture.BatchRequest) (capture.AcceptedBatch, error)
	// Check returns the error that Submit would, as far as it lies with the options.
	Check(o savepage.Options) error
	// Remove deletes an ended capture with its picture and its deliveries.
	Remove(ctx context.Context, c savepage.Capture) error
}

// Records is what is known of captures. An id of another account is as unknown as one that never was: *savepage.Error of
// CodeNotFound.
type Records interface {
	Get(ctx context.Context, account, id string) (savepage.Capture, error)
	// List returns one page and the cursor of the next one, empty at the end. A broken cursor is CodeInvalidRequest.
	List(ctx context.Context, account string, f capture.Filter) ([]savepage.Capture, string, error)
	// Await returns the capture when it has ended, or an error when ctx ends first.
	Await(ctx context.Context, id string) (savepage.Capture, error)
	Deliveries(ctx context.Context, account, captureID string) ([]savepage.Delivery, error)
}

// Canceler ends captures that have not ended. For one that has, it returns it as it is or *savepage.Error of
// CodeConflict.
type Canceler interface {
	Cancel(ctx context.Context, account, id string) (savepage.Capture, error)
}

// Keys tells whose key it is. An unknown key is *savepage.Error of CodeUnauthorized.
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
	Trier      Trier
	Progress   Progress
	// Open opens a stored picture by its file name; fs.ErrNotExist says that there is none.
	Open func(ctx context.Context, name string) (Picture, error)
}

// Operations are handlers that the API serves beside its own, so that one table holds every route. Nil ones are neither
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
	MaxWait    time.Duration // the longest wait that a client may ask for with Prefer: wait=N
	Heartbeat  time.Duration // between two comments in an event stream
	Operations Operations
	// OnAccount, if set, hears which account a request belongs to, for the access log.
	OnAccount func(r *http.Request, account string)
}

// withDefaults fills what was not set.
func (c Config) withDefaults() Config {
	if c.SyncWait <= 0 {
		c.SyncWait = 25 * time.Second
	}
	if c.MaxWait <= 0 {
		c.MaxWait = 110 * time.Second
	}
	if c.Heartbeat <= 0 {
		c.Heartbeat = defaultHeartbeat
	}
	c.Links.PublicURL = strings.TrimSuffix(c.Links.PublicURL, "/")
	return c
}

// API serves the service's HTTP interface. It is an http.Handler.
type API struct {
	parts    Parts
	cfg      Config
	log      *slog.Logger
	decoder  *Decoder
	limiter  *limiter
	trials   places // of test events
	streams  places // of event streams
	mux      *http.ServeMux
	document []byte
	manual   []byte

	drain    sync.Once
	draining chan struct{}
}

// New makes the API. It fails when its own description can not be written, which no request can cause.
func New(parts Parts, cfg Config, log *slog.Logger) (*API, error) {
	if slices.Contains([]any{parts.Captures, parts.Records, parts.Deliveries, parts.Cancels, parts.Batches, parts.Keys, parts.Secrets, parts.Trier, parts.Progress}, nil) || parts.Open == nil {
		return nil, errors.New("api: a part is missing")
	}
	cfg = cfg.withDefaults()
	a := &API{
		parts: parts, cfg: cfg, log: log,
		decoder:  NewDecoder(),
		limiter:  newLimiter(time.Minute),
		mux:      http.NewServeMux(),
		draining: make(chan struct{}),
	}
	routes := a.routes()
	if err := a.describe(routes); err != nil {
		return nil, err
	}
	for _, r := range routes {
		a.mux.Handle(r.method+" "+r.pattern(), r.handler)
	}
	a.mux.HandleFunc("/", a.unknown)
	return a, nil
}

// Drain makes the API refuse new captures with shutting_down, and turns every synchronous request that waits into a 202 and ends event streams.
// Look-ups are still answered. Call it before the server stops accepting connections.
func (a *API) Drain() { a.drain.Do(func() { close(a.draining) }) }

func (a *API) stopping() bool {
	select {
	case <-a.draining:
		return true
	default:
		return false
	}
}

// ServeHTTP answers one request.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if !cleanPath(r.URL.Path) {
		a.fail(w, r, nothingHere(r)) // the mux would redirect, and nothing of ours may
		return
	}
	a.mux.ServeHTTP(w, r)
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

// unknown answers what no route matches: 405 where another method would do, else 404.
func (a *API) unknown(w http.ResponseWriter, r *http.Request) {
	var allowed []string
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodDelete, http.MethodOptions} {
		probe := &http.Request{Method: method, URL: r.URL, Host: r.Host}
		if _, pattern := a.mux.Handler(probe); pattern != "/" {
			allowed = append(allowed, method)
		}
	}
	if len(allowed) == 0 {
		a.fail(w, r, nothingHere(r))
		return
	}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	a.fail(w, r, savepage.Errorf(savepage.CodeMethodNotAllowed, "%s is not supported here; use %s", r.Method, strings.Join(allowed, " or ")))
}

func nothingHere(r *http.Request) error {
	return savepage.Errorf(savepage.CodeNotFound, "%s does not exist; see /docs", echo(r.URL.Path))
}
