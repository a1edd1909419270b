package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"strings"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/health"
)

// Problem is the body of every error: RFC 9457, with the code, the request id and the invalid fields.
type Problem struct {
	Type      string                `json:"type" format:"uri" doc:"Documentation of the code."`
	Title     string                `json:"title" doc:"The code in words."`
	Status    int                   `json:"status" doc:"HTTP status of the answer."`
	Detail    string                `json:"detail" doc:"The error, and what to do about it."`
	Code      savepage.Code         `json:"code" doc:"Stable name of the error."`
	RequestID string                `json:"request_id,omitempty" doc:"Identifies this request in the server's log."`
	Errors    []savepage.FieldError `json:"errors,omitempty" doc:"Every invalid field of the request."`
	CaptureID string                `json:"capture_id,omitempty" doc:"Id of the capture that failed, if there is one."`
	StatusURL string                `json:"status_url,omitempty" doc:"URL of that capture."`
	Report    *savepage.Report      `json:"report,omitempty" doc:"Report on that capture's page, if it was loaded."`
}

// retryAfter is how many seconds a client should wait when the server is full or stops.
const retryAfter = "5"

// statusGone is the status in the log of a request whose client has disconnected.
const statusGone = 499

// responder writes answers. Every answer of the API goes through it.
type responder struct {
	publicURL string // without a slash at the end
	log       *slog.Logger
}

// fail answers a request with an error. One that is not a *savepage.Error is logged and shown as internal_error.
func (o responder) fail(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil && errors.Is(err, context.Canceled) {
		w.WriteHeader(statusGone)
		return
	}
	fault := o.visible(r, err)
	setRetryAfter(w.Header(), fault)
	o.problem(w, problemOf(fault, fault.Code.Info().Status))
}

// setRetryAfter says when the request may succeed, where the error knows it.
func setRetryAfter(h http.Header, fault *savepage.Error) {
	if fault.RetryAfter > 0 {
		h.Set("Retry-After", strconv.FormatInt(int64(ceilSeconds(fault.RetryAfter)), 10))
	}
}

// visible is the part of err that the client may see.
func (o responder) visible(r *http.Request, err error) *savepage.Error {
	if fault, known := errors.AsType[*savepage.Error](err); known {
		return fault
	}
	o.log.ErrorContext(r.Context(), "request failed", slog.String("method", r.Method), slog.String("route", r.Pattern),
		slog.String("request_id", r.Header.Get(headerRequestID)), slog.Any("error", err))
	if fault, is := health.Find(err); is {
		return unavailable(fault.Part)
	}
	return internalError()
}

// unavailable is the error of a request that met a part of the service that does not work.
func unavailable(part health.Part) *savepage.Error {
	return savepage.Errorf(savepage.CodeStorageUnavailable, "the server cannot use its %s now; try again after Retry-After", part)
}

func internalError() *savepage.Error {
	return savepage.Errorf(savepage.CodeInternal, "an internal error")
}

func problemOf(fault *savepage.Error, status int) Problem {
	return Problem{Title: title(fault.Code), Status: status, Detail: fault.Message, Code: fault.Code, Errors: fault.Fields}
}

// title turns a code into words: "invalid_request" into "Invalid request".
func title(code savepage.Code) string {
	words := strings.ReplaceAll(string(code), "_", " ")
	if words == "" {
		return ""
	}
	return strings.ToUpper(words[:1]) + words[1:]
}

// problem writes p with the fields that every problem has.
func (o responder) problem(w http.ResponseWriter, p Problem) {
	p.Type = o.publicURL + "/docs#" + string(p.Code)
	p.RequestID = w.Header().Get(headerRequestID)
	body, err := marshal(p)
	if err != nil { // JSON cannot hold a value in Errors
		p.Errors = nil
		body, _ = marshal(p)
	}
	h := w.Header()
	if h.Get("Retry-After") == "" && (p.Status == http.StatusServiceUnavailable || p.Status == http.StatusTooManyRequests) {
		h.Set("Retry-After", retryAfter)
	}
	write(w, p.Status, "application/problem+json", body)
}

// json writes v.
func (o responder) json(w http.ResponseWriter, r *http.Request, status int, v any) {
	body, err := marshal(v)
	if err != nil {
		o.fail(w, r, err)
		return
	}
	write(w, status, "application/json", body)
}

// accepted answers 202, which is a promise: the caller has seen the commit of what v describes. The location is the path of
// a new resource, or empty.
func (o responder) accepted(w http.ResponseWriter, r *http.Request, location string, v any) {
	if location != "" {
		w.Header().Set("Location", location)
	}
	o.json(w, r, http.StatusAccepted, v)
}

// write sends a whole body that no cache may keep.
func write(w http.ResponseWriter, status int, mediaType string, body []byte) {
	h := w.Header()
	h.Set("Content-Type", mediaType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "no-store")
	}
	w.WriteHeader(status)
	_, _ = w.Write(body) //nolint:gosec // HTML only for the manual; an error means that the client has disconnected
}

// marshal writes JSON that leaves & < > in URLs unescaped. The answers are never HTML.
func marshal(v any) ([]byte, error) {
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return body.Bytes(), nil
}
