package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
)

// Accepted is the answer to a submission that is not waited for.
type Accepted struct {
	Status    string `json:"status" enum:"accepted" doc:"Always accepted: the capture is durable and will end."`
	CaptureID string `json:"capture_id" doc:"Id of the capture."`
	StatusURL string `json:"status_url" doc:"Where to look it up."`
}

// submission is a request for a capture, read and checked.
type submission struct {
	account string
	carrier string // "body" or "query": what locations in errors begin with
	options savepage.Options
	key     string // Idempotency-Key
	image   bool   // the answer is to be the picture itself
}

// postCapture answers POST /v1/capture.
func (a *API) postCapture(w http.ResponseWriter, r *http.Request, who savepage.Principal) error {
	if r.URL.RawQuery != "" {
		return misplaced(r)
	}
	options, err := a.readOptions(w, r)
	if err != nil {
		return err
	}
	key, err := idempotencyKey(r.Header)
	if err != nil {
		return err
	}
	return a.submit(w, r, submission{account: who.Account.ID, carrier: "body", options: options, key: key})
}

// misplaced refuses options in the query of a POST, where they would be overlooked.
func misplaced(r *http.Request) error {
	values, err := parseQuery("query", r.URL.RawQuery)
	if err != nil {
		return err
	}
	var wrong []savepage.FieldError
	for name := range values {
		wrong = append(wrong, savepage.FieldError{Location: at("query", name), Message: "must be in the body, not in the query"})
	}
	return invalid(wrong)
}

// getCapture answers GET /v1/ of the current API.
func (a *API) getCapture(w http.ResponseWriter, r *http.Request, who savepage.Principal) error {
	values, err := parseQuery("query", r.URL.RawQuery)
	if err != nil {
		return err
	}
	image, err := wantsImage(values)
	if err != nil {
		return err
	}
	delete(values, "response")
	options, err := a.decoder.Values("query", values)
	if err != nil {
		return err
	}
	return a.submit(w, r, submission{account: who.Account.ID, carrier: "query", options: options, image: image})
}

func wantsImage(values map[string][]string) (bool, error) {
	given, found := values["response"]
	switch {
	case !found || len(given) == 1 && given[0] == "json":
		return false, nil
	case len(given) == 1 && given[0] == "image":
		return true, nil
	default:
		return false, invalid([]savepage.FieldError{{Location: "query.response", Message: "must be one of json, image", Value: echo(given[0])}})
	}
}

// idempotencyKey reads the Idempotency-Key header: 1 to 255 printable ASCII characters.
func idempotencyKey(h http.Header) (string, error) {
	given, found := h["Idempotency-Key"]
	if !found {
		return "", nil
	}
	key := given[0]
	unprintable := strings.ContainsFunc(key, func(c rune) bool { return c < ' ' || c > '~' })
	if len(given) > 1 || key == "" || len(key) > 255 || unprintable {
		return "", invalid([]savepage.FieldError{{Location: "header.Idempotency-Key", Message: "must be given once, with 1 to 255 printable ASCII characters"}})
	}
	return key, nil
}

// submit records the capture and answers with its result, or with 202 where the client does not wait or waits no longer.
func (a *API) submit(w http.ResponseWriter, r *http.Request, s submission) error {
	prefer := a.readPreferences(r.Header)
	async := s.options.CallbackURL != "" || s.options.Async || prefer.async
	if s.image && async {
		return invalid([]savepage.FieldError{{
			Location: "query.response", Value: "image",
			Message: "image cannot be combined with callback_url, async or Prefer: respond-async",
		}})
	}
	accepted, err := a.accept(r.Context(), s, !async)
	if err != nil {
		return err
	}
	if accepted.Replayed {
		w.Header().Set("Idempotent-Replayed", "true")
	}
	prefer.tell(w.Header())
	if async {
		a.accepted(w, r, accepted.Capture.ID)
		return nil
	}
	c, err := a.await(r, accepted.Capture, prefer.wait)
	if err != nil {
		return err
	}
	return a.result(w, r, c, s.image)
}

