package doors

import (
	"bytes"
	"encoding/base64"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/savepage/savepage"
)

// chromeDoor answers clients of browserless.
type chromeDoor struct{ *base }

func newChrome(in *base) *chromeDoor { return &chromeDoor{in} }

func (d *chromeDoor) addTo(mux *http.ServeMux) {
	for path, paper := range map[string]bool{
		"/screenshot": false, "/chromium/screenshot": false, "/chrome/screenshot": false,
		"/pdf": true, "/chromium/pdf": true, "/chrome/pdf": true,
	} {
		mux.HandleFunc("POST "+path, d.serve(paper))
	}
}

func (d *chromeDoor) serve(paper bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := d.file(w, r, paper); err != nil {
			fault := d.visible(r, err)
			reply(w, chromeStatus(fault), "text/plain; charset=utf-8", []byte(fault.Message))
		}
	}
}

// chromeStatus is browserless' status of an error: 408 where time ran out.
func chromeStatus(fault *savepage.Error) int {
	if fault.Code == savepage.CodeRenderTimeout || fault.Code == savepage.CodeNavigationTimeout {
		return http.StatusRequestTimeout
	}
	return statusOf(fault)
}

func (d *chromeDoor) file(w http.ResponseWriter, r *http.Request, paper bool) error {
	key := r.URL.Query().Get("token")
	if key == "" {
		key = formKey(r)
	}
	if key == "" {
		return savepage.Errorf(savepage.CodeUnauthorized, "a key is required: send ?token=KEY or Authorization: Bearer KEY")
	}
	if _, err := d.Authenticate(r.Context(), key); err != nil {
		return err
	}
	body, err := readBody(w, r, maxBody)
	if err != nil {
		return err
	}
	given, err := chromeValues(body)
	if err != nil {
		return err
	}
	for name, as := range map[string]string{"blockAds": "blockAds", "timeout": "gotoOptions.timeout"} {
		if value := r.URL.Query().Get(name); value != "" {
			given[as] = []string{value}
		}
	}
	o := readChrome(given, paper)
	t, err := d.as(w, r, key).picture(r.Context(), o)
	if err != nil {
		return err
	}
	return d.answer(w, r, t, o)
}

// chromeValues reads the body: headers and cookies stay whole, everything else is found by its path.
func chromeValues(body []byte) (map[string][]string, error) {
	shallow, err := flat(body, false)
	if err != nil {
		return nil, err
	}
	given, err := flat(body, true)
	for name := range given {
		if strings.HasPrefix(name, "setExtraHTTPHeaders.") {
			delete(given, name)
		}
	}
	if headers, there := shallow["setExtraHTTPHeaders"]; there {
		given["setExtraHTTPHeaders"] = headers
	}
	return given, err
}

// answer answers with the bytes, or with base64, and what the page answered.
func (d *chromeDoor) answer(w http.ResponseWriter, r *http.Request, t told, o *order) error {
	if t.Report != nil && t.Report.HTTPStatus != 0 {
		w.Header().Set("X-Response-Code", strconv.Itoa(t.Report.HTTPStatus))
		if t.Report.FinalURL != "" {
			w.Header().Set("X-Response-Url", headerText(t.Report.FinalURL))
		}
	}
	if o.value("options.encoding") != "base64" {
		return d.send(w, r, t, "")
	}
	picture, err := d.open(r, t)
	if err != nil {
		return err
	}
	defer func() { _ = picture.Close() }() // it was only read
	var text bytes.Buffer
	encoder := base64.NewEncoder(base64.StdEncoding, &text)
	if _, err := io.Copy(encoder, picture); err != nil {
		return err
	}
	if err := encoder.Close(); err != nil {
		return err
	}
	reply(w, http.StatusOK, "text/plain; charset=utf-8", text.Bytes())
	return nil
}
