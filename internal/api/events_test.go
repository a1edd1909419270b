package api_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/api"
	"github.com/savepage/savepage/internal/capture"
)

// eventStream is an open stream of events.
type eventStream struct {
	t     *testing.T
	resp  *http.Response
	lines *bufio.Scanner
}

type sent struct {
	id, name string
	data     map[string]any
}

func (e sent) String() string {
	if e.name == "phase" {
		return fmt.Sprint(e.id, " ", e.data["phase"])
	}
	return e.id + " " + e.name
}

// watch opens the stream of a capture with keyA; it must be answered with 200.
func (s *service) watch(t *testing.T, id, last string) *eventStream {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/v1/captures/"+id+"/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+keyA)
	if last != "" {
		req.Header.Set("Last-Event-ID", last)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("%d %v", resp.StatusCode, resp.Header)
	}
	return &eventStream{t, resp, bufio.NewScanner(resp.Body)}
}

// line returns the next line, or false at the end of the stream.
func (e *eventStream) line() (string, bool) {
	e.t.Helper()
	if !e.lines.Scan() {
		if err := e.lines.Err(); err != nil {
			e.t.Fatal(err)
		}
		return "", false
	}
	return e.lines.Text(), true
}

// next returns the next event, or an empty one at the end of the stream.
func (e *eventStream) next() (got sent) {
	e.t.Helper()
	for {
		line, more := e.line()
		if !more || (line == "" && got.name != "") {
			return got
		}
		field, value, _ := strings.Cut(line, ": ")
		switch field {
		case "id":
			got.id = value
		case "event":
			got.name = value
		case "data":
			if err := json.Unmarshal([]byte(value), &got.data); err != nil {
				e.t.Fatal(err)
			}
		}
	}
}

// rest returns what comes until the end of the stream.
func (e *eventStream) rest() (list []sent) {
	e.t.Helper()
	for {
		one := e.next()
		if one.name == "" {
			return list
		}
		list = append(list, one)
	}
}

func (e *eventStream) want(events ...string) {
	e.t.Helper()
	for _, want := range events {
		if got := e.next(); got.String() != want {
			e.t.Fatalf("%q, want %q", got, want)
		}
	}
}

const firstID = "cap_00000000000000000000000001"

// running submits a capture that a worker has taken.
func running(t *testing.T, change func(*api.Config)) *service {
	t.Helper()
	s := serve(t, change)
	s.ends = nil
	submitted(t, s)
	s.take(1)
	return s
}

func (s *service) take(attempt int) {
	s.mu.Lock()
	c := s.captures[firstID]
	c.State, c.Attempt, c.StartedAt = savepage.Running, attempt, time.Now()
	s.mu.Unlock()
	s.progress.Begin(firstID)
	s.progress.Step(firstID, capture.Step{Seq: capture.SeqStarted(attempt), Kind: capture.StepStarted, Attempt: attempt})
}

func (s *service) phase(seq int, p capture.Phase) {
	s.progress.Step(firstID, capture.Step{Seq: seq, Kind: capture.StepPhase, Attempt: seq / 10, Phase: p})
}

func TestEventsOfACourse(t *testing.T) {
	s := serve(t, nil)
	s.ends = nil
	id := submitted(t, s)
	e := s.watch(t, id, "")
	queued := e.next()
	if queued.String() != "1 queued" || queued.data["status"] != "queued" || queued.data["capture_id"] != id || queued.data["at"] == nil {
		t.Errorf("%+v", queued)
	}
	s.take(1)
	s.phase(12, capture.PhaseNavigate)
	s.phase(13, capture.PhaseSettle)
	e.want("11 started", "12 navigate", "13 settle")
	s.progress.Step(id, capture.Step{Seq: 17, Kind: capture.StepRetried, Attempt: 1, Code: savepage.CodeBrowserLost})
	retried := e.next()
	if retried.String() != "17 retried" || retried.data["status"] != "queued" || retried.data["code"] != "browser_lost" {
		t.Errorf("%+v", retried)
	}
	s.take(2)
	e.want("21 started")
	s.phase(22, capture.PhaseNavigate)
	s.end(id, s.succeed)
	rest := e.rest()
	done := rest[len(rest)-1]
	if len(rest) != 2 || rest[0].String() != "22 navigate" || done.String() != "29 done" {
		t.Fatalf("%v", rest)
	}
	if looked := s.call(t, "GET", "/v1/captures/"+id, "").json(t); fmt.Sprint(done.data) != fmt.Sprint(looked) {
		t.Errorf("done says\n%v, a look-up\n%v", done.data, looked)
	}
}

