package api

import (
	"fmt"
	"net/http"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
)

// captureHandlers answer submissions of single captures with their options in the body or the query.
type captureHandlers struct {
	out      responder
	submits  *submitter
	pictures *pictureHandlers
	decoder  *Decoder
	waits    waits
	links    capture.Links
}

// post answers POST /v1/capture.
func (h *captureHandlers) post(w http.ResponseWriter, r *http.Request, who savepage.Principal) error {
	if err := refuseQuery(r); err != nil {
		return err
	}
	options, err := readOptions(h.decoder, w, r)
	if err != nil {
		return err
	}
	key, err := idempotencyKey(r.Header)
	if err != nil {
		return err
	}
	return h.submit(w, r, submission{account: who.Account.ID, longest: who.Limits.Timeout, carrier: "body", options: options, key: key})
}

// get answers GET /v1/ of the current API.
func (h *captureHandlers) get(w http.ResponseWriter, r *http.Request, who savepage.Principal) error {
	values, err := parseQuery("query", r.URL.RawQuery)
	if err != nil {
		return err
	}
	image, err := wantsImage(values)
	if err != nil {
		return err
	}
	delete(values, "response")
	options, err := h.decoder.Values("query", values)
	if err != nil {
		return err
	}
	return h.submit(w, r, submission{account: who.Account.ID, longest: who.Limits.Timeout, carrier: "query", options: options, image: image})
}

func wantsImage(values map[string][]string) (bool, error) {
	given, found := values["response"]
	switch {
	case !found || len(given) == 1 && given[0] == "json":
		return false, nil
	case len(given) == 1 && given[0] == "image":
		return true, nil
	default:
		return false, invalidField("query.response", "must be one of json, image", echo(given[0]))
	}
}

// submit records the capture and answers with its result, or with 202 where the client does not wait or waits no longer.
func (h *captureHandlers) submit(w http.ResponseWriter, r *http.Request, asked submission) error {
	prefer := h.waits.preferences(r.Header)
	async := asked.options.CallbackURL != "" || asked.options.Async || prefer.async
	if asked.image && async {
		const message = "image cannot be combined with callback_url, async or Prefer: respond-async"
		return invalidField("query.response", message, "image")
	}
	accepted, err := h.submits.accept(r.Context(), asked, !async)
	if err != nil {
		return err
	}
	if accepted.Replayed {
		w.Header().Set("Idempotent-Replayed", "true")
	}
	prefer.setHeader(w.Header())
	c := accepted.Capture
	if !async {
		if c, err = h.submits.await(r, c, prefer.wait); err != nil {
			return err
		}
	}
	if async || !c.State.Final() {
		h.out.accepted(w, r, "/v1/captures/"+c.ID, Accepted{Status: "accepted", CaptureID: c.ID, StatusURL: h.links.Status(c.ID)})
		return nil
	}
	return h.result(w, r, c, asked.image)
}

// result answers with an ended capture.
func (h *captureHandlers) result(w http.ResponseWriter, r *http.Request, c savepage.Capture, image bool) error {
	switch c.State {
	case savepage.Success:
		setTiming(w.Header(), c.Timing)
		if image {
			w.Header().Set("X-Capture-Id", c.ID)
			setCached(w.Header(), c)
			w.Header().Set("Cache-Control", "no-store")
			return h.pictures.send(w, r, c.Picture)
		}
		body, err := capture.Event(c, h.links)
		if err != nil {
			return fmt.Errorf("encode the result of %s: %w", c.ID, err)
		}
		write(w, http.StatusOK, "application/json", body)
	case savepage.Failed:
		setTiming(w.Header(), c.Timing)
		h.failed(w, c)
	default:
		return savepage.Errorf(savepage.CodeConflict, "capture %s was canceled", c.ID)
	}
	return nil
}

// failed answers with the error of a capture.
func (h *captureHandlers) failed(w http.ResponseWriter, c savepage.Capture) {
	fault := c.Error
	if fault == nil {
		fault = internalError()
	}
	p := problemOf(fault, fault.Code.CaptureStatus())
	p.CaptureID, p.StatusURL, p.Report = c.ID, h.links.Status(c.ID), c.Report
	h.out.problem(w, p)
}

// setCached says in an answer that is only a picture whether it came from the cache.
func setCached(h http.Header, c savepage.Capture) {
	if c.Options.CacheTTL == 0 {
		return
	}
	h.Set("X-Cache", "miss")
	if c.Source != "" {
		h.Set("X-Cache", "hit")
	}
}

// setTiming sets Server-Timing, in milliseconds.
func setTiming(h http.Header, t savepage.Timing) {
	p := t.Phases
	h.Set("Server-Timing", fmt.Sprintf("queue;dur=%d, navigate;dur=%d, settle;dur=%d, shoot;dur=%d, encode;dur=%d, store;dur=%d",
		t.QueueMS, p.Navigate, p.Settle, p.Shoot, p.Encode, p.Store))
}
