package httpd_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/savepage/savepage/internal/httpd"
)

const page = "https://app.example.com"

// preflight asks what a page may send to a path.
func preflight(h http.Handler, path, origin, headers string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodOptions, path, http.NoBody)
	r.Header.Set("Origin", origin)
	r.Header.Set("Access-Control-Request-Method", http.MethodPost)
	r.Header.Set("Access-Control-Request-Headers", headers)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestPagesOfOtherOrigins(t *testing.T) {
	answered := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("q") {
			w.Header().Set("Access-Control-Allow-Origin", "*") // as the older API does
		}
		w.WriteHeader(http.StatusTeapot)
	})
	const other = "https://other.example.com"
	for _, c := range []struct {
		origins            []string
		path, origin, want string
	}{
		{nil, "/captures/x.png", other, "*"}, {nil, "/v1/image?url=x", other, "*"}, {[]string{page}, "/captures/x.png", other, "*"},
		{nil, "/v1/captures", page, ""}, {nil, "/v1/", page, ""}, {nil, "/v1/?q=x", page, "*"},
		{[]string{page}, "/v1/captures", page, page}, {[]string{page}, "/v1/captures", other, ""}, {[]string{page}, "/v1/?q=x", other, "*"},
		{[]string{"*"}, "/v1/capture", other, "*"}, {[]string{"*"}, "/ui/keys", other, ""}, {[]string{"*"}, "/metrics", other, ""},
		{[]string{page}, "/openapi.json", page, page},
	} {
		r := httptest.NewRequest(http.MethodGet, c.path, http.NoBody)
		r.Header.Set("Origin", c.origin)
		w := httptest.NewRecorder()
		httpd.CORS(answered, c.origins).ServeHTTP(w, r)
		if got := w.Header().Get("Access-Control-Allow-Origin"); got != c.want || w.Code != http.StatusTeapot {
			t.Errorf("%v, %s of %s: %d, %q, want %q", c.origins, c.path, c.origin, w.Code, got, c.want)
		}
		if w.Header().Get("Access-Control-Allow-Credentials") != "" {
			t.Error("cookies count")
		}
	}
}

func TestPreflights(t *testing.T) {
	older := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	h := httpd.CORS(older, []string{page})
	if w := preflight(h, "/v1/capture", page, "authorization,content-type,prefer"); w.Code != http.StatusNoContent ||
		w.Header().Get("Access-Control-Allow-Origin") != page || w.Header().Get("Access-Control-Max-Age") != "86400" ||
		!strings.Contains(strings.ToLower(w.Header().Get("Access-Control-Allow-Headers")), "authorization") {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	if w := preflight(h, "/v1/capture", "https://evil.example.com", "authorization"); w.Header().Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("%v", w.Header())
	}
	for headers, status := range map[string]int{"content-type": http.StatusTeapot, "authorization": http.StatusNoContent} {
		if w := preflight(h, "/v1/", page, headers); w.Code != status {
			t.Errorf("with %s: %d", headers, w.Code)
		}
	}
	if w := preflight(httpd.CORS(older, nil), "/v1/capture", page, "authorization"); w.Code != http.StatusTeapot || len(w.Header()) > 0 {
		t.Errorf("without origins: %d %v", w.Code, w.Header())
	}
}

// compressedAnswer asks a server that answers everything with a body of a media type.
func compressedAnswer(t *testing.T, path, mediaType string, body []byte, accept string) *http.Response {
	t.Helper()
	h, err := httpd.Compress(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", mediaType)
		if _, err := w.Write(body); err != nil {
			t.Error(err)
		}
	}))
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodGet, path, http.NoBody)
	r.Header.Set("Accept-Encoding", accept)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func TestTextIsCompressed(t *testing.T) {
	long := bytes.Repeat([]byte("a text; "), 1000)
	for _, c := range []struct {
		path, mediaType, accept string
		body                    []byte
		compressed              bool
	}{
		{"/v1/captures", "application/json", "gzip", long, true},
		{"/v1/capture", "application/problem+json", "gzip, br", long, true},
		{"/docs", "text/html; charset=utf-8", "br, zstd, gzip", long, true},
		{"/v1/captures", "application/json", "", long, false},
		{"/v1/captures", "application/json", "gzip;q=0", long, false},
		{"/v1/captures", "application/json", "gzip", long[:500], false},
		{"/v1/", "image/png", "gzip", long, false},
		{"/v1/", "application/pdf", "gzip", long, false},
		{"/captures/x.html", "text/html", "gzip", long, false},
		{"/v1/image", "image/webp", "gzip", long, false},
		{"/v1/captures/cap_1/events", "text/event-stream", "gzip", long, false},
	} {
		got := compressedAnswer(t, c.path, c.mediaType, c.body, c.accept)
		raw, err := io.ReadAll(got.Body)
		if err != nil {
			t.Fatal(err)
		}
		if (got.Header.Get("Content-Encoding") == "gzip") != c.compressed {
			t.Errorf("%+v: %v", c.path, got.Header)
			continue
		}
		if !c.compressed {
			if !bytes.Equal(raw, c.body) {
				t.Errorf("%s: another body", c.path)
			}
			continue
		}
		unpacked, err := gzip.NewReader(bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(unpacked)
		if err != nil || !bytes.Equal(text, c.body) || len(raw) > len(c.body)/10 || got.Header.Get("Vary") != "Accept-Encoding" {
			t.Errorf("%s: %v, %d bytes, %v", c.path, err, len(raw), got.Header)
		}
	}
}

// TestEventsAreFlushed reads an event while the stream goes on, and sees the answer of one that a client cuts short.
func TestEventsAreFlushed(t *testing.T) {
	goOn := make(chan bool)
	h, err := httpd.Compress(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		if _, err := io.WriteString(w, "data: 1\n\n"); err != nil {
			t.Error(err)
		}
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Error(err)
		}
		<-goOn
	}))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(httpd.Chain{Log: slog.New(slog.DiscardHandler)}.Wrap(h))
	defer server.Close()
	defer close(goOn)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/v1/captures/cap_1/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	event := make([]byte, 9)
	if _, err := io.ReadFull(got.Body, event); err != nil || string(event) != "data: 1\n\n" {
		t.Errorf("%q, %v", event, err)
	}
}
