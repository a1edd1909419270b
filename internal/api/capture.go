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
	values, err := refuseQuery(r, formParams()...)
	if err != nil {
		return err
	}
	asked, err := takeForm(values)
	if err != nil {
		return err
	}
	if !asked.asked && asked.inline == 0 {
		asked.image = prefersPicture(r.Header)
	}
	options, err := readOptions(h.decoder, w, r)
	if err != nil {
		return err
	}
	key, err := idempotencyKey(r.Header)
	if err != nil {
		return err
	}
	s := submission{
		account: who.Account.ID, keyID: who.KeyID, longest: who.Limits.Timeout, carrier: "body", options: options, key: key, form: asked,
	}
	return h.submit(w, r, s)
}

// get answers GET /v1/ of the current API.
func (h *captureHandlers) get(w http.ResponseWriter, r *http.Request, who savepage.Principal) error {
	values, err := parseQuery("query", r.URL.RawQuery)
	if err != nil {
		return err
	}
	asked, err := takeForm(values)
	if err != nil {
		return err
	}
	options, err := h.decoder.Values("query", values)
	if err != nil {
		return err
	}
	return h.submit(w, r, submission{
		account: who.Account.ID, keyID: who.KeyID, longest: who.Limits.Timeout, carrier: "query", options: options, form: asked,
	})
}

// submit records the capture and answers with its result, or with 202 where the client does not wait or waits no longer.
func (h *captureHandlers) submit(w http.ResponseWriter, r *http.Request, asked submission) error {
	prefer := h.waits.preferences(r.Header)
	async := asked.options.CallbackURL != "" || asked.options.Async || prefer.async
	if err := asked.form.allows(async); err != nil {
		return err
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
	return h.result(w, r, c, asked.form)
}

// result answers with an ended capture.
func (h *captureHandlers) result(w http.ResponseWriter, r *http.Request, c savepage.Capture, how form) error {
	switch c.State {
	case savepage.Success:
		setTiming(w.Header(), c.Timing)
		if how.image {
			w.Header().Set("X-Capture-Id", c.ID)
			setCached(w.Header(), c)
			w.Header().Set("Cache-Control", "no-store")
			return h.pictures.send(w, r, c.Picture)
		}
		return h.described(w, r, c, how)
	case savepage.Failed:
		setTiming(w.Header(), c.Timing)
		h.failed(w, c)
	default:
		return savepage.Errorf(savepage.CodeConflict, "capture %s was canceled", c.ID)
	}
	return nil
}

// described answers with the description of a success, and the picture in it where that was asked for.
func (h *captureHandlers) described(w http.ResponseWriter, r *http.Request, c savepage.Capture, how form) error {
	picture, err := h.pictures.read(r, c.Picture, how.inline)
	if err != nil {
		return fmt.Errorf("read the picture of %s: %w", c.ID, err)
	}
	if picture != nil {
		view := capture.NewView(c, h.links)
		view.ImageBase64 = picture
		h.out.json(w, r, http.StatusOK, view)
		return nil
	}
	body, err := capture.Event(c, h.links)
	if err != nil {
		return fmt.Errorf("encode the result of %s: %w", c.ID, err)
	}
	write(w, http.StatusOK, "application/json", body)
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
