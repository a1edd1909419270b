package httpd

import (
	"net/http"
	"strings"
	"time"

	"github.com/rs/cors"
)

// preflightAge is how long a browser may remember what a page of another origin may ask.
const preflightAge = 24 * time.Hour

// CORS says which pages may read answers from a browser: those of any origin may read pictures, and those of the origins the
// API. A key in the Authorization header is all that they can show; no cookie counts.
func CORS(next http.Handler, origins []string) http.Handler {
	pictures := sharing([]string{"*"}).Handler(next)
	api := next
	if len(origins) > 0 { // none would be any
		api = sharing(origins).Handler(next)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case isPicture(r.URL.Path):
			pictures.ServeHTTP(w, r)
		case isAPI(r.URL.Path) && !preflightOfOlder(r):
			api.ServeHTTP(w, r)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

func sharing(origins []string) *cors.Cors {
	return cors.New(cors.Options{
		AllowedOrigins: origins,
		AllowedMethods: []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete},
		AllowedHeaders: []string{
			"Accept", "Authorization", "Content-Type", "Idempotency-Key", "If-None-Match", "Last-Event-ID", "Prefer", "Range", HeaderRequestID,
		},
		ExposedHeaders: []string{
			"Content-Disposition", "Content-Range", "ETag", "Idempotent-Replayed", "Location", "Preference-Applied", "Retry-After",
			"Server-Timing", "X-Cache", "X-Capture-Id", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", HeaderRequestID,
		},
		MaxAge: int(preflightAge.Seconds()),
	})
}

// isPicture reports whether a path is one of pictures that need no key.
func isPicture(path string) bool { return path == "/v1/image" || strings.HasPrefix(path, "/captures/") }

func isAPI(path string) bool {
	return path == "/v1" || path == "/openapi.json" || strings.HasPrefix(path, "/v1/")
}

// preflightOfOlder reports whether a browser asks what a page may send to the older API, which has no Authorization header and
// answers for itself: its answers are open to all pages.
func preflightOfOlder(r *http.Request) bool {
	shared := r.URL.Path == "/v1" || r.URL.Path == "/v1/"
	return shared && r.Method == http.MethodOptions &&
		!strings.Contains(strings.ToLower(r.Header.Get("Access-Control-Request-Headers")), "authorization")
}
