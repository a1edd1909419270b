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

	"github.com/savepage/savepage"
)

// badKey is the text of the older API's error that its clients know.
const badKey = "461 - Cannot verify the API Key"

// front answers GET and POST of /v1 and /v1/, where the current and the older API meet. The presence of key or q chooses
// the older one, never Accept.
func (a *API) front(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		params := looseValues(r.URL.RawQuery)
		if params.Has("key") || params.Has("q") {
			a.legacy(w, r, params)
			return
		}
		a.withKey(savepage.ScopeCapture, a.getCapture).ServeHTTP(w, r)
		return
	}
	allowOrigins(w.Header())
	params, err := legacyParams(w, r)
	if err != nil {
		a.legacyFail(w, r, err)
		return
	}
	if _, current := bearer(r); current && !params.Has("key") && !params.Has("q") {
		a.fail(w, r, savepage.Errorf(savepage.CodeInvalidRequest, "POST options to /v1/capture; this path is for key and q of the older API"))
		return
	}
	a.legacy(w, r, params)
}

// preflight answers OPTIONS of /v1 and /v1/: pages may call the older API from a browser.
func (a *API) preflight(w http.ResponseWriter, _ *http.Request) {
	h := w.Header()
	allowOrigins(h)
	h.Set("Access-Control-Allow-Methods", "GET, POST, OPTIONS")
	h.Set("Access-Control-Allow-Headers", "Content-Type, Accept, X-Requested-With")
	h.Set("Access-Control-Max-Age", "86400")
	w.WriteHeader(http.StatusNoContent)
}

func allowOrigins(h http.Header) { h.Set("Access-Control-Allow-Origin", "*") }

// legacy answers a request of the older API with the picture's bytes.
func (a *API) legacy(w http.ResponseWriter, r *http.Request, params url.Values) {
	allowOrigins(w.Header())
	if err := a.legacyCapture(w, r, params); err != nil {
		a.legacyFail(w, r, err)
	}
}

func (a *API) legacyCapture(w http.ResponseWriter, r *http.Request, params url.Values) error {
	who, err := a.legacyPrincipal(w, r, params)
	if err != nil {
		return err
	}
	options, err := legacyOptions(params)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", legacyCaching(params))
	s := submission{account: who.Account.ID, options: options}
	err = a.legacyPicture(w, r, s)
	if errors.Is(err, fs.ErrNotExist) && options.CacheTTL > 0 { // its picture has been removed: take a new one
		s.options.CacheTTL = 0
		err = a.legacyPicture(w, r, s)
	}
	return err
}

// legacyPicture answers with the picture of a submission.
func (a *API) legacyPicture(w http.ResponseWriter, r *http.Request, s submission) error {
	accepted, err := a.accept(r.Context(), s, true)
	if err != nil {
		return err
	}
	c, err := a.await(r, accepted.Capture, a.cfg.SyncWait)
	switch {
	case err != nil:
		return err
	case c.State == savepage.Success:
		timing(w.Header(), c.Timing)
		tellCached(w.Header(), c)
		return a.sendPicture(w, r, c.Picture)
	case c.State == savepage.Failed && c.Error != nil:
		return captureError{c}
	case c.State.Final():
		return savepage.Errorf(savepage.CodeConflict, "the capture was canceled")
	default:
		return savepage.Errorf(savepage.CodeRenderTimeout, "The picture is not ready yet; send the same request again")
	}
}

// legacyPrincipal checks key, limit and hash, in that order and before anything else.
func (a *API) legacyPrincipal(w http.ResponseWriter, r *http.Request, params url.Values) (savepage.Principal, error) {
	if params.Get("key") == "" {
		return savepage.Principal{}, savepage.Errorf(savepage.CodeUnauthorized, badKey)
	}
	who, err := a.parts.Keys.Authenticate(r.Context(), params.Get("key"))
	if err != nil {
		return who, err
	}
	if err := a.admit(w, r, who, savepage.ScopeCapture); err != nil {
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

// legacyFail answers with an error as the older API writes them, never with a 2xx.
func (a *API) legacyFail(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil {
		w.WriteHeader(statusGone)
		return
	}
	status, text := a.legacyText(r, err)
	w.Header().Del("Cache-Control")
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", retryAfter)
	}
	body, err := marshal(map[string]string{"error": text})
	if err != nil {
		a.fail(w, r, err)
		return
	}
	write(w, status, "application/json", body)
}

// legacyText is the status and the "<code> - <text>" of an error.
func (a *API) legacyText(r *http.Request, err error) (int, string) {
	if failed, known := errors.AsType[captureError](err); known {
		fault := failed.capture.Error
		status := fault.Code.CaptureStatus()
		if fault.Code == savepage.CodeNameNotResolved {
			return status, fmt.Sprintf("%d - getaddrinfo ENOTFOUND %s", status, hostOf(failed.capture.Options.URL))
		}
		return status, fmt.Sprintf("%d - %s", status, fault.Message)
	}
	fault := a.visible(r, err)
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
