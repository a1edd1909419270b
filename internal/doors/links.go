package doors

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/savepage/savepage"
)

// urlboxDoor answers clients of Urlbox.
type urlboxDoor struct{ *base }

func newLinks(in *base) *urlboxDoor { return &urlboxDoor{in} }

func (d *urlboxDoor) addTo(mux *http.ServeMux) {
	mux.HandleFunc("GET /v1/{key}/{token}/{format}", d.link)
	mux.HandleFunc("GET /v1/{key}/{format}", d.link)
	mux.HandleFunc("POST /v1/render/sync", d.withKey(d.renderSync))
	mux.HandleFunc("POST /v1/render/async", d.withKey(d.renderAsync))
	mux.HandleFunc("GET /v1/render/{id}", d.withKey(d.renderStatus))
}

// link answers a link to a picture. Paths of the API that look like one are handed on: what a link ends in is a format.
func (d *urlboxDoor) link(w http.ResponseWriter, r *http.Request) {
	if !isUrlboxFormat(r.PathValue("format")) {
		d.API.ServeHTTP(w, r)
		return
	}
	w.Header().Set("Access-Control-Allow-Origin", "*")
	if err := d.picture(w, r); err != nil {
		d.fail(w, r, err)
	}
}

func (d *urlboxDoor) picture(w http.ResponseWriter, r *http.Request) error {
	key, token := r.PathValue("key"), r.PathValue("token")
	given, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return savepage.Errorf(savepage.CodeInvalidRequest, "the query is malformed")
	}
	who, err := d.Authenticate(r.Context(), key)
	if err != nil {
		return err
	}
	if err := checkSignature(who, token, r.URL.RawQuery, token != ""); err != nil {
		return err
	}
	given["format"] = []string{r.PathValue("format")}
	o := readUrlbox(given)
	t, err := d.as(w, r, key).picture(r.Context(), o)
	if err != nil {
		return err
	}
	d.describe(w.Header(), t, o)
	return d.send(w, r, t, fileStem(o.value("download")))
}

// describe sets the headers by which Urlbox's clients know a render.
func (d *urlboxDoor) describe(h http.Header, t told, o *order) {
	if t.Timing != nil {
		h.Set("X-Urlbox-Render-Time", strconv.FormatInt(t.Timing.RenderMS, 10))
	}
	h.Set("X-Urlbox-Cache-Status", map[bool]string{true: "HIT", false: "MISS"}[t.Cached])
	if ttl, kept := o.options["cache_ttl"].(float64); kept {
		h.Set("Cache-Control", "public, max-age="+strconv.Itoa(int(ttl)))
	}
}

// fail answers with an error as Urlbox writes it.
func (d *urlboxDoor) fail(w http.ResponseWriter, r *http.Request, err error) {
	fault := d.visible(r, err)
	errors := map[string][]string{}
	for _, field := range fault.Fields {
		errors[field.Location] = append(errors[field.Location], field.Message)
	}
	body := map[string]any{"message": fault.Message, "code": urlboxCode(fault)}
	if len(errors) > 0 {
		body["errors"] = errors
	}
	w.Header().Set("X-Urlbox-Error-Message", headerText(fault.Message))
	replyJSON(w, statusOf(fault), map[string]any{"error": body, "requestId": w.Header().Get("X-Request-Id")})
}

// urlboxCode is Urlbox's name of an error, or ours where it has none.
func urlboxCode(fault *savepage.Error) string {
	switch fault.Code {
	case savepage.CodeInvalidRequest:
		return "InvalidOptions"
	case savepage.CodeUnauthorized:
		return "ApiKeyNotFound"
	case savepage.CodeForbidden:
		return "InvalidToken"
	case savepage.CodeRateLimited, savepage.CodeTooManyPending, savepage.CodeQuotaExceeded:
		return "RateLimitReached"
	default:
		return string(fault.Code)
	}
}

// headerText is a text as the value of a header: printable ASCII, cut to a length.
func headerText(given string) string {
	const most = 500
	clean := make([]byte, 0, min(len(given), most))
	for _, c := range []byte(given[:min(len(given), most)]) {
		if c < ' ' || c > '~' {
			c = '?'
		}
		clean = append(clean, c)
	}
	return string(clean)
}
