package api

import (
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/savepage/savepage"
)

// Bounds of a request.
const (
	maxBody  = 3 << 20
	maxParts = 100 // of a multipart form
)

// media is how a body is written.
type media int

const (
	mediaJSON media = iota
	mediaForm
	mediaMultipart
)

// readOptions reads the options from a request's body, whichever way it is written.
func readOptions(decoder *Decoder, w http.ResponseWriter, r *http.Request) (savepage.Options, error) {
	kind, boundary, err := mediaOf(r.Header)
	if err != nil {
		return savepage.Options{}, err
	}
	body, err := readBody(w, r)
	if err != nil {
		return savepage.Options{}, err
	}
	if kind == mediaJSON {
		return decoder.JSON(body)
	}
	values, err := readForm(kind, boundary, body)
	if err != nil {
		return savepage.Options{}, err
	}
	return decoder.Values("body", values)
}

// mediaOf returns how the body is written. A body without a type counts as JSON.
func mediaOf(h http.Header) (media, string, error) {
	if encoding := h.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		const message = "Content-Encoding %q is not supported; send the body unencoded"
		return 0, "", savepage.Errorf(savepage.CodeUnsupportedMedia, message, echo(encoding))
	}
	given := h.Get("Content-Type")
	if given == "" || given == "application/json" {
		return mediaJSON, "", nil
	}
	name, params, err := mime.ParseMediaType(given)
	switch {
	case err != nil:
	case name == "application/json" || strings.HasPrefix(name, "application/") && strings.HasSuffix(name, "+json"):
		return mediaJSON, "", nil
	case name == "application/x-www-form-urlencoded":
		return mediaForm, "", nil
	case name == "multipart/form-data" && params["boundary"] != "":
		return mediaMultipart, params["boundary"], nil
	}
	const message = "Content-Type %q is not supported; send application/json or a form"
	return 0, "", savepage.Errorf(savepage.CodeUnsupportedMedia, message, echo(given))
}

// readBody reads the whole body, up to the limit of a single capture.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	return readBodyUpTo(w, r, maxBody)
}

func readBodyUpTo(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	if r.ContentLength > limit {
		passOver(w, r)
		return nil, tooLarge(limit)
	}
	if held, is := r.Body.(*heldBody); is && r.ContentLength > 0 {
		if err := held.expect(r.ContentLength); err != nil {
			passOver(w, r)
			return nil, err
		}
	}
	limited := http.MaxBytesReader(w, r.Body, limit)
	var body []byte
	var err error
	if r.ContentLength > 0 {
		body = make([]byte, r.ContentLength)
		_, err = io.ReadFull(limited, body)
	} else {
		body, err = io.ReadAll(limited)
	}
	if _, over := errors.AsType[*http.MaxBytesError](err); over {
		passOver(w, r)
		return nil, tooLarge(limit)
	}
	if fault, known := errors.AsType[*savepage.Error](err); known {
		passOver(w, r)
		return nil, fault
	}
	if err != nil {
		return nil, savepage.Errorf(savepage.CodeInvalidRequest, "the body is incomplete or arrived too slowly")
	}
	return body, nil
}

// passOver reads the rest of a body that is too large, up to 64 MiB within 5 s. Most clients read no answer before they
// have sent everything, and would only see a connection reset. A client that sends Expect has not begun to send.
func passOver(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Expect") != "" || http.NewResponseController(w).SetReadDeadline(time.Now().Add(5*time.Second)) != nil {
		return
	}
	rest := io.Reader(r.Body)
	if held, is := rest.(*heldBody); is {
		rest = held.ReadCloser // what is thrown away does not count
	}
	_, _ = io.CopyN(io.Discard, rest, 64<<20)
}

func tooLarge(limit int64) error {
	return savepage.Errorf(savepage.CodeTooLarge, "the body is larger than %d bytes", limit)
}

// readForm reads the fields of a form. A file in a field counts as its value.
func readForm(kind media, boundary string, body []byte) (url.Values, error) {
	if kind == mediaMultipart {
		return readParts(multipart.NewReader(strings.NewReader(string(body)), boundary))
	}
	text := string(body)
	if strings.HasPrefix(strings.TrimSpace(text), "{") {
		const message = "the body is JSON, but its Content-Type is that of a form; send application/json"
		return nil, savepage.Errorf(savepage.CodeInvalidRequest, message)
	}
	return parseQuery("body", text)
}

func readParts(form *multipart.Reader) (url.Values, error) {
	values := url.Values{}
	for range maxParts {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			return values, nil
		}
		if err != nil {
			return nil, savepage.Errorf(savepage.CodeInvalidRequest, "the body is not a valid multipart form")
		}
		text, err := io.ReadAll(part)
		if err != nil {
			return nil, savepage.Errorf(savepage.CodeInvalidRequest, "the body is not a valid multipart form")
		}
		values.Add(part.FormName(), string(text))
	}
	return nil, savepage.Errorf(savepage.CodeInvalidRequest, "the body has more than %d parts", maxParts)
}

// parseQuery reads a query strictly: a malformed part is an error and is never dropped.
func parseQuery(carrier, text string) (url.Values, error) {
	values, err := url.ParseQuery(text)
	if err != nil {
		return nil, savepage.Errorf(savepage.CodeInvalidRequest, "the %s is malformed: %v; encode special characters as %%XX", carrier, err)
	}
	return values, nil
}
