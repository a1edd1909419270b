package doors

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/savepage/savepage"
)

// takeDoor answers clients of ScreenshotOne.
type takeDoor struct{ *base }

func newTake(in *base) *takeDoor { return &takeDoor{in} }

func (d *takeDoor) addTo(mux *http.ServeMux) {
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		mux.HandleFunc(method+" /take", d.serve)
		mux.HandleFunc(method+" /animate", d.animate)
	}
}

func (d *takeDoor) serve(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Access-Control-Allow-Origin", "*")
	if err := d.take(w, r); err != nil {
		d.fail(w, r, err)
	}
}

// animate refuses films in words that the client shows.
func (d *takeDoor) animate(w http.ResponseWriter, r *http.Request) {
	d.fail(w, r, savepage.Errorf(savepage.CodeInvalidRequest, "there are no films; /take makes pictures"))
}

func (d *takeDoor) take(w http.ResponseWriter, r *http.Request) error {
	given, err := takeValues(w, r)
	if err != nil {
		return err
	}
	key, who, err := d.admit(r, given)
	if err != nil {
		return err
	}
	o := readTake(given, who.Limits.Timeout)
	if kind := o.value("response_type"); !slices.Contains([]string{"", "by_format", "json", "empty"}, kind) {
		o.name = "response_type"
		o.refuse("must be one of by_format, json, empty")
	}
	c := d.as(w, r, key)
	if o.truth("async") {
		if _, err := c.submit(r.Context(), o); err != nil {
			return err
		}
		w.WriteHeader(http.StatusOK)
		return nil
	}
	t, err := c.picture(r.Context(), o)
	if err != nil {
		return err
	}
	return d.answer(w, r, t, o)
}

// admit finds the key, and checks the signature of a link.
func (d *takeDoor) admit(r *http.Request, given map[string][]string) (string, savepage.Principal, error) {
	var nobody savepage.Principal
	key := r.Header.Get("X-Access-Key")
	if keys := given["access_key"]; len(keys) > 0 {
		key = last(keys)
	}
	if key == "" {
		return "", nobody, savepage.Errorf(savepage.CodeUnauthorized, "access_key is required")
	}
	who, err := d.Authenticate(r.Context(), key)
	if err == nil && r.Method != http.MethodPost {
		query, signature, signed := unsigned(r.URL.RawQuery, "signature")
		err = checkSignature(who, signature, query, signed)
	}
	return key, who, err
}

// takeValues are the options of a query, or of a JSON body.
func takeValues(w http.ResponseWriter, r *http.Request) (map[string][]string, error) {
	given, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, savepage.Errorf(savepage.CodeInvalidRequest, "the query is malformed")
	}
	if r.Method != http.MethodPost {
		return given, nil
	}
	body, err := readBody(w, r, maxBody)
	if err != nil {
		return nil, err
	}
	values, err := flat(body, false)
	maps.Copy(given, values)
	return given, err
}

// answer answers with the picture, with where it is, or with nothing.
func (d *takeDoor) answer(w http.ResponseWriter, r *http.Request, t told, o *order) error {
	metadata, store := takeMetadata(w.Header(), t, o), takeStored(w.Header(), t, o)
	switch o.value("response_type") {
	case "empty":
		w.WriteHeader(http.StatusOK)
		return nil
	case "json":
		body := map[string]any{"screenshot_url": t.Image}
		if o.options["cache_ttl"] != nil {
			body["cache_url"] = t.Image
		}
		if len(metadata) > 0 {
			body["metadata"] = metadata
		}
		if len(store) > 0 {
			body["store"] = store
		}
		replyJSON(w, http.StatusOK, body)
		return nil
	default:
		if ttl, kept := o.options["cache_ttl"].(float64); kept {
			w.Header().Set("Cache-Control", "public, max-age="+strconv.Itoa(int(ttl)))
		}
		return d.send(w, r, t, fileStem(o.value("attachment_name")))
	}
}

