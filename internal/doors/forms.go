package doors

import (
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/savepage/savepage"
)

// Bounds of a form.
const (
	maxForm  = 6 << 20 // bytes
	maxParts = 200
)

// form is a multipart form: its fields, and its files by their names.
type form struct {
	values map[string][]string
	files  []savepage.Asset
}

// formDoor answers clients of Gotenberg.
type formDoor struct{ *base }

func newForms(in *base) *formDoor { return &formDoor{in} }

func (d *formDoor) addTo(mux *http.ServeMux) {
	for _, from := range []string{"url", "html"} {
		mux.HandleFunc("POST /forms/chromium/screenshot/"+from, d.serve(from, false))
		mux.HandleFunc("POST /forms/chromium/convert/"+from, d.serve(from, true))
	}
	mux.HandleFunc("POST /forms/", func(w http.ResponseWriter, r *http.Request) {
		d.fail(w, r, savepage.Errorf(savepage.CodeNotFound, "%s is not supported; there are "+
			"/forms/chromium/screenshot/url and html, and /forms/chromium/convert/url and html", headerText(r.URL.Path)))
	})
}

// serve answers a form from a URL or from HTML with a picture, or with a pdf.
func (d *formDoor) serve(from string, paper bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Gotenberg-Trace", trace(w, r))
		if err := d.file(w, r, from, paper); err != nil {
			d.fail(w, r, err)
		}
	}
}

// trace names a request: as the client does, or as the log does.
func trace(w http.ResponseWriter, r *http.Request) string {
	if given := r.Header.Get("Gotenberg-Trace"); given != "" {
		return headerText(given)
	}
	return w.Header().Get("X-Request-Id")
}

func (d *formDoor) file(w http.ResponseWriter, r *http.Request, from string, paper bool) error {
	key := formKey(r)
	if key == "" {
		return savepage.Errorf(savepage.CodeUnauthorized, "send a key as X-Api-Key, as Authorization: Bearer, or as the password of Basic")
	}
	if _, err := d.Authenticate(r.Context(), key); err != nil {
		return err
	}
	given, err := parseForm(w, r)
	if err != nil {
		return err
	}
	o := readForm(given, paper)
	switch _, document := o.options["html"]; {
	case from == "html" && !document:
		return savepage.Errorf(savepage.CodeInvalidRequest, "Invalid form data: form file 'index.html' is required")
	case from == "url" && o.options["url"] == nil:
		return savepage.Errorf(savepage.CodeInvalidRequest, "Invalid form data: form field 'url' is required")
	}
	hooked, err := formCallback(o, r.Header, w.Header().Get("Gotenberg-Trace"))
	if err != nil {
		return err
	}
	c := d.as(w, r, key)
	if hooked {
		if _, err := c.submit(r.Context(), o); err != nil {
			return err
		}
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	t, err := c.picture(r.Context(), o)
	if err != nil {
		return err
	}
	name := fileStem(r.Header.Get("Gotenberg-Output-Filename"))
	if name == "" {
		name = t.CaptureID
	}
	return d.send(w, r, t, name)
}

// formKey is the key of a request, wherever Gotenberg's clients can put one.
func formKey(r *http.Request) string {
	if key := r.Header.Get("X-Api-Key"); key != "" {
		return key
	}
	if _, password, basic := r.BasicAuth(); basic {
		return password
	}
	scheme, key, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(key)
	}
	return ""
}

// parseForm reads a multipart form. Files are known by their names, whatever the field.
func parseForm(w http.ResponseWriter, r *http.Request) (form, error) {
	f := form{values: map[string][]string{}}
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/form-data" {
		return f, savepage.Errorf(savepage.CodeUnsupportedMedia, "send multipart/form-data")
	}
	reader := multipart.NewReader(http.MaxBytesReader(w, r.Body, maxForm), params["boundary"])
	for range maxParts {
		part, err := reader.NextPart()
		if errors.Is(err, io.EOF) {
			return f, nil
		}
		if err != nil {
			return f, unreadable(err)
		}
		data, err := io.ReadAll(part)
		if err != nil {
			return f, unreadable(err)
		}
		if part.FileName() == "" {
			f.values[part.FormName()] = append(f.values[part.FormName()], string(data))
			continue
		}
		if err := f.addFile(savepage.Asset{Name: path.Base(part.FileName()), Data: data}); err != nil {
			return f, err
		}
	}
	return f, savepage.Errorf(savepage.CodeInvalidRequest, "the form has more than %d parts", maxParts)
}

func (f *form) addFile(file savepage.Asset) error {
	if slices.ContainsFunc(f.files, func(other savepage.Asset) bool { return other.Name == file.Name }) {
		return savepage.Errorf(savepage.CodeInvalidRequest, "the form has two files %q", file.Name)
	}
	f.files = append(f.files, file)
	return nil
}

func unreadable(err error) error {
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return savepage.Errorf(savepage.CodeTooLarge, "the form must be at most %d bytes", maxForm)
	}
	return savepage.Errorf(savepage.CodeInvalidRequest, "the form is incomplete or malformed")
}

// fail answers with an error as Gotenberg writes it: a text.
func (d *formDoor) fail(w http.ResponseWriter, r *http.Request, err error) {
	fault := d.visible(r, err)
	reply(w, formStatus(fault), "text/plain; charset=utf-8", []byte(fault.Message))
}

// formStatus is Gotenberg's status of an error: it knows 409 for pages with a wrong status, and 503 where time ran out.
func formStatus(fault *savepage.Error) int {
	switch fault.Code {
	case savepage.CodeHTTPError, savepage.CodeRequestFailed:
		return http.StatusConflict
	case savepage.CodeRenderTimeout, savepage.CodeNavigationTimeout:
		return http.StatusServiceUnavailable
	case savepage.CodeNameNotResolved, savepage.CodeConnectionFailed, savepage.CodeTLSError:
		return http.StatusBadRequest
	default:
		return statusOf(fault)
	}
}
