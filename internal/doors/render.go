package doors

import (
	"errors"
	"net/http"
	"strings"

	"github.com/savepage/savepage"
)

// withKey answers a request of Urlbox' REST API, whose key is a bearer.
func (d *urlboxDoor) withKey(do func(w http.ResponseWriter, r *http.Request, key string) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		scheme, key, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		key = strings.TrimSpace(key)
		err := error(savepage.Errorf(savepage.CodeUnauthorized, "send Authorization: Bearer KEY"))
		if strings.EqualFold(scheme, "Bearer") && key != "" {
			err = do(w, r, key)
		}
		if err != nil {
			d.fail(w, r, err)
		}
	}
}

// order makes an order of a body.
func (d *urlboxDoor) order(w http.ResponseWriter, r *http.Request, key string) (*order, error) {
	if _, err := d.Authenticate(r.Context(), key); err != nil {
		return nil, err
	}
	body, err := readBody(w, r, maxBody)
	if err != nil {
		return nil, err
	}
	given, err := flat(body, false)
	if err != nil {
		return nil, err
	}
	return readUrlbox(given), nil
}

// rendered is a render that has ended, as Urlbox describes it.
type rendered struct {
	Status     string       `json:"status,omitempty"`
	RenderID   string       `json:"renderId"`
	RenderURL  *string      `json:"renderUrl,omitempty"`
	Size       *int64       `json:"size,omitempty"`
	RenderTime int64        `json:"renderTime,omitempty"` // milliseconds
	StatusURL  string       `json:"statusUrl,omitempty"`
	Error      *renderFault `json:"error,omitempty"`
}

type renderFault struct {
	Code    savepage.Code `json:"code"`
	Message string        `json:"message"`
}

// describeRender says what is known of a capture.
func describeRender(t told) rendered {
	r := rendered{RenderID: t.CaptureID, RenderURL: t.Image, Size: t.Size}
	if t.Stored != nil {
		r.RenderURL = &t.Stored.URL
	}
	if t.Timing != nil {
		r.RenderTime = t.Timing.RenderMS
	}
	if t.Error != nil {
		r.Error = &renderFault{t.Error.Code, t.Error.Message}
	}
	return r
}

// renderSync answers when the picture is there.
func (d *urlboxDoor) renderSync(w http.ResponseWriter, r *http.Request, key string) error {
	o, err := d.order(w, r, key)
	if err != nil {
		return err
	}
	t, err := d.as(w, r, key).picture(r.Context(), o)
	if err != nil {
		return err
	}
	d.describe(w.Header(), t, o)
	replyJSON(w, http.StatusOK, describeRender(t))
	return nil
}

// renderAsync answers at once.
func (d *urlboxDoor) renderAsync(w http.ResponseWriter, r *http.Request, key string) error {
	o, err := d.order(w, r, key)
	if err != nil {
		return err
	}
	o.options["async"] = true
	t, err := d.as(w, r, key).submit(r.Context(), o)
	if err != nil {
		return err
	}
	if t.StatusURL == "" {
		return errors.New("the API's answer has no status_url")
	}
	address := strings.Replace(t.StatusURL, "/v1/captures/", "/v1/render/", 1)
	replyJSON(w, http.StatusCreated, rendered{Status: "created", RenderID: t.CaptureID, StatusURL: address})
	return nil
}

// renderStatus says how far a render is.
func (d *urlboxDoor) renderStatus(w http.ResponseWriter, r *http.Request, key string) error {
	t, err := d.as(w, r, key).look(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	status := describeRender(t)
	status.Status = map[savepage.State]string{
		savepage.Queued: "created", savepage.Running: "created", savepage.Success: "succeeded", savepage.Failed: "failed",
		savepage.Canceled: "failed",
	}[t.Status]
	replyJSON(w, http.StatusOK, status)
	return nil
}
