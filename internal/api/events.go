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
)

// Progress lets readers watch captures.
type Progress interface {
	Join(id string) capture.Feed
}

// Bounds of event streams.
const (
	defaultHeartbeat = 15 * time.Second // between two comments that keep the connection open
	streamWrite      = 30 * time.Second // that a reader may take for one event
	streamRetry      = 1000             // milliseconds after which a client should come back
)

// StepEvent is the data of every event but done.
type StepEvent struct {
	CaptureID string         `json:"capture_id" doc:"Id of the capture."`
	Status    savepage.State `json:"status" enum:"queued,running" doc:"The state that the capture is in from then on."`
	Attempt   int            `json:"attempt" doc:"How often a worker has taken it."`
	Phase     capture.Phase  `json:"phase,omitempty" enum:"navigate,settle,shoot,encode,store" doc:"In phase events: what has begun."`
	Code      savepage.Code  `json:"code,omitempty" doc:"In retried events: why, where it is known."`
	At        time.Time      `json:"at" doc:"When it happened."`
}

// getEvents answers GET /v1/captures/{id}/events: what happens to a capture, as it happens, until its end.
func (a *API) getEvents(w http.ResponseWriter, r *http.Request, who savepage.Principal) error {
	if err := noQuery(r); err != nil {
		return err
	}
	last, err := lastEventID(r.Header)
	if err != nil {
		return err
	}
	leave := a.streams.enter(who.Account.ID, who.Limits.EventStreams)
	if leave == nil {
		return savepage.Errorf(savepage.CodeRateLimited, "too many event streams: the account may have %d open", who.Limits.EventStreams)
	}
	defer leave()
	feed := a.parts.Progress.Join(r.PathValue("id")) // before the look-up: then no step falls between them
	defer feed.Leave()
	c, err := a.find(r, who)
	if err != nil {
		return err
	}
	if c.State.Final() && last >= capture.SeqDone(c.Attempt) {
		w.WriteHeader(http.StatusNoContent) // which tells an EventSource not to come back
		return nil
	}
	s := newStream(w, c.ID, last)
	s.begin()
	if c.State.Final() {
		s.done(a.lookUp(r, c))
		return nil
	}
	s.known(c, feed)
	a.follow(r, s, feed)
	return nil
}

// lastEventID is where a client that comes back was. It begins anew without one.
func lastEventID(h http.Header) (int, error) {
	given := h.Get("Last-Event-ID")
	if given == "" {
		return 0, nil
	}
	last, err := strconv.Atoi(given)
	if err != nil || last < 0 {
		return 0, invalid([]savepage.FieldError{{Location: "header.Last-Event-ID", Message: "must be the id of an event of this capture", Value: echo(given)}})
	}
	return last, nil
}

// follow sends what happens until the capture has ended, the client has gone, or the server stops: then the client comes
// back to the next one.
func (a *API) follow(r *http.Request, s *stream, feed capture.Feed) {
	ctx, cancel := context.WithCancel(r.Context())
	ended := make(chan savepage.Capture, 1)
	var waiting sync.WaitGroup
	waiting.Go(func() {
		defer close(ended)
		if c, err := a.parts.Records.Await(ctx, s.id); err == nil {
			ended <- c
		}
	})
	defer waiting.Wait()
	defer cancel()
	heartbeat := time.NewTicker(a.cfg.Heartbeat)
	defer heartbeat.Stop()
	for s.err == nil {
		select {
		case <-feed.Changed:
			s.steps(feed)
		case c, known := <-ended:
			s.steps(feed)
			if known { // or it was deleted
				s.done(a.lookUp(r, c))
			}
			return
		case <-heartbeat.C:
			s.write(":\n\n")
		case <-a.draining:
			return
		case <-ctx.Done():
			return
		}
	}
}

// stream writes server-sent events (the HTML standard, 9.2). After a fault it writes nothing more.
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
	h.Set("X-Accel-Buffering", "no") // nginx would hold events back
	// The server's limits are for requests that end soon. A writer without deadlines, as in some tests, has no limits.
	_ = s.out.SetReadDeadline(time.Time{})
	s.w.WriteHeader(http.StatusOK)
	s.write(fmt.Sprintf("retry: %d\n\n", streamRetry))
}

// write sends text within the time that a reader has for it.
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

// known sends what the record and the feed say so far of a capture that has not ended.
func (s *stream) known(c savepage.Capture, feed capture.Feed) {
	event := StepEvent{CaptureID: s.id, Status: savepage.Queued, At: c.CreatedAt.UTC()}
	s.send(capture.SeqQueued, "queued", event)
	s.steps(feed)
	event.Attempt = c.Attempt
	switch {
	case c.State == savepage.Running:
		event.Status, event.At = savepage.Running, c.StartedAt.UTC()
		s.send(capture.SeqStarted(c.Attempt), "started", event)
	case c.Attempt > 0: // given back, maybe by a server that has stopped
		event.At = time.Now().UTC()
		s.send(capture.SeqRetried(c.Attempt), "retried", event)
	}
}

// steps sends what the feed has that the client has not.
func (s *stream) steps(feed capture.Feed) {
	for _, one := range feed.Since(s.last) {
		event := StepEvent{CaptureID: s.id, Status: savepage.Running, Attempt: one.Attempt, Phase: one.Phase, Code: one.Code, At: one.At}
		if one.Kind == capture.StepRetried {
			event.Status = savepage.Queued
		}
		s.send(one.Seq, string(one.Kind), event)
	}
}

// done sends the end: the same as a look-up.
func (s *stream) done(r Record, err error) {
	if err != nil {
		s.err = err
		return
	}
	s.send(capture.SeqDone(r.Attempts), "done", r)
}
