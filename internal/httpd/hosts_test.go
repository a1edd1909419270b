package httpd_test

import (
	"bytes"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/savepage/savepage/internal/httpd"
)

func listening(address string) net.Addr {
	tcp, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		panic(err)
	}
	return tcp
}

// K11: a page whose name leads to loopback names its own host.
func TestHostsOfLoopback(t *testing.T) {
	h := httpd.NewHosts(listening("127.0.0.1:8080"), []string{"https://Shots.example.com/base", ""}, []string{"inner"})
	for header, want := range map[string]bool{
		"127.0.0.1:8080": true, "127.0.0.1": true, "localhost:8080": true, "LOCALHOST": true, "a.localhost": true, "[::1]:8080": true,
		"127.9.9.9:1": true, "shots.example.com": true, "shots.example.com.": true, "SHOTS.example.com:443": true, "inner:8080": true,
		"evil.test": false, "evil.test:8080": false, "127.0.0.1.evil.test": false, "localhost.evil.test": false, "192.168.1.1": false,
		"": false, "a@localhost": false, "shots.example.com.evil.test": false, "xlocalhost": false, "0.0.0.0": false,
	} {
		if got := h.Allows(header); got != want {
			t.Errorf("%q is allowed: %v", header, got)
		}
	}
}

func TestHostsOfOtherAddresses(t *testing.T) {
	if !httpd.NewHosts(listening("0.0.0.0:80"), nil, nil).Allows("anything.test") {
		t.Error("a server that others reach refuses a name")
	}
	named := httpd.NewHosts(listening("10.0.0.5:80"), []string{"http://a.test"}, []string{"B.test"})
	for header, want := range map[string]bool{"a.test": true, "b.test": true, "10.0.0.5": true, "c.test": false} {
		if got := named.Allows(header); got != want {
			t.Errorf("%q is allowed: %v", header, got)
		}
	}
}

func TestForeignHostsAreRefused(t *testing.T) {
	seen := false
	h := httpd.NewHosts(listening("127.0.0.1:1"), nil, nil).Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { seen = true }),
		httpd.Refusal(421, "misdirected_request", "no"))
	r := httptest.NewRequest(http.MethodGet, "http://evil.test/healthz", http.NoBody)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	said := w.Body.String()
	if seen || w.Code != 421 || !strings.Contains(said, `"code":"misdirected_request"`) || strings.Contains(said, "evil") {
		t.Errorf("%d %s", w.Code, said)
	}
}

func TestLocal(t *testing.T) {
	served := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	h := httpd.Local(served, httpd.Refusal(403, "forbidden", "no"))
	for _, one := range []struct {
		from, header string
		want         int
	}{
		{"127.0.0.1:999", "", 200}, {"[::1]:999", "", 200}, {"[::ffff:127.0.0.1]:999", "", 200}, {"10.0.0.5:999", "", 403}, {"", "", 403},
		{"127.0.0.1:999", "X-Forwarded-For", 403}, {"127.0.0.1:999", "Forwarded", 403}, {"127.0.0.1:999", "Via", 403},
		{"127.0.0.1:999", "X-Real-IP", 403},
	} {
		r := httptest.NewRequest(http.MethodGet, "/metrics", http.NoBody)
		r.RemoteAddr = one.from
		if one.header != "" {
			r.Header.Set(one.header, "1.2.3.4")
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != one.want {
			t.Errorf("from %q with %q: %d, want %d", one.from, one.header, w.Code, one.want)
		}
	}
}

// Keys that other services take in the path are not logged.
func TestKeysInPathsAreNotLogged(t *testing.T) {
	var log bytes.Buffer
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/captures/{id}", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /v1/{key}/{token}/png", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/", http.NotFound)
	h := httpd.Chain{Log: slog.New(slog.NewJSONHandler(&log, nil))}.Wrap(mux)
	for path, want := range map[string]string{
		"/v1/ca482d7e-9417-4569-90fe-80f7c5e1c781/png":   "/v1/…/png",
		"/v1/sp_NWBl337VOUluNXx2lF8xBkqycVa9tE/png":      "/v1/…/png",
		"/NWBlabcVOUluNXxzlFxxBkqycVabtE":                "/…",
		"/v1/captures/cap_06h1m7d9dvjjkvwc0wvjb9vd18":    "/v1/captures/cap_06h1m7d9dvjjkvwc0wvjb9vd18",
		"/v1/captures/sp_NWBl337VOUluNXx2lF8xBkqycVa9tE": "/v1/captures/…",
		"/v1/word/other/png":                             "/v1/{key}/{token}/png", // of a route with a key the log has the route
		"/v1/capturez":                                   "/v1/capturez",
		"/v1/captures/" + strings.Repeat("x", 1000):      "/v1/captures/" + strings.Repeat("x", 187) + "…",
	} {
		log.Reset()
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, path+"?url=x", http.NoBody))
		if !strings.Contains(log.String(), `"path":"`+want+`"`) {
			t.Errorf("%s is logged as %s", path, log.String())
		}
	}
}
