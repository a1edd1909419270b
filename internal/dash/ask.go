package dash

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/api"
	"github.com/savepage/savepage/internal/inside"
)

// maxForm is how many bytes a form may have: the option html has 2 MiB, and a form writes some characters as three.
const maxForm = 8 << 20

// problem is an answer of the API that is an error.
type problem struct {
	api.Problem

	retryAfter string
}

func (p *problem) Error() string { return p.Detail }

// ask sends a request to the API with the session's key and reads its JSON into result, unless that is nil. The error of a
// request that was refused is *problem.
func (d *core) ask(s session, method, address string, body, result any) (http.Header, error) {
	request, err := d.request(s.request, s, method, address, body)
	if err != nil {
		return nil, err
	}
	got := inside.Ask(d.parts.API, request, "")
	refused, err := got.Problem()
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, request.URL.Path, err)
	}
	if refused != nil {
		return got.Header(), &problem{*refused, got.Header().Get("Retry-After")}
	}
	if result == nil {
		return got.Header(), nil
	}
	if err := json.Unmarshal(got.Bytes(), result); err != nil {
		return nil, fmt.Errorf("read the API's answer to %s %s: %w", method, request.URL.Path, err)
	}
	return got.Header(), nil
}

// request makes a request to the API in the name of another.
func (d *core) request(r *http.Request, s session, method, address string, body any) (*http.Request, error) {
	request, err := inside.Request(r, s.key, method, address, body)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "application/json")
	return request, nil
}

// withQuery is an address with those of the values that are not empty.
func withQuery(address string, values url.Values) string {
	given := url.Values{}
	for name, all := range values {
		for _, value := range all {
			if value != "" {
				given.Add(name, value)
			}
		}
	}
	if len(given) == 0 {
		return address
	}
	return address + "?" + given.Encode()
}

// showFault shows an error as a page: what, why, what to do, and the id under which the log has it.
func (d *core) showFault(w http.ResponseWriter, r *http.Request, s session, err error) {
	s.request = r
	v := view{"Title": "This did not work", "RequestID": w.Header().Get("X-Request-Id")}
	status := http.StatusInternalServerError
	var refused *problem
	var known *savepage.Error
	switch {
	case errors.As(err, &refused):
		status = refused.Status
		v["What"], v["Code"], v["Retry"] = refused.Detail, refused.Code, refused.retryAfter
		if refused.RequestID != "" {
			v["RequestID"] = refused.RequestID
		}
	case errors.As(err, &known):
		status = known.Code.Info().Status
		v["What"], v["Code"] = known.Message, known.Code
	default:
		d.config.Log.ErrorContext(r.Context(), "page of the dashboard failed", "path", r.URL.Path, "error", err)
		v["What"] = "The server could not make this page. Its log says why."
	}
	v["What"] = sentence(fmt.Sprint(v["What"]))
	d.show(w, s, status, "fault", v) //nolint:contextcheck // the context is the request's
}

// capital begins with a capital letter.
func capital(text string) string {
	if text == "" {
		return text
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

// sentence begins with a capital letter and ends with a stop.
func sentence(text string) string {
	if text = capital(text); text != "" && !strings.HasSuffix(text, ".") {
		text += "."
	}
	return text
}