func TestEventsGoOnWhereTheClientWas(t *testing.T) {
	s := running(t, nil)
	s.phase(12, capture.PhaseNavigate)
	s.phase(13, capture.PhaseSettle)
	s.phase(14, capture.PhaseShoot)
	s.watch(t, firstID, "").want("1 queued", "11 started", "12 navigate", "13 settle", "14 shoot")
	e := s.watch(t, firstID, "12")
	e.want("13 settle", "14 shoot")
	s.end(firstID, s.succeed)
	e.want("19 done")
	if rest := e.rest(); len(rest) != 0 {
		t.Errorf("after done: %v", rest)
	}
	for _, last := range []string{"", "1", "14"} {
		if rest := s.watch(t, firstID, last).rest(); len(rest) != 1 || rest[0].String() != "19 done" {
			t.Errorf("an ended capture, after %q: %v", last, rest)
		}
	}
	wantStatus(t, s.call(t, "GET", "/v1/captures/"+firstID+"/events", "", "Last-Event-ID: 19"), http.StatusNoContent)
}

// A server that has started again knows only the record.
func TestEventsWithoutMemory(t *testing.T) {
	s := serve(t, nil)
	s.ends = nil
	id := submitted(t, s)
	s.mu.Lock()
	s.captures[id].Attempt = 2
	s.mu.Unlock()
	e := s.watch(t, id, "14")
	e.want("27 retried")
	s.end(id, func(c *savepage.Capture) { c.State, c.FinishedAt = savepage.Canceled, time.Now() })
	if done := e.next(); done.String() != "29 done" || done.data["status"] != "canceled" {
		t.Errorf("%+v", done)
	}
}

func TestEventsAreOfTheAccount(t *testing.T) {
	s := running(t, nil)
	path := "/v1/captures/" + firstID + "/events"
	wantProblem(t, s.call(t, "GET", path, "", "Authorization: Bearer "+keyB), 404, savepage.CodeNotFound)
	wantProblem(t, s.call(t, "GET", "/v1/captures/cap_x/events", ""), 404, savepage.CodeNotFound)
	wantProblem(t, s.call(t, "GET", path, "", "Authorization:"), 401, savepage.CodeUnauthorized)
	wantProblem(t, s.call(t, "GET", path+"?x=1", ""), 400, savepage.CodeInvalidRequest)
	for _, last := range []string{"x", "-1", "99999999999999999999"} {
		wantProblem(t, s.call(t, "GET", path, "", "Last-Event-ID: "+last), 400, savepage.CodeInvalidRequest)
	}
}

func TestEventStreamsAreBounded(t *testing.T) {
	s := running(t, nil)
	s.limits.EventStreams = 2
	first, second := s.watch(t, firstID, ""), s.watch(t, firstID, "")
	first.want("1 queued")
	second.want("1 queued")
	full := s.call(t, "GET", "/v1/captures/"+firstID+"/events", "")
	wantProblem(t, full, 429, savepage.CodeRateLimited)
	if full.header.Get("Retry-After") == "" {
		t.Errorf("%v", full.header)
	}
	wantProblem(t, s.call(t, "GET", "/v1/captures/"+firstID+"/events", "", "Authorization: Bearer "+keyB), 404, savepage.CodeNotFound)
	first.resp.Body.Close()
	eventually(t, "a place is free", func() bool {
		req := httptest.NewRequest(http.MethodGet, "/v1/captures/cap_x/events", nil)
		req.Header.Set("Authorization", "Bearer "+keyA)
		return record(s, req).Code == http.StatusNotFound
	})
}

// The server's own limits for requests that end soon do not cut a stream; a comment comes from time to time.
func TestEventStreamOutlivesTheTimeouts(t *testing.T) {
	s := running(t, func(c *api.Config) { c.Heartbeat = 500 * time.Millisecond })
	server := httptest.NewUnstartedServer(s.API)
	server.Config.ReadTimeout, server.Config.WriteTimeout = 2*time.Second, 2*time.Second
	server.Start()
	defer server.Close()
	s.url = server.URL
	e := s.watch(t, firstID, "")
	e.want("1 queued", "11 started")
	for range 5 {
		if line, more := e.line(); line != ":" || !more {
			t.Fatalf("%q", line)
		}
		if line, _ := e.line(); line != "" {
			t.Fatalf("%q", line)
		}
	}
	s.end(firstID, s.succeed)
	e.want("19 done")
}

func TestEventStreamEndsWhenTheServerStops(t *testing.T) {
	s := running(t, nil)
	e := s.watch(t, firstID, "")
	e.want("1 queued", "11 started")
	s.Drain()
	if rest := e.rest(); len(rest) != 0 {
		t.Errorf("%v", rest)
	}
	names := []string{}
	for _, one := range s.watch(t, firstID, "1").rest() {
		names = append(names, one.String())
	}
	if !slices.Equal(names, []string{"11 started"}) {
		t.Errorf("%v", names)
	}
}