// accept hands the submission to the flow and puts the carrier before the places of its errors.
func (a *API) accept(ctx context.Context, s submission, interactive bool) (capture.Accepted, error) {
	if a.stopping() {
		return capture.Accepted{}, savepage.Errorf(savepage.CodeShuttingDown, "the server is shutting down; try again")
	}
	request := capture.Request{Account: s.account, Options: s.options, IdempotencyKey: s.key, Interactive: interactive}
	if s.key != "" {
		canonical, err := json.Marshal(s.options)
		if err != nil {
			return capture.Accepted{}, fmt.Errorf("write the options down: %w", err)
		}
		digest := sha256.Sum256(canonical)
		request.Fingerprint = hex.EncodeToString(digest[:])
	}
	accepted, err := a.parts.Captures.Submit(ctx, request)
	if fault, known := errors.AsType[*savepage.Error](err); known && len(fault.Fields) > 0 {
		located := *fault
		located.Fields = make([]savepage.FieldError, 0, len(fault.Fields))
		for _, field := range fault.Fields {
			field.Location = at(s.carrier, field.Location)
			field.Value = echo(field.Value)
			located.Fields = append(located.Fields, field)
		}
		return accepted, &located
	}
	return accepted, err
}

// accepted answers 202.
func (a *API) accepted(w http.ResponseWriter, r *http.Request, id string) {
	w.Header().Set("Location", "/v1/captures/"+id)
	a.answer(w, r, http.StatusAccepted, Accepted{Status: "accepted", CaptureID: id, StatusURL: a.cfg.Links.Status(id)})
}

// await waits until c has ended, the wait is over, or the server stops. What it returns may not have ended; only a client
// that hung up and a fault of ours are errors.
func (a *API) await(r *http.Request, c savepage.Capture, wait time.Duration) (savepage.Capture, error) {
	if c.State.Final() {
		return c, nil
	}
	ctx, cancel := context.WithTimeout(r.Context(), wait)
	defer cancel()
	defer a.cutWhenDraining(ctx, cancel)()
	ended, err := a.parts.Records.Await(ctx, c.ID)
	if err == nil {
		return ended, nil
	}
	if gone := r.Context().Err(); gone != nil || ctx.Err() == nil {
		return c, fmt.Errorf("wait for %s: %w", c.ID, errors.Join(gone, err))
	}
	return c, nil // the wait is over, which is no error: the capture goes on
}

// cutWhenDraining calls cancel when the server begins to stop, until ctx ends. What it returns waits for that to be over.
func (a *API) cutWhenDraining(ctx context.Context, cancel func()) func() {
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		select {
		case <-a.draining:
			cancel()
		case <-ctx.Done():
		}
	}()
	return func() {
		cancel()
		<-watched
	}
}

// result answers with what became of a capture that was waited for.
func (a *API) result(w http.ResponseWriter, r *http.Request, c savepage.Capture, image bool) error {
	switch c.State {
	case savepage.Success:
		timing(w.Header(), c.Timing)
		if image {
			w.Header().Set("X-Capture-Id", c.ID)
			tellCached(w.Header(), c)
			w.Header().Set("Cache-Control", "no-store")
			return a.sendPicture(w, r, c.Picture)
		}
		body, err := capture.Event(c, a.cfg.Links)
		if err != nil {
			return fmt.Errorf("write the result of %s: %w", c.ID, err)
		}
		write(w, http.StatusOK, "application/json", body)
	case savepage.Failed:
		timing(w.Header(), c.Timing)
		a.failed(w, c)
	case savepage.Canceled:
		return savepage.Errorf(savepage.CodeConflict, "capture %s was canceled", c.ID)
	default:
		a.accepted(w, r, c.ID)
	}
	return nil
}

// tellCached says in an answer that is only a picture whether it was taken for another capture.
func tellCached(h http.Header, c savepage.Capture) {
	if c.Options.CacheTTL == 0 {
		return
	}
	h.Set("X-Cache", "miss")
	if c.Source != "" {
		h.Set("X-Cache", "hit")
	}
}

// failed answers with the error of a capture.
func (a *API) failed(w http.ResponseWriter, c savepage.Capture) {
	fault := c.Error
	if fault == nil {
		fault = savepage.Errorf(savepage.CodeInternal, "an internal error")
	}
	p := problemOf(fault, fault.Code.CaptureStatus())
	p.CaptureID, p.StatusURL, p.Report = c.ID, a.cfg.Links.Status(c.ID), c.Report
	a.problem(w, p)
}

// timing sets Server-Timing, in milliseconds.
func timing(h http.Header, t savepage.Timing) {
	p := t.Phases
	h.Set("Server-Timing", fmt.Sprintf("queue;dur=%d, navigate;dur=%d, settle;dur=%d, shoot;dur=%d, encode;dur=%d, store;dur=%d",
		t.QueueMS, p.Navigate, p.Settle, p.Shoot, p.Encode, p.Store))
}
