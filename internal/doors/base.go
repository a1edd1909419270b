package doors

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/inside"
)

// maxBody is how many bytes the body of a request may have.
const maxBody = 3 << 20

// longestWait is how long a synchronous request waits for its picture, in seconds, unless the server's limit is lower.
const longestWait = 110

// base is the API behind the doors.
type base struct{ Parts }

// caller asks the API with the key of a client, in the place of the client's request.
type caller struct {
	*base

	w   http.ResponseWriter
	r   *http.Request
	key string
}

// as returns a caller.
func (b *base) as(w http.ResponseWriter, r *http.Request, key string) *caller {
	return &caller{b, w, r, key}
}

// ask sends a request to the API. Its headers that concern every answer go on to the client.
func (c *caller) ask(ctx context.Context, method, address string, body any) (*inside.Answer, error) {
	request, err := inside.Request(c.r.WithContext(ctx), c.key, method, address, body)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Prefer", "wait="+strconv.Itoa(longestWait))
	for _, name := range []string{"X-Request-Id", "Idempotency-Key"} {
		if value := c.r.Header.Get(name); value != "" && (method == http.MethodPost || name == "X-Request-Id") {
			request.Header.Set(name, value)
		}
	}
	got := inside.Ask(c.API, request, c.w.Header().Get("X-Request-Id"))
	for name := range got.Header() {
		if strings.HasPrefix(name, "X-Ratelimit-") || name == "Retry-After" || name == "Server-Timing" || name == "Idempotent-Replayed" {
			c.w.Header()[name] = got.Header()[name]
		}
	}
	return got, nil
}

// told is the answer to a submission, and what a look-up says.
type told struct {
	capture.View

	StatusURL string `json:"status_url"`
}

// submit asks the API for a capture and returns what it says. An error of the API is *savepage.Error in the peer's names.
func (c *caller) submit(ctx context.Context, o *order) (told, error) {
	if len(o.ignored) > 0 {
		c.w.Header().Set(HeaderIgnored, strings.Join(o.ignored, ", "))
	}
	if err := o.fault(); err != nil {
		return told{}, err
	}
	got, err := c.ask(ctx, http.MethodPost, "/v1/capture", o.options)
	if err != nil {
		return told{}, err
	}
	t, err := read(got)
	if fault, known := errors.AsType[*savepage.Error](err); known {
		return t, o.translated(fault)
	}
	return t, err
}

// read reads an answer about a capture.
func read(a *inside.Answer) (told, error) {
	p, err := a.Problem()
	if err != nil {
		return told{}, err
	}
	if p != nil {
		fault := savepage.Errorf(p.Code, "%s", p.Detail)
		fault.Fields = p.Errors
		return told{}, fault
	}
	var t told
	if err := json.Unmarshal(a.Bytes(), &t); err != nil {
		return t, fmt.Errorf("read the API's answer: %w", err)
	}
	return t, nil
}

// picture asks for a capture and returns it when its picture is there.
func (c *caller) picture(ctx context.Context, o *order) (told, error) {
	t, err := c.submit(ctx, o)
	if err == nil && o.options["callback_url"] != nil {
		t, err = c.await(ctx, t)
	}
	if err != nil {
		return t, err
	}
	return t, t.ended()
}

// await returns a capture that was submitted with a callback when it has ended, or as it is when the wait is over or the server
// stops.
func (c *caller) await(ctx context.Context, t told) (told, error) {
	if t.Image != nil || t.Error != nil {
		return t, nil
	}
	waiting, cancel := context.WithTimeout(ctx, longestWait*time.Second)
	defer cancel()
	// The stream ends with the capture. What it says is of no interest.
	if _, err := c.ask(waiting, http.MethodGet, "/v1/captures/"+t.CaptureID+"/events", nil); err != nil {
		return t, err
	}
	return c.look(ctx, t.CaptureID)
}

// look looks a capture up.
func (c *caller) look(ctx context.Context, id string) (told, error) {
	got, err := c.ask(ctx, http.MethodGet, "/v1/captures/"+url.PathEscape(id), nil)
	if err != nil {
		return told{}, err
	}
	return read(got)
}

// ended returns the error of a capture that has no picture now.
func (t told) ended() error {
	switch {
	case t.Image != nil:
		return nil
	case t.Error != nil:
		return t.Error
	default:
		return savepage.Errorf(savepage.CodeRenderTimeout, "the picture is not ready yet: %s says when it is", t.StatusURL)
	}
}

// open opens the picture of a capture. The caller closes it.
func (b *base) open(r *http.Request, t told) (io.ReadCloser, error) {
	picture, err := b.Open(r.Context(), (*t.Image)[strings.LastIndexByte(*t.Image, '/')+1:])
	if err != nil {
		return nil, fmt.Errorf("open the picture: %w", err)
	}
	return picture, nil
}

// send answers with the bytes of a picture.
func (b *base) send(w http.ResponseWriter, r *http.Request, t told, fileName string) error {
	picture, err := b.open(r, t)
	if err != nil {
		return err
	}
	defer func() { _ = picture.Close() }() // it was only read
	info := t.Format.Info()
	h := w.Header()
	h.Set("Content-Type", info.MediaType)
	h.Set("Content-Length", strconv.FormatInt(*t.Size, 10))
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Capture-Id", t.CaptureID)
	shown, stem := "inline", "screenshot"
	if info.Download || fileName != "" {
		shown = "attachment"
	}
	if fileName != "" {
		stem = fileName
	}
	h.Set("Content-Disposition", shown+`; filename="`+stem+"."+info.Extension+`"`)
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "no-store")
	}
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = io.Copy(w, picture) // an error means that the client has disconnected
	}
	return nil
}

// visible is the part of an error that a client may see.
func (b *base) visible(r *http.Request, err error) *savepage.Error {
	if fault, known := errors.AsType[*savepage.Error](err); known {
		return fault
	}
	if !errors.Is(err, context.Canceled) {
		b.Log.ErrorContext(r.Context(), "request of another service's client failed", "route", r.Pattern, "error", err)
	}
	return savepage.Errorf(savepage.CodeInternal, "an internal error")
}

// statusOf is the HTTP status of an error.
func statusOf(fault *savepage.Error) int { return fault.Code.Info().Status }

// reply writes a whole body that no cache may keep.
func reply(w http.ResponseWriter, status int, mediaType string, body []byte) {
	h := w.Header()
	h.Set("Content-Type", mediaType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(body) // an error means that the client has disconnected
}

// replyJSON writes v as JSON.
func replyJSON(w http.ResponseWriter, status int, v any) {
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		status = http.StatusInternalServerError
		body.Reset()
	}
	reply(w, status, "application/json", body.Bytes())
}

// readBody reads a whole body, or returns *savepage.Error of CodeTooLarge or CodeInvalidRequest.
func readBody(w http.ResponseWriter, r *http.Request, most int64) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, most))
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return nil, savepage.Errorf(savepage.CodeTooLarge, "the body must be at most %d bytes", most)
	}
	if err != nil {
		return nil, savepage.Errorf(savepage.CodeInvalidRequest, "the body cannot be read")
	}
	return body, nil
}
