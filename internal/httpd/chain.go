// Package httpd surrounds every HTTP handler of the service: request ids, the access log, recovery from panics,
// health, measurements and the server's life from listening to a graceful stop. It knows nothing of captures or accounts
// beyond their names, and answers no request of the API itself.
package httpd

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"strings"
	"time"
)

// HeaderRequestID names a request in answers and in the log. One that a client or a proxy sends is kept if it is valid.
const HeaderRequestID = "X-Request-Id"

// maxID is the length of a request id that is taken from outside.
const maxID = 128

// Chain is what each request passes before it reaches a handler.
type Chain struct {
	Log *slog.Logger
	// Fault answers a request whose handler panicked before it wrote anything. Nil: an empty 500.
	Fault http.HandlerFunc
	// Metrics, if set, measures requests by route.
	Metrics *Metrics
}

// Wrap returns next behind the chain.
func (c Chain) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		started := time.Now()
		id := requestID(r.Header.Get(HeaderRequestID))
		r.Header.Set(HeaderRequestID, id)
		w.Header().Set(HeaderRequestID, id)
		written := &note{}
		seen := &recorder{ResponseWriter: w}
		// The mux sets Pattern on the request that it is given, so this one is the one to look at afterwards.
		r = r.WithContext(context.WithValue(r.Context(), noteKey{}, written))
		broken := c.guarded(seen, r, next) //nolint:contextcheck // the context is the request's
		c.finish(r, seen, written, time.Since(started))
		if broken {
			panic(http.ErrAbortHandler) // a part of the answer has gone out: only a broken connection shows it to the client
		}
	})
}

// guarded serves the request and turns a panic into a 500. It reports whether the answer had begun, too late for that.
func (c Chain) guarded(w *recorder, r *http.Request, next http.Handler) (broken bool) {
	defer func() {
		cause := recover()
		if cause == nil {
			return
		}
		if cause != http.ErrAbortHandler { //nolint:errorlint // recover gives the value itself
			c.Log.ErrorContext(r.Context(), "handler panicked", slog.String("method", r.Method),
				slog.String("path", loggedPath(r.URL.Path, routeOf(r))),
				slog.String("request_id", r.Header.Get(HeaderRequestID)), slog.Any("panic", cause), slog.String("stack", stack()))
		}
		if broken = w.status != 0 || cause == http.ErrAbortHandler; broken { //nolint:errorlint // as above
			return
		}
		clear(w.Header()) // of the answer that is not sent
		w.Header().Set(HeaderRequestID, r.Header.Get(HeaderRequestID))
		if c.Fault == nil {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		c.Fault(w, r)
	}()
	next.ServeHTTP(w, r)
	return false
}

// finish writes the one line of a request and measures it.
func (c Chain) finish(r *http.Request, seen *recorder, written *note, took time.Duration) {
	status := seen.status
	if status == 0 {
		status = http.StatusOK
	}
	route := routeOf(r)
	if c.Metrics != nil {
		c.Metrics.request(r.Method, route, status, took)
	}
	if quiet(r.URL.Path) || !c.Log.Enabled(r.Context(), slog.LevelInfo) {
		return
	}
	c.Log.LogAttrs(r.Context(), slog.LevelInfo, "request",
		slog.String("method", r.Method), slog.String("route", route), slog.String("path", loggedPath(r.URL.Path, route)),
		slog.Int("status", status),
		slog.Int64("bytes", seen.bytes), slog.Float64("ms", float64(took.Microseconds())/1000),
		slog.String("account", written.account), slog.String("request_id", r.Header.Get(HeaderRequestID)))
}

// quiet reports whether requests of a path are not worth a line: machines request them all the time.
func quiet(path string) bool {
	switch path {
	case "/healthz", "/readyz", "/metrics", "/version", "/openapi.json", "/docs":
		return true
	default:
		return strings.HasPrefix(path, "/docs/")
	}
}

// unmatched is the route of a request that no pattern matched.
const unmatched = "other"

// routeOf is the pattern that matched, without the method: few values, fit for a label.
func routeOf(r *http.Request) string {
	_, path, found := strings.Cut(r.Pattern, " ")
	switch {
	case !found && (r.Pattern == "" || r.Pattern == "/"):
		return unmatched
	case !found:
		return r.Pattern
	default:
		return strings.TrimSuffix(path, "{$}")
	}
}

// requestID keeps a valid id and makes one otherwise.
func requestID(given string) string {
	unfit := func(c rune) bool {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		return !letter && !strings.ContainsRune("-_.:/+=", c)
	}
	if given != "" && len(given) <= maxID && !strings.ContainsFunc(given, unfit) {
		return given
	}
	return "req_" + rand.Text()
}

// note is for the access log, filled by handlers.
type note struct{ account string }

type noteKey struct{}

// SetAccount names the request's account for the access log. Outside of a Chain it does nothing.
func SetAccount(r *http.Request, account string) {
	if written, found := r.Context().Value(noteKey{}).(*note); found {
		written.account = account
	}
}
