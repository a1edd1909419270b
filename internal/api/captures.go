package api

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
)

// Record is a capture as look-ups show it: what its callback says, and how it came about.
type Record struct {
	capture.View

	CreatedAt  time.Time            `json:"created_at" doc:"When it was accepted."`
	StartedAt  *time.Time           `json:"started_at,omitempty" doc:"When the last attempt began."`
	Attempts   int                  `json:"attempts" doc:"How often a worker has taken it."`
	Deliveries *[]savepage.Delivery `json:"deliveries,omitempty" doc:"The callbacks owed for it, oldest first. Not in lists."`
}

// Page is one page of captures.
type Page struct {
	Captures   []Record `json:"captures" doc:"Newest first."`
	NextCursor string   `json:"next_cursor,omitempty" doc:"Give it as cursor to get the next page; absent at the end."`
}

func (a *API) record(c savepage.Capture) Record {
	r := Record{View: capture.NewView(c, a.cfg.Links), CreatedAt: c.CreatedAt.UTC(), Attempts: c.Attempt}
	if !c.StartedAt.IsZero() {
		started := c.StartedAt.UTC()
		r.StartedAt = &started
	}
	return r
}

// getRecord answers GET /v1/captures/{id}.
func (a *API) getRecord(w http.ResponseWriter, r *http.Request, who savepage.Principal) error {
	if err := noQuery(r); err != nil {
		return err
	}
	c, err := a.find(r, who)
	if err != nil {
		return err
	}
	record, err := a.lookUp(r, c)
	if err != nil {
		return err
	}
	if c.State == savepage.Success {
		timing(w.Header(), c.Timing)
	}
	a.answer(w, r, http.StatusOK, record)
	return nil
}

// lookUp is the record of a capture with what was owed for it.
func (a *API) lookUp(r *http.Request, c savepage.Capture) (Record, error) {
	deliveries, err := a.parts.Records.Deliveries(r.Context(), c.Account, c.ID)
	record := a.record(c)
	owed := shownDeliveries(deliveries)
	record.Deliveries = &owed
	return record, err
}

// find looks up the capture of the path. The answer to an unknown id and to another account's is the same.
func (a *API) find(r *http.Request, who savepage.Principal) (savepage.Capture, error) {
	c, err := a.parts.Records.Get(r.Context(), who.Account.ID, r.PathValue("id"))
	if fault, known := errors.AsType[*savepage.Error](err); known && fault.Code == savepage.CodeNotFound {
		return c, savepage.Errorf(savepage.CodeNotFound, "the capture does not exist")
	}
	return c, err
}

// noQuery refuses a query where none has a meaning.
func noQuery(r *http.Request) error {
	if r.URL.RawQuery == "" {
		return nil
	}
	values, err := parseQuery("query", r.URL.RawQuery)
	if err != nil {
		return err
	}
	return unknownNames(values, nil)
}

