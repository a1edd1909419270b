package api

import (
	"crypto/md5" //nolint:gosec // the older API prescribes it, and it guards no more than the key does
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/savepage/savepage"
)

// badKey is the older API's text of an error that its clients compare.
const badKey = "461 - Cannot verify the API Key"

// legacyHandlers answer the older API of savepage.io.
type legacyHandlers struct {
	out      responder
	gate     *gate
	submits  *submitter
	pictures *pictureHandlers
	wait     time.Duration // for a picture
	current  http.Handler  // of GET requests without key and q
}

// front answers GET and POST of /v1 and /v1/, which the current and the older API share. A request with key or q is of the
// older one; Accept makes no difference.
func (h *legacyHandlers) front(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		params := looseValues(r.URL.RawQuery)
		if params.Has("key") || params.Has("q") {
			h.answer(w, r, params)
			return
		}
		h.current.ServeHTTP(w, r)
		return
	}
	allowOrigins(w.Header())
	defer h.gate.bodies.of(r, "")()
	params, err := legacyParams(w, r)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	if _, current := bearer(r); current && !params.Has("key") && !params.Has("q") {
		const message = "POST options to /v1/capture; this path is for key and q of the older API"
		h.out.fail(w, r, savepage.Errorf(savepage.CodeInvalidRequest, message))
		return
	}
	h.answer(w, r, params)
}

// preflight answers OPTIONS of /v1 and /v1/: pages may call the older API from a browser.
func (*legacyHandlers) preflight(w http.ResponseWriter, _ *http.Request) {
	header := w.Header()
	allowOrigins(header)
	header.Set("Access-Control-Allow-Methods", "GET, POST, OPTIONS")
	header.Set("Access-Control-Allow-Headers", "Content-Type, Accept, X-Requested-With")
	header.Set("Access-Control-Max-Age", "86400")
	w.WriteHeader(http.StatusNoContent)
}

func allowOrigins(h http.Header) { h.Set("Access-Control-Allow-Origin", "*") }

// answer answers a request of the older API with the picture's bytes.
func (h *legacyHandlers) answer(w http.ResponseWriter, r *http.Request, params url.Values) {
	allowOrigins(w.Header())
	if err := h.capture(w, r, params); err != nil {
		h.fail(w, r, err)
	}
}

func (h *legacyHandlers) capture(w http.ResponseWriter, r *http.Request, params url.Values) error {
	who, err := h.authenticate(w, r, params)
	if err != nil {
		return err
	}
	options, err := legacyOptions(params)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", legacyCaching(params))
	if longest := who.Limits.Timeout; longest > 0 {
		options.Timeout = min(options.Timeout, longest) // the client has not chosen it
	}
	s := submission{account: who.Account.ID, keyID: who.KeyID, longest: who.Limits.Timeout, options: options}
	err = h.picture(w, r, s)
	if errors.Is(err, fs.ErrNotExist) && options.CacheTTL > 0 { // the cached picture has been removed: take a new one
		s.options.CacheTTL = 0
		err = h.picture(w, r, s)
	}
	return err
}

// picture answers with the picture of a submission.
func (h *legacyHandlers) picture(w http.ResponseWriter, r *http.Request, s submission) error {
	accepted, err := h.submits.accept(r.Context(), s, true)
	if err != nil {
		return err
	}
	c, err := h.submits.await(r, accepted.Capture, h.wait)
	switch {
	case err != nil:
		return err
	case c.State == savepage.Success:
		setTiming(w.Header(), c.Timing)
		setCached(w.Header(), c)
		return h.pictures.send(w, r, c.Picture)
	case c.State == savepage.Failed && c.Error != nil:
		return captureError{c}
	case c.State.Final():
		return savepage.Errorf(savepage.CodeConflict, "the capture was canceled")
	default:
		return savepage.Errorf(savepage.CodeRenderTimeout, "The picture is not ready yet; send the same request again")
	}
}

// authenticate checks key, limit and hash, in that order and before anything else.
func (h *legacyHandlers) authenticate(w http.ResponseWriter, r *http.Request, params url.Values) (savepage.Principal, error) {
	if params.Get("key") == "" {
		return savepage.Principal{}, savepage.Errorf(savepage.CodeUnauthorized, badKey)
	}
	who, err := h.gate.keys.Authenticate(r.Context(), params.Get("key"))
	if err != nil {
		return who, err
	}
	if err := h.gate.admit(w, r, who, maySubmit); err != nil {
		return who, err
	}
	if who.Account.APISecret == "" {
		return who, nil
	}
	digest := md5.Sum([]byte(params.Get("q") + who.Account.APISecret)) //nolint:gosec // see the import
	want := hex.EncodeToString(digest[:])
	if subtle.ConstantTimeCompare([]byte(want), []byte(strings.ToLower(params.Get("hash")))) != 1 {
		return who, savepage.Errorf(savepage.CodeForbidden, "Cannot verify the hash: it must be the md5 of q and the API secret")
	}
	return who, nil
}

// captureError is the error of a capture that failed.
type captureError struct{ capture savepage.Capture }

func (f captureError) Error() string { return f.capture.Error.Error() }

// fail answers with an error in the form of the older API, never with a 2xx.
func (h *legacyHandlers) fail(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil {
		w.WriteHeader(statusGone)
		return
	}
	status, text := h.text(r, err)
	w.Header().Del("Cache-Control")
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", retryAfter)
	}
	body, err := marshal(map[string]string{"error": text})
	if err != nil {
		h.out.fail(w, r, err)
		return
	}
	write(w, status, "application/json", body)
}

// text is the status and the "<code> - <text>" of an error.
func (h *legacyHandlers) text(r *http.Request, err error) (int, string) {
	if failed, known := errors.AsType[captureError](err); known {
		fault := failed.capture.Error
		status := fault.Code.CaptureStatus()
		if fault.Code == savepage.CodeNameNotResolved {
			return status, fmt.Sprintf("%d - getaddrinfo ENOTFOUND %s", status, hostOf(failed.capture.Options.URL))
		}
		return status, fmt.Sprintf("%d - %s", status, fault.Message)
	}
	fault := h.out.visible(r, err)
	if fault.Code == savepage.CodeUnauthorized {
		return http.StatusUnauthorized, badKey
	}
	status := fault.Code.Info().Status
	return status, strconv.Itoa(status) + " - " + fault.Message
}

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Hostname()
}
