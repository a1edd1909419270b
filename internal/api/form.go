package api

import (
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/savepage/savepage"
)

// maxInline is the largest picture that a JSON answer may contain, in bytes.
const maxInline = 4 << 20

// form is how a synchronous capture is answered. It is not an option of the capture: the same capture may be answered in
// every form.
type form struct {
	image  bool  // the picture itself
	asked  bool  // by the parameter response, so that nothing else will do
	inline int64 // bytes of a picture up to which JSON contains it; 0: never
}

// formParams are the parameters that say how to answer.
func formParams() []string { return []string{"response", "inline"} }

// takeForm reads how to answer out of a query, which then has only options.
func takeForm(values url.Values) (form, error) {
	var f form
	var wrong []savepage.FieldError
	if given, found := values["response"]; found {
		f.asked, f.image = true, given[0] == "image"
		if len(given) > 1 || given[0] != "image" && given[0] != "json" {
			wrong = append(wrong, savepage.FieldError{Location: "query.response", Message: "must be one of json, image", Value: echo(given[0])})
		}
	}
	if given, found := values["inline"]; found {
		n, err := strconv.ParseInt(given[0], 10, 64)
		if f.inline = n; len(given) > 1 || err != nil || n < 0 || n > maxInline {
			message := "must be from 0 to " + strconv.Itoa(maxInline) + " bytes"
			wrong = append(wrong, savepage.FieldError{Location: "query.inline", Message: message, Value: echo(given[0])})
		}
	}
	for _, name := range formParams() {
		values.Del(name)
	}
	if len(wrong) == 0 && f.image && f.inline > 0 {
		wrong = append(wrong, savepage.FieldError{Location: "query.inline", Message: "cannot be combined with response=image"})
	}
	if len(wrong) > 0 {
		return f, invalid(wrong)
	}
	return f, nil
}

// allows returns nil when the form fits a request that does not wait. What its Accept header says counts only for one that
// waits.
func (f form) allows(async bool) error {
	switch {
	case !async:
		return nil
	case f.image && f.asked:
		return invalidField("query.response", "image cannot be combined with callback_url, async or Prefer: respond-async", "image")
	case f.inline > 0:
		const message = "cannot be combined with callback_url, async or Prefer: respond-async"
		return invalidField("query.inline", message, f.inline)
	default:
		return nil
	}
}

// prefersPicture reports whether an Accept header prefers pictures to JSON (RFC 9110, section 12.5.1).
func prefersPicture(h http.Header) bool {
	picture, other := 0.0, 0.0
	for _, line := range h.Values("Accept") {
		for part := range strings.SplitSeq(line, ",") {
			media, params, err := mime.ParseMediaType(part)
			if err != nil {
				continue
			}
			weight := 1.0
			if q, err := strconv.ParseFloat(params["q"], 64); err == nil {
				weight = q
			}
			switch {
			case strings.HasPrefix(media, "image/") || media == "application/pdf":
				picture = max(picture, weight)
			case media == "application/json" || media == "application/*" || media == "*/*":
				other = max(other, weight)
			}
		}
	}
	return picture > other
}

// read returns the bytes of a stored picture, or nil if it has more than so many.
func (h *pictureHandlers) read(r *http.Request, p *savepage.Picture, atMost int64) ([]byte, error) {
	if p == nil || p.Size > atMost {
		return nil, nil
	}
	stored, err := h.open(r.Context(), p.Name)
	if err != nil {
		return nil, err
	}
	defer stored.Close() //nolint:errcheck // it was only read
	return io.ReadAll(io.LimitReader(stored, atMost))
}