// takeMetadata sets the headers that a client asked for, and returns the same for JSON.
func takeMetadata(h http.Header, t told, o *order) map[string]any {
	metadata := map[string]any{}
	if o.truth("metadata_image_size") {
		h.Set("X-Screenshotone-Image-Width", strconv.Itoa(*t.Width))
		h.Set("X-Screenshotone-Image-Height", strconv.Itoa(*t.Height))
		metadata["image_size"] = map[string]int{"width": *t.Width, "height": *t.Height}
	}
	if t.Report == nil {
		return metadata
	}
	if o.truth("metadata_page_title") {
		h.Set("X-Screenshotone-Page-Title", url.PathEscape(t.Report.Title))
		metadata["page_title"] = t.Report.Title
	}
	if o.truth("metadata_http_response_status_code") && t.Report.HTTPStatus != 0 {
		h.Set("X-Screenshotone-Http-Response-Status-Code", strconv.Itoa(t.Report.HTTPStatus))
		metadata["http_response"] = map[string]int{"status_code": t.Report.HTTPStatus}
	}
	return metadata
}

// takeStored says where else the picture is, in headers and for JSON.
func takeStored(h http.Header, t told, o *order) map[string]string {
	if t.Stored == nil {
		return nil
	}
	h.Set("X-Screenshotone-Store-Bucket", t.Stored.Name)
	h.Set("X-Screenshotone-Store-Key", url.PathEscape(t.Stored.Key))
	store := map[string]string{"bucket": t.Stored.Name, "key": t.Stored.Key}
	if o.truth("storage_return_location") {
		h.Set("X-Screenshotone-Store-Location", t.Stored.URL)
		store["location"] = t.Stored.URL
	}
	return store
}

// fileStem is a file name without what a header or a file system would mistake.
func fileStem(given string) string {
	clean := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || strings.ContainsRune(`"\/;:*?<>|`, r) {
			return '_'
		}
		return r
	}, given)
	return clean[:min(len(clean), maxFileStem)]
}

// maxFileStem bounds the name of a file that a client asks for, in bytes.
const maxFileStem = 128

// fail answers with an error as ScreenshotOne writes it.
func (d *takeDoor) fail(w http.ResponseWriter, r *http.Request, err error) {
	fault := d.visible(r, err)
	replyJSON(w, statusOf(fault), map[string]any{
		"is_successful": false, "error_code": takeCode(fault), "error_message": fault.Message,
		"documentation_url": fmt.Sprintf("%s#%s", "/docs", fault.Code),
	})
}

// takeCode is ScreenshotOne's name of an error, or ours where it has none.
func takeCode(fault *savepage.Error) string {
	codes := map[savepage.Code]string{
		savepage.CodeInvalidRequest: "request_not_valid", savepage.CodeUnauthorized: "access_key_invalid",
		savepage.CodeForbidden:   "signature_is_not_valid",
		savepage.CodeRateLimited: "concurrency_limit_reached", savepage.CodeTooManyPending: "concurrency_limit_reached",
		savepage.CodeQuotaExceeded: "screenshots_limit_reached", savepage.CodeRenderTimeout: "timeout_error",
		savepage.CodeNavigationTimeout: "timeout_error", savepage.CodeHTTPError: "host_returned_error",
		savepage.CodeConnectionFailed: "network_error", savepage.CodeTLSError: "network_error",
		savepage.CodeTextFound: "content_contains_specified_string", savepage.CodeTextMissing: "content_missing_specified_string",
		savepage.CodeInternal: "internal_application_error", savepage.CodeServiceFault: "internal_application_error",
		savepage.CodeQueueFull: "temporary_unavailable", savepage.CodeShuttingDown: "temporary_unavailable",
	}
	if name, known := codes[fault.Code]; known {
		return name
	}
	return string(fault.Code)
}
