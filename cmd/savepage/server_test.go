package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// patience is how long a test waits for what must come.
const patience = 5 * time.Minute

// server is a whole server in this process.
type server struct {
	t        *testing.T
	address  string
	client   *http.Client
	out, err *output
	stop     func() error // returns what Run returned; may be called again
}

// output is written by the server and read by the test.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// settings returns those of a server in a folder that may reach this machine.
func settings(t *testing.T, data string, args ...string) Settings {
	t.Helper()
	args = append([]string{"--listen", "127.0.0.1:0", "--data", data, "--egress-allow", "127.0.0.0/8", "--concurrency", "2"}, args...)
	s, err := load(t, "", nil, args...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// start runs a server until stop is called or the test ends.
func start(t *testing.T, s Settings) *server {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	sv := &server{t: t, client: &http.Client{Transport: &http.Transport{}}, out: &output{}, err: &output{}}
	ready, ended := make(chan string, 1), make(chan error, 1)
	go func() {
		ended <- Run(ctx, s, Streams{Out: sv.out, Err: sv.err}, func(address string) { ready <- address })
	}()
	sv.stop = sync.OnceValue(func() error {
		cancel()
		sv.client.CloseIdleConnections()
		return <-ended
	})
	t.Cleanup(func() { _ = sv.stop() })
	select {
	case sv.address = <-ready:
	case err := <-ended:
		ended <- err
		t.Fatalf("the server ended at its start: %v\n%s", err, sv.err)
	case <-time.After(patience):
		t.Fatalf("the server did not start:\n%s", sv.err)
	}
	return sv
}

// key is the key that the first start printed.
func (s *server) key() string {
	s.t.Helper()
	key := regexp.MustCompile(`key +(sp_\S+)`).FindStringSubmatch(s.out.String())
	if key == nil {
		s.t.Fatalf("no key in %q", s.out)
	}
	return key[1]
}

// answer is what a request brought.
type answer struct {
	status int
	body   []byte
	err    error
}

// ask makes a request. It may be called on any goroutine.
func (s *server) ask(method, path, key, body string) answer {
	r, err := http.NewRequestWithContext(s.t.Context(), method, "http://"+s.address+path, strings.NewReader(body))
	if err != nil {
		return answer{err: err}
	}
	r.Header.Set("Authorization", "Bearer "+key)
	r.Header.Set("Content-Type", "application/json")
	got, err := s.client.Do(r)
	if err != nil {
		return answer{err: err}
	}
	defer func() { _ = got.Body.Close() }()
	data, err := io.ReadAll(got.Body)
	return answer{got.StatusCode, data, err}
}

// do makes a request that must be answered and returns the status and the body.
func (s *server) do(method, path, key, body string) (int, []byte) {
	s.t.Helper()
	got := s.ask(method, path, key, body)
	if got.err != nil {
		s.t.Fatal(got.err)
	}
	return got.status, got.body
}

// view is what tests read of an answer.
type view struct {
	Status    string `json:"status"`
	CaptureID string `json:"capture_id"`
	Image     string `json:"image"`
}

func (s *server) view(method, path, key, body string) (int, view) {
	s.t.Helper()
	status, data := s.do(method, path, key, body)
	var v view
	if err := json.Unmarshal(data, &v); err != nil {
		s.t.Fatalf("%s %s answered %d %q: %v", method, path, status, data, err)
	}
	return status, v
}

// await asks for a capture until it has the state.
func (s *server) await(id, key, state string) view {
	s.t.Helper()
	var v view
	awaitTrue(s.t, id+" is "+state, func() bool {
		_, v = s.view(http.MethodGet, "/v1/captures/"+id, key, "")
		return v.Status == state
	})
	return v
}

// verifyNoLeaks fails the test when goroutines that it started are left at its end.
func verifyNoLeaks(t *testing.T) {
	t.Helper()
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() {
		end := time.Now().Add(time.Minute)
		for left := goleak.Find(before); left != nil; left = goleak.Find(before) {
			if time.Now().After(end) {
				t.Error(left)
				return
			}
		}
	})
}

func servePage(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	page := httptest.NewServer(handler)
	t.Cleanup(page.Close)
	return page.URL
}