// unknownNames refuses every name that is not known.
func unknownNames(values url.Values, known []string) error {
	var wrong []savepage.FieldError
	for name, texts := range values {
		if !slices.Contains(known, name) {
			wrong = append(wrong, savepage.FieldError{Location: at("query", name), Message: unknownName("parameter", name, known), Value: echo(texts[0])})
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	return invalid(wrong)
}

// removeCapture answers DELETE /v1/captures/{id}: it cancels what is on the way and deletes what has ended.
func (a *API) removeCapture(w http.ResponseWriter, r *http.Request, who savepage.Principal) error {
	c, err := a.find(r, who)
	if err != nil {
		return err
	}
	if !c.State.Final() {
		c, err = a.parts.Cancels.Cancel(r.Context(), who.Account.ID, c.ID)
		if err == nil && c.State == savepage.Canceled {
			a.answer(w, r, http.StatusOK, a.record(c))
			return nil
		}
		// It may have ended since it was looked up: then it is deleted.
		if fault, known := errors.AsType[*savepage.Error](err); err != nil && (!known || fault.Code != savepage.CodeConflict) {
			return err
		}
		if c, err = a.find(r, who); err != nil {
			return err
		}
	}
	if err := a.parts.Captures.Remove(r.Context(), c); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// getImage answers GET /v1/captures/{id}/image.
func (a *API) getImage(w http.ResponseWriter, r *http.Request, who savepage.Principal) error {
	c, err := a.find(r, who)
	switch {
	case err != nil:
		return err
	case !c.State.Final():
		w.Header().Set("Retry-After", "1")
		return savepage.Errorf(savepage.CodeConflict, "capture %s has no picture yet: it is %s", c.ID, c.State)
	case c.Picture == nil:
		return savepage.Errorf(savepage.CodeNotFound, "capture %s has no picture: it is %s", c.ID, c.State)
	}
	w.Header().Set("Location", a.cfg.Links.Image(c.Picture.Name))
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusFound)
	return nil
}

// listCaptures answers GET /v1/captures.
func (a *API) listCaptures(w http.ResponseWriter, r *http.Request, who savepage.Principal) error {
	filter, err := readFilter(r.URL.RawQuery)
	if err != nil {
		return err
	}
	found, next, err := a.parts.Records.List(r.Context(), who.Account.ID, filter)
	if err != nil {
		return err
	}
	page := Page{Captures: make([]Record, 0, len(found)), NextCursor: next}
	for _, c := range found {
		page.Captures = append(page.Captures, a.record(c))
	}
	a.answer(w, r, http.StatusOK, page)
	return nil
}

// Bounds of a page.
const (
	defaultLimit = 20
	maxLimit     = 100
)

// filterReader reads a list's query and collects all that is wrong.
type filterReader struct {
	values url.Values
	wrong  []savepage.FieldError
}

func readFilter(query string) (capture.Filter, error) {
	values, err := parseQuery("query", query)
	if err != nil {
		return capture.Filter{}, err
	}
	in := filterReader{values: values}
	if err := unknownNames(values, []string{"state", "url", "batch_id", "created_after", "created_before", "limit", "cursor"}); err != nil {
		if fault, known := errors.AsType[*savepage.Error](err); known {
			in.wrong = fault.Fields
		}
	}
	filter := capture.Filter{
		States: in.states(), URL: normalPage(in.one("url")), BatchID: in.one("batch_id"), Limit: in.limit(), Cursor: in.one("cursor"),
		CreatedAfter: in.time("created_after"), CreatedBefore: in.time("created_before"),
	}
	if len(in.wrong) > 0 {
		return capture.Filter{}, invalid(in.wrong)
	}
	return filter, nil
}

// normalPage writes a page's address as records hold it: scheme and host in lower case, without the scheme's own port,
// with a path.
func normalPage(given string) string {
	scheme, rest, found := strings.Cut(given, "://")
	if !found {
		return given
	}
	scheme = strings.ToLower(scheme)
	host, path := rest, "/"
	if end := strings.IndexAny(rest, "/?#"); end >= 0 {
		host, path = rest[:end], "/"+strings.TrimPrefix(rest[end:], "/")
	}
	host = strings.ToLower(host)
	if port := map[string]string{"http": ":80", "https": ":443"}[scheme]; port != "" {
		host = strings.TrimSuffix(host, port)
	}
	return scheme + "://" + host + path
}

func (in *filterReader) refuse(name, message string, value any) {
	in.wrong = append(in.wrong, savepage.FieldError{Location: at("query", name), Message: message, Value: echo(value)})
}

func (in *filterReader) one(name string) string {
	texts := in.values[name]
	if len(texts) > 1 {
		in.refuse(name, "must be given only once", texts[1])
	}
	if len(texts) == 0 {
		return ""
	}
	return texts[0]
}

// states reads state, which may be repeated and may hold several, separated by commas.
func (in *filterReader) states() []savepage.State {
	var states []savepage.State
	for _, text := range in.values["state"] {
		for name := range strings.SplitSeq(text, ",") {
			state := savepage.State(strings.TrimSpace(name))
			if !slices.Contains(savepage.States(), state) {
				in.refuse("state", "must be one of queued, running, success, failed, canceled", name)
				return nil
			}
			states = append(states, state)
		}
	}
	return states
}

func (in *filterReader) limit() int {
	text := in.one("limit")
	if text == "" {
		return defaultLimit
	}
	limit, err := strconv.Atoi(text)
	if err != nil || limit < 1 || limit > maxLimit {
		in.refuse("limit", "must be from 1 to 100", text)
	}
	return limit
}

func (in *filterReader) time(name string) time.Time {
	text := in.one(name)
	if text == "" {
		return time.Time{}
	}
	// An offset's plus that was not encoded arrives as a space.
	moment, err := time.Parse(time.RFC3339, strings.ReplaceAll(text, " ", "+"))
	if err != nil {
		in.refuse(name, "must be a time like 2026-04-01T12:00:00Z", text)
	}
	return moment
}
