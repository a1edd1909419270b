package api

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/clock"
)

// Progress lets readers watch captures.
type Progress interface {
	Join(id string) capture.Feed
}

// Bounds of event streams.
const (
	defaultHeartbeat = 15 * time.Second // between two comments, which keep the connection open
	streamWrite      = 30 * time.Second // for a client to read one event
	streamRetry      = 1000             // milliseconds after which a client should reconnect
)

// StepEvent is the data of every event except done.
type StepEvent struct {
	CaptureID string         `json:"capture_id" doc:"Id of the capture."`
	Status    savepage.State `json:"status" enum:"queued,running" doc:"State of the capture from then on."`
	Attempt   int            `json:"attempt" doc:"Number of the attempt, from 1; 0 before the first."`
	Phase     capture.Phase  `json:"phase,omitempty" enum:"navigate,settle,shoot,encode,store" doc:"Of a phase event: its name."`
	Code      savepage.Code  `json:"code,omitempty" doc:"Of a retried event: the cause, if known."`
	At        time.Time      `json:"at" doc:"Time of the event."`
}

// eventHandlers answer requests to watch a capture.
type eventHandlers struct {
	finder

	progress  Progress
	clock     *clock.Clock
	drain     *drain
	heartbeat time.Duration
	open      places
}

// get answers GET /v1/captures/{id}/events: the events of a capture, as they happen, until its end.
func (h *eventHandlers) get(w http.ResponseWriter, r *http.Request, who savepage.Principal) error {
	if err := noQuery(r); err != nil {
		return err
	}
	last, err := lastEventID(r.Header)
	if err != nil {
		return err
	}
	leave := h.open.enter(who.Account.ID, who.Limits.EventStreams)
	if leave == nil {
		return savepage.Errorf(savepage.CodeRateLimited, "too many event streams: the account may have %d open", who.Limits.EventStreams)
	}
	defer leave()
	feed := h.progress.Join(r.PathValue("id")) // before the look-up: then no step falls between them
	defer feed.Leave()
	c, err := h.find(r, who)
	if err != nil {
		return err
	}
	if c.State.Final() && last >= capture.SeqDone(c.Attempt) {
		w.WriteHeader(http.StatusNoContent) // an EventSource then does not reconnect
		return nil
	}
	s := newStream(w, c.ID, last)
	s.begin()
	if c.State.Final() {
		s.done(h.full(r, c))
		return nil
	}
	s.known(c, feed, h.clock.Now())
	h.follow(r, s, feed)
	return nil
}

// lastEventID is the last event that a client has which reconnects; 0 without one.
func lastEventID(h http.Header) (int, error) {
	given := h.Get("Last-Event-ID")
	if given == "" {
		return 0, nil
	}
	last, err := strconv.Atoi(given)
	if err != nil || last < 0 {
		return 0, invalidField("header.Last-Event-ID", "must be the id of an event of this capture", echo(given))
	}
	return last, nil
}

// follow sends events until the capture has ended, the client has disconnected, or the server stops: then the client
// reconnects to the next server.
func (h *eventHandlers) follow(r *http.Request, s *stream, feed capture.Feed) {
	ctx, cancel := context.WithCancel(r.Context())
	ended := make(chan savepage.Capture, 1)
	var waiting sync.WaitGroup
	waiting.Go(func() {
		defer close(ended)
		if c, err := h.records.Await(ctx, s.id); err == nil {
			ended <- c
		}
	})
	defer waiting.Wait()
	defer cancel()
	heartbeat := time.NewTicker(h.heartbeat)
	defer heartbeat.Stop()
	for s.err == nil {
		select {
		case <-feed.Changed:
			s.steps(feed)
		case c, known := <-ended:
			s.steps(feed)
			if known { // or it was deleted
				s.done(h.full(r, c))
			}
			return
		case <-heartbeat.C:
			s.write(":\n\n")
		case <-h.drain.begun:
			return
		case <-ctx.Done():
			return
		}
	}
}

// stream writes server-sent events (HTML standard, 9.2). After an error it writes nothing more.
type stream struct {
	w    http.ResponseWriter
	out  *http.ResponseController
	id   string // of the capture
	last int    // Seq of the last event that the client has
	err  error
}

func newStream(w http.ResponseWriter, id string, last int) *stream {
	return &stream{w: w, out: http.NewResponseController(w), id: id, last: last}
}

func (s *stream) begin() {
	h := s.w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // nginx would buffer events
	// The server's deadlines are for requests that end soon. A writer without deadlines, as in some tests, has none.
	_ = s.out.SetReadDeadline(time.Time{})
	s.w.WriteHeader(http.StatusOK)
	s.write(fmt.Sprintf("retry: %d\n\n", streamRetry))
}

// write sends text within the time for one event.
func (s *stream) write(text string) {
	if s.err != nil {
		return
	}
	_ = s.out.SetWriteDeadline(time.Now().Add(streamWrite))
	_, s.err = s.w.Write([]byte(text)) //nolint:gosec // text/event-stream, never HTML
	if s.err == nil {
		s.err = s.out.Flush()
	}
}

// send writes an event that the client does not have yet.
func (s *stream) send(seq int, name string, data any) {
	if seq <= s.last {
		return
	}
	s.last = seq
	text, err := marshal(data)
	if err != nil {
		s.err = err
		return
	}
	s.write(fmt.Sprintf("id: %d\nevent: %s\ndata: %s\n\n", seq, name, bytes.TrimSpace(text)))
}

// known sends the events so far of a capture that has not ended, from the record and the feed.
func (s *stream) known(c savepage.Capture, feed capture.Feed, now time.Time) {
	event := StepEvent{CaptureID: s.id, Status: savepage.Queued, At: c.CreatedAt.UTC()}
	s.send(capture.SeqQueued, "queued", event)
	s.steps(feed)
	event.Attempt = c.Attempt
	switch {
	case c.State == savepage.Running:
		event.Status, event.At = savepage.Running, c.StartedAt.UTC()
		s.send(capture.SeqStarted(c.Attempt), "started", event)
	case c.Attempt > 0: // put back, perhaps by a server that has stopped
		event.At = now
		s.send(capture.SeqRetried(c.Attempt), "retried", event)
	}
}

// steps sends the events of the feed that the client does not have yet.
func (s *stream) steps(feed capture.Feed) {
	for _, one := range feed.Since(s.last) {
		event := StepEvent{CaptureID: s.id, Status: savepage.Running, Attempt: one.Attempt, Phase: one.Phase, Code: one.Code, At: one.At}
		if one.Kind == capture.StepRetried {
			event.Status = savepage.Queued
		}
		s.send(one.Seq, string(one.Kind), event)
	}
}

// done sends the end, with the same data as GET /v1/captures/{id}.
func (s *stream) done(r Record, err error) {
	if err != nil {
		s.err = err
		return
	}
	s.send(capture.SeqDone(r.Attempts), "done", r)
}
