package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
)

// Record is a capture as look-ups show it.
type Record struct {
	capture.View

	CreatedAt  time.Time            `json:"created_at" doc:"When the capture was accepted."`
	StartedAt  *time.Time           `json:"started_at,omitempty" doc:"When the last attempt started."`
	Attempts   int                  `json:"attempts" doc:"Number of attempts to render it."`
	Key        string               `json:"key,omitempty" doc:"Beginning of the key with which it was asked for; absent for a signed link."`
	CachedFrom string               `json:"cached_from,omitempty" doc:"Id of the capture for which the picture was taken, if it is another."`
	Options    map[string]any       `json:"options,omitempty" doc:"Options that are not their defaults, without secrets. Not in lists."`
	Deliveries *[]savepage.Delivery `json:"deliveries,omitempty" doc:"Its callbacks, oldest first. Not in lists."`
}

// Page is one page of captures.
type Page struct {
	Captures   []Record `json:"captures" doc:"Newest first."`
	NextCursor string   `json:"next_cursor,omitempty" doc:"Value of cursor for the next page; absent on the last page."`
	Total      *int     `json:"total,omitempty" doc:"With count=true: how many there are on all pages, at most 100,000."`
}

// finder looks captures up and shows them.
type finder struct {
	records Records
	links   capture.Links
	fields  []Field // of all options
}

// find looks up the capture of the path. The answer to an unknown id and to another account's is the same.
func (f finder) find(r *http.Request, who savepage.Principal) (savepage.Capture, error) {
	c, err := f.records.Get(r.Context(), who.Account.ID, r.PathValue("id"))
	if fault, known := errors.AsType[*savepage.Error](err); known && fault.Code == savepage.CodeNotFound {
		return c, savepage.Errorf(savepage.CodeNotFound, "the capture does not exist")
	}
	return c, err
}

// record is the capture without its deliveries, as lists show it.
func (f finder) record(c savepage.Capture) Record {
	r := Record{View: capture.NewView(c, f.links), CreatedAt: c.CreatedAt.UTC(), Attempts: c.Attempt, Key: c.KeyID, CachedFrom: c.Source}
	if !c.StartedAt.IsZero() {
		started := c.StartedAt.UTC()
		r.StartedAt = &started
	}
	return r
}

// full is the capture with its deliveries.
func (f finder) full(r *http.Request, c savepage.Capture) (Record, error) {
	deliveries, err := f.records.Deliveries(r.Context(), c.Account, c.ID)
	record := f.record(c)
	owed := shownDeliveries(deliveries)
	record.Deliveries = &owed
	record.Options = f.given(c.Options)
	return record, err
}

// given are the options of a capture that differ from their defaults. Secret ones are left out, and so is what the record says
// elsewhere.
func (f finder) given(o savepage.Options) map[string]any {
	text, err := json.Marshal(o)
	if err != nil {
		return nil
	}
	all := map[string]any{}
	if err := json.Unmarshal(text, &all); err != nil {
		return nil
	}
	for _, one := range f.fields {
		if value, there := all[one.Name]; there && (one.Secret || one.Default != "" && fmt.Sprint(value) == one.Default) {
			delete(all, one.Name)
		}
	}
	delete(all, "metadata")
	delete(all, "async")
	return all
}

// recordHandlers answer look-ups, lists, cancellations and deletions of captures.
type recordHandlers struct {
	finder

	out      responder
	captures Captures
	cancels  Canceler
}

// get answers GET /v1/captures/{id}.
func (h *recordHandlers) get(w http.ResponseWriter, r *http.Request, who savepage.Principal) error {
	if err := noQuery(r); err != nil {
		return err
	}
	c, err := h.find(r, who)
	if err != nil {
		return err
	}
	record, err := h.full(r, c)
	if err != nil {
		return err
	}
	if c.State == savepage.Success {
		setTiming(w.Header(), c.Timing)
	}
	h.out.json(w, r, http.StatusOK, record)
	return nil
}

// remove answers DELETE /v1/captures/{id}: it cancels a capture that has not ended and deletes one that has.
func (h *recordHandlers) remove(w http.ResponseWriter, r *http.Request, who savepage.Principal) error {
	c, err := h.find(r, who)
	if err != nil {
		return err
	}
	if !c.State.Final() {
		c, err = h.cancels.Cancel(r.Context(), who.Account.ID, c.ID)
		if err == nil && c.State == savepage.Canceled {
			h.out.json(w, r, http.StatusOK, h.record(c))
			return nil
		}
		// It may have ended since it was looked up: then it is deleted.
		if fault, known := errors.AsType[*savepage.Error](err); err != nil && (!known || fault.Code != savepage.CodeConflict) {
			return err
		}
		if c, err = h.find(r, who); err != nil {
			return err
		}
	}
	if err := h.captures.Remove(r.Context(), c); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// image answers GET /v1/captures/{id}/image.
func (h *recordHandlers) image(w http.ResponseWriter, r *http.Request, who savepage.Principal) error {
	c, err := h.find(r, who)
	switch {
	case err != nil:
		return err
	case !c.State.Final():
		w.Header().Set("Retry-After", "1")
		return savepage.Errorf(savepage.CodeConflict, "capture %s has no picture yet: it is %s", c.ID, c.State)
	case c.Picture == nil:
		return savepage.Errorf(savepage.CodeNotFound, "capture %s has no picture: it is %s", c.ID, c.State)
	}
	w.Header().Set("Location", h.links.Image(c.Picture.Name))
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusFound)
	return nil
}

// list answers GET /v1/captures.
func (h *recordHandlers) list(w http.ResponseWriter, r *http.Request, who savepage.Principal) error {
	filter, count, err := readFilter(r.URL.RawQuery)
	if err != nil {
		return err
	}
	found, next, err := h.records.List(r.Context(), who.Account.ID, filter)
	if err != nil {
		return err
	}
	page := Page{Captures: make([]Record, 0, len(found)), NextCursor: next}
	if count {
		total, err := h.records.Count(r.Context(), who.Account.ID, filter)
		if err != nil {
			return err
		}
		page.Total = &total
	}
	for _, c := range found {
		page.Captures = append(page.Captures, h.record(c))
	}
	h.out.json(w, r, http.StatusOK, page)
	return nil
}
