package doors

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"strings"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/api"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/inside"
)

// secondDoor answers clients of the second version of savepage.io's API: the options and errors are those of GET /v1/, and the
// result is arranged otherwise.
type secondDoor struct{ *base }

func newSecond(in *base) *secondDoor { return &secondDoor{in} }

func (d *secondDoor) addTo(mux *http.ServeMux) {
	mux.HandleFunc("GET /v2", d.get)
	mux.HandleFunc("GET /v2/{$}", d.get)
}

// secondAnswer is a result in the second version.
type secondAnswer struct {
	Status savepage.State `json:"status"`
	Data   secondData     `json:"data"`
	Meta   secondMeta     `json:"meta"`
}

type secondData struct {
	ImageURL *string          `json:"image_url"`
	Viewport secondViewport   `json:"viewport"`
	Output   secondOutput     `json:"output"`
	Timing   *savepage.Timing `json:"timing"`
}

type secondViewport struct {
	Width  int `json:"width"`
	Height int `json:"height"`
}

type secondOutput struct {
	Format    *savepage.Format `json:"format"`
	Width     *int             `json:"width"`
	Height    *int             `json:"height"`
	SizeBytes *int64           `json:"size_bytes"`
}

type secondMeta struct {
	CaptureID  string           `json:"capture_id"`
	URL        string           `json:"url,omitempty"`
	CapturedAt *string          `json:"captured_at"`
	Report     *savepage.Report `json:"report,omitempty"`
}

// get asks the first version, and arranges a result. Every other answer goes on as it is.
func (d *secondDoor) get(w http.ResponseWriter, r *http.Request) {
	first := r.Clone(r.Context())
	first.URL = &url.URL{Path: "/v1/", RawQuery: r.URL.RawQuery}
	first.RequestURI = first.URL.RequestURI()
	got := inside.Ask(d.API, first, w.Header().Get("X-Request-Id"))
	maps.Copy(w.Header(), got.Header())
	body := got.Bytes()
	if arranged, err := arrange(r.URL.RawQuery, got); err == nil {
		body = arranged
		w.Header().Del("Content-Length")
	}
	w.WriteHeader(got.Status)
	_, _ = w.Write(body) //nolint:gosec // what the API answered; an error means that the client has disconnected
}

// arrange returns a result in the second version, or an error where the answer is none.
func arrange(query string, got *inside.Answer) ([]byte, error) {
	var v capture.View
	if got.Status != http.StatusOK || !strings.HasPrefix(got.Header().Get("Content-Type"), "application/json") {
		return nil, http.ErrNotSupported
	}
	if err := json.Unmarshal(got.Bytes(), &v); err != nil {
		return nil, err
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return nil, err
	}
	delete(values, "response")
	options, err := api.DecodeOptions(values)
	if err != nil {
		return nil, err
	}
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	enc.SetEscapeHTML(false)
	err = enc.Encode(secondAnswer{
		Status: v.Status,
		Data: secondData{
			ImageURL: v.Image, Viewport: secondViewport{options.Width, options.Height},
			Output: secondOutput{v.Format, v.Width, v.Height, v.Size}, Timing: v.Timing,
		},
		Meta: secondMeta{CaptureID: v.CaptureID, URL: v.URL, CapturedAt: v.CapturedAt, Report: v.Report},
	})
	return body.Bytes(), err
}
