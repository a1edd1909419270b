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
)

// Problem is the body of every error: RFC 9457, with the code, the request's id, and the wrong fields.
type Problem struct {
	Type      string                `json:"type" format:"uri" doc:"Where the code is explained."`
	Title     string                `json:"title" doc:"The code in words."`
	Status    int                   `json:"status" doc:"The HTTP status of the answer."`
	Detail    string                `json:"detail" doc:"What is wrong and what to do."`
	Code      savepage.Code         `json:"code" doc:"A stable name for what went wrong."`
	RequestID string                `json:"request_id,omitempty" doc:"Names this request in the server's log."`
	Errors    []savepage.FieldError `json:"errors,omitempty" doc:"Every wrong field of the request."`
	CaptureID string                `json:"capture_id,omitempty" doc:"The capture that failed, where there is one."`
	StatusURL string                `json:"status_url,omitempty" doc:"Where to look that capture up."`
	Report    *savepage.Report      `json:"report,omitempty" doc:"What became of that capture's page, if it was loaded."`
}

// retryAfter is how many seconds a client is asked to wait when the server is full or stopping.
const retryAfter = "5"

// statusGone is what the log shows for a client that hung up; nobody receives it.
const statusGone = 499

// fail answers a request with an error. What is not a *savepage.Error is logged and shown as internal_error.
func (a *API) fail(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil && errors.Is(err, context.Canceled) {
		w.WriteHeader(statusGone)
		return
	}
	fault := a.visible(r, err)
	a.problem(w, problemOf(fault, fault.Code.Info().Status))
}

// visible is what the client may see of err.
func (a *API) visible(r *http.Request, err error) *savepage.Error {
	if fault, known := errors.AsType[*savepage.Error](err); known {
		return fault
	}
	a.log.ErrorContext(r.Context(), "request failed", slog.String("method", r.Method), slog.String("route", r.Pattern),
		slog.String("request_id", r.Header.Get(headerRequestID)), slog.Any("error", err))
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

// problem writes p with what every problem carries.
func (a *API) problem(w http.ResponseWriter, p Problem) {
	p.Type = a.cfg.Links.PublicURL + "/docs#" + string(p.Code)
	p.RequestID = w.Header().Get(headerRequestID)
	body, err := marshal(p)
	if err != nil { // a value that JSON can not hold was to be given back
		p.Errors = nil
		body, _ = marshal(p)
	}
	h := w.Header()
	if h.Get("Retry-After") == "" && (p.Status == http.StatusServiceUnavailable || p.Status == http.StatusTooManyRequests) {
		h.Set("Retry-After", retryAfter)
	}
	write(w, p.Status, "application/problem+json", body)
}

// Fault answers a request whose handler panicked. The middleware that recovers calls it.
func (a *API) Fault(w http.ResponseWriter, _ *http.Request) {
	a.problem(w, problemOf(savepage.Errorf(savepage.CodeInternal, "an internal error"), http.StatusInternalServerError))
}

// answer writes v as JSON.
func (a *API) answer(w http.ResponseWriter, r *http.Request, status int, v any) {
	body, err := marshal(v)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	write(w, status, "application/json", body)
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
	_, _ = w.Write(body) //nolint:gosec // never HTML but for our own page; an error means that the client has gone
}

// marshal writes JSON that leaves & < > in addresses as they are. The answers are never HTML.
func marshal(v any) ([]byte, error) {
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return body.Bytes(), nil
}
