package mcp_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/mcp"
)

// server answers as the API does, of captures that do not end.
type server struct {
	mu      sync.Mutex
	asked   []string // method, path and Prefer of each request
	keys    []string // Idempotency-Key of those that take a capture
	hangs   bool     // the first request for a capture is never answered
	reached func()   // called when a request hangs, or what goes on is looked up; nil for nothing
	refuse  string   // code with which lists are refused
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body) // only then a client that leaves is noticed
	s.mu.Lock()
	s.asked = append(s.asked, strings.TrimSpace(r.Method+" "+r.URL.Path+" "+r.Header.Get("Prefer")))
	if s.reached != nil && (s.hangs || r.Method == http.MethodGet) {
		s.reached()
	}
	hangs := s.hangs && r.URL.Path == "/v1/capture"
	if r.URL.Path == "/v1/capture" {
		s.keys = append(s.keys, r.Header.Get("Idempotency-Key"))
		s.hangs = false
	}
	s.mu.Unlock()
	switch path := r.URL.Path; {
	case hangs:
		<-r.Context().Done()
	case path == "/v1/capture":
		w.WriteHeader(http.StatusAccepted)
		fmt.Fprint(w, `{"status":"accepted","capture_id":"cap_1"}`)
	case path == "/v1/batches":
		w.WriteHeader(http.StatusAccepted)
		fmt.Fprint(w, `{"batch_id":"bat_1","capture_ids":["cap_1","cap_2"]}`)
	case strings.HasPrefix(path, "/v1/batches/"):
		fmt.Fprint(w, `{"batch_id":"bat_1","status":"running"}`)
	case path == "/v1/captures" && s.refuse != "":
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprintf(w, `{"code":%q,"detail":"no"}`, s.refuse)
	case path == "/v1/captures" && r.URL.Query().Get("cursor") == "":
		fmt.Fprint(w, `{"captures":[{"capture_id":"cap_2","status":"running"}],"next_cursor":"more"}`)
	case path == "/v1/captures":
		fmt.Fprint(w, `{"captures":[{"capture_id":"cap_1","status":"success","url":"http://one.test"}]}`)
	default:
		fmt.Fprintf(w, `{"capture_id":%q,"status":"running"}`, path[strings.LastIndex(path, "/")+1:])
	}
}

func (s *server) saw(t *testing.T, want ...string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, one := range want {
		if !strings.Contains(strings.Join(s.asked, "\n"), one) {
			t.Errorf("%q is not asked in %q", one, s.asked)
		}
	}
}

// served starts the server and returns captures of it.
func (s *server) served(t *testing.T) *mcp.Remote {
	t.Helper()
	at := httptest.NewServer(s)
	t.Cleanup(at.Close)
	return mcp.NewRemote(at.URL, "key")
}

// soon is a context that ends by its deadline, before any capture does.
func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(200*time.Millisecond))
	t.Cleanup(cancel)
	return ctx
}

func TestCaptureThatTakesLongerIsNoError(t *testing.T) {
	t.Parallel()
	for _, s := range []*server{{}, {hangs: true}} {
		done, err := s.served(t).Capture(soon(t), savepage.Options{URL: "http://a.test"})
		if err != nil || done.CaptureID != "cap_1" || done.Status.Final() {
			t.Errorf("%+v %v", done, err)
		}
		s.saw(t, "POST /v1/capture wait=20")
		if len(s.keys) == 2 && (s.keys[0] == "" || s.keys[0] != s.keys[1]) {
			t.Errorf("it is asked for twice, by %q", s.keys)
		}
	}
}

func TestCaptureIsCanceledWithItsCall(t *testing.T) {
	t.Parallel()
	for _, s := range []*server{{}, {hangs: true}} {
		err := s.canceled(t, func(ctx context.Context, captures *mcp.Remote) error {
			_, err := captures.Capture(ctx, savepage.Options{URL: "http://a.test"})
			return err
		})
		if !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		s.saw(t, "DELETE /v1/captures/cap_1")
	}
}

// canceled makes a call, cancels it when the server waits or is asked again, and returns its error.
func (s *server) canceled(t *testing.T, call func(context.Context, *mcp.Remote) error) error {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s.reached = cancel
	return call(ctx, s.served(t))
}

func TestBatchThatTakesLongerIsNoError(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		code   string // of the refusal of a list
		states [2]savepage.State
	}{
		{"", [2]savepage.State{savepage.Success, savepage.Running}},
		{"forbidden", [2]savepage.State{savepage.Running, savepage.Running}}, // they are looked up one by one
		{"internal_error", [2]savepage.State{savepage.Queued, savepage.Queued}},
	} {
		s := &server{refuse: c.code}
		b, err := s.served(t).Batch(soon(t), []string{"http://one.test", "http://two.test"}, savepage.Options{})
		if err != nil || b.ID != "bat_1" || len(b.List) != 2 || b.List[1].CaptureID != "cap_2" {
			t.Fatalf("%+v %v", b, err)
		}
		if got := [2]savepage.State{b.List[0].Status, b.List[1].Status}; got != c.states {
			t.Errorf("%s: %v", c.code, got)
		}
	}
	s := &server{}
	if b, err := s.served(t).LookUpBatch(t.Context(), "bat_1"); err != nil || len(b.List) != 2 || b.List[0].CaptureID != "cap_1" {
		t.Errorf("%+v %v", b, err)
	}
}

func TestBatchIsCanceledWithItsCall(t *testing.T) {
	t.Parallel()
	s := &server{}
	err := s.canceled(t, func(ctx context.Context, captures *mcp.Remote) error {
		_, err := captures.Batch(ctx, []string{"http://one.test", "http://two.test"}, savepage.Options{})
		return err
	})
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	s.saw(t, "DELETE /v1/batches/bat_1")
}

// TestInside asks the API of this process in the name of a request.
func TestInside(t *testing.T) {
	t.Parallel()
	of := httptest.NewRequest(http.MethodPost, "/mcp", nil)
	of.RemoteAddr = "192.0.2.7:1234"
	of.Header.Set("Authorization", "Bearer sp_key")
	of.Header.Set("X-Request-Id", "req_1")
	api := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `{"status":"success","capture_id":"cap_1","url":"%s %s %s %s %s %s"}`, r.RemoteAddr, r.Header.Get("Authorization"),
			w.Header().Get("X-Request-Id"), r.Header.Get("Prefer"), r.Header.Get("Content-Type"), r.RequestURI)
	})
	done, err := mcp.NewInside(api, of, nil).Capture(t.Context(), savepage.Options{URL: "http://a.test"})
	const want = "192.0.2.7:1234 Bearer sp_key req_1 wait=20 application/json /v1/capture"
	if err != nil || done.URL != want {
		t.Errorf("%q %v", done.URL, err)
	}
}
