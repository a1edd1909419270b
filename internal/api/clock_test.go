package api_test

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/api"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/clock"
)

// moment is where the clock of serveAt stands. It is 1893553445 in Unix seconds.
func moment() time.Time { return time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC) }

// serveAt serves the API with a clock that only the test moves.
func serveAt(t *testing.T) *service {
	t.Helper()
	w := newWorld()
	w.clock = clock.Manual(moment())
	a, err := api.New(w.parts(), api.Config{Links: capture.Links{PublicURL: "http://api.test"}}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	return &service{world: w, API: a, url: server.URL}
}

func TestLimitGoesByTheClock(t *testing.T) {
	s := serveAt(t)
	s.limits.RequestsPerMinute = 1
	if r := s.call(t, "GET", "/v1/captures", ""); r.status != 200 || r.header.Get("X-RateLimit-Reset") != "1893553505" {
		t.Errorf("%d %v", r.status, r.header)
	}
	wantProblem(t, s.call(t, "GET", "/v1/captures", ""), 429, savepage.CodeRateLimited)
	s.clock.Advance(time.Minute)
	wantStatus(t, s.call(t, "GET", "/v1/captures", ""), 200)
}

func TestTestEventGoesByTheClock(t *testing.T) {
	s := serveAt(t)
	wantStatus(t, s.call(t, "POST", "/v1/webhooks/test", `{"url":"https://receiver.test/hook"}`), 200)
	var event struct {
		SentAt time.Time `json:"sent_at"`
	}
	d := s.secrets.tried[0]
	err := json.Unmarshal(d.Body, &event)
	now := capture.NewID("msg_", moment())[:len("msg_")+9] // 9 characters hold 45 of the 48 bits of the time
	if err != nil || !event.SentAt.Equal(moment()) || !d.CreatedAt.Equal(moment()) || !strings.HasPrefix(d.ID, now) {
		t.Errorf("%s %+v %v", d.ID, d, err)
	}
}

func TestRetriedEventGoesByTheClock(t *testing.T) {
	s := serveAt(t)
	s.ends = nil
	id := submitted(t, s)
	s.mu.Lock()
	s.captures[id].Attempt = 1 // put back by a server that has stopped
	s.mu.Unlock()
	e := s.watch(t, id, "1")
	if retried := e.next(); retried.name != "retried" || retried.data["at"] != "2030-01-02T03:04:05Z" {
		t.Errorf("%+v", retried)
	}
	s.end(id, s.succeed)
	e.next()
}

// TestMissingPartsAreNamed makes the API of parts that are nil, one of them a nil pointer in an interface.
func TestMissingPartsAreNamed(t *testing.T) {
	parts := newWorld().parts()
	var nobody *world
	parts.Keys, parts.Progress, parts.Open, parts.Clock = nobody, nil, nil, nil
	_, err := api.New(parts, api.Config{}, slog.New(slog.DiscardHandler))
	if err == nil || err.Error() != "api: parts are missing: Keys, Progress, Clock, Open" {
		t.Errorf("%v", err)
	}
}
