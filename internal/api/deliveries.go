package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"reflect"
	"slices"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
)

// Deliveries looks callbacks up and sends them again. An id of another account is *savepage.Error of CodeNotFound.
type Deliveries interface {
	Delivery(ctx context.Context, account, id string) (savepage.Delivery, error)
	// ListDeliveries returns one page, newest first, and the cursor of the next one, empty at the end. A broken cursor is
	// CodeInvalidRequest.
	ListDeliveries(ctx context.Context, account string, f capture.DeliveryFilter) ([]savepage.Delivery, string, error)
	// Redeliver makes a delivery due now. One that has ended starts a new schedule.
	Redeliver(ctx context.Context, account, id string) (savepage.Delivery, error)
	// RedeliverEnded sends all deliveries again that have ended and are selected, one after another, or counts them.
	RedeliverEnded(ctx context.Context, account string, which capture.Redelivery) (capture.Redelivered, error)
}

// DeliveryPage is one page of deliveries.
type DeliveryPage struct {
	Deliveries []savepage.Delivery `json:"deliveries" doc:"Newest first, each with its attempts."`
	NextCursor string              `json:"next_cursor,omitempty" doc:"Value of cursor for the next page; absent on the last page."`
}

// Redelivered is the answer to a request to send deliveries again that have ended.
type Redelivered struct {
	Redelivered int        `json:"redelivered" doc:"Number of deliveries that are pending again."`
	Matching    *int       `json:"matching,omitempty" doc:"With count_only: number of deliveries that would be sent, at most 100,000."`
	LastAt      *time.Time `json:"last_at,omitempty" doc:"When the last one is due: they are spread over time. Absent if there are none."`
}

// DeliveryRecord is a delivery as a look-up shows it.
type DeliveryRecord struct {
	savepage.Delivery

	Body string `json:"body,omitempty" doc:"The event, as it is sent. A callback_format that sends the picture has it as its body instead."`
}

// shownDeliveries are deliveries as lists show them: a list is never null, and requests are left to the look-up of one.
func shownDeliveries(list []savepage.Delivery) []savepage.Delivery {
	shown := slices.Clone(list)
	if shown == nil {
		shown = []savepage.Delivery{}
	}
	for i := range shown {
		shown[i].Event = capture.EventOf(shown[i])
		shown[i].Attempts = append([]savepage.Attempt{}, shown[i].Attempts...)
		for n := range shown[i].Attempts {
			shown[i].Attempts[n].Request = nil
		}
	}
	return shown
}

// deliveryHandlers answer look-ups and lists of callbacks, and requests to send them again.
type deliveryHandlers struct {
	out        responder
	deliveries Deliveries
}

// list answers GET /v1/deliveries.
func (h *deliveryHandlers) list(w http.ResponseWriter, r *http.Request, who savepage.Principal) error {
	filter, err := readDeliveryFilter(r.URL.RawQuery)
	if err != nil {
		return err
	}
	found, next, err := h.deliveries.ListDeliveries(r.Context(), who.Account.ID, filter)
	if err != nil {
		return err
	}
	h.out.json(w, r, http.StatusOK, DeliveryPage{Deliveries: shownDeliveries(found), NextCursor: next})
	return nil
}

func readDeliveryFilter(query string) (capture.DeliveryFilter, error) {
	values, err := parseQuery("query", query)
	if err != nil {
		return capture.DeliveryFilter{}, err
	}
	in := newFilterReader(values, "state", "capture_id", "limit", "cursor")
	filter := capture.DeliveryFilter{
		State: savepage.DeliveryState(in.one("state")), CaptureID: in.one("capture_id"), Limit: in.limit(), Cursor: in.one("cursor"),
	}
	if filter.State != "" && !slices.Contains(savepage.DeliveryStates(), filter.State) {
		in.refuse("state", "must be one of "+joinWords(savepage.DeliveryStates()), string(filter.State))
	}
	if len(in.wrong) > 0 {
		return capture.DeliveryFilter{}, invalid(in.wrong)
	}
	return filter, nil
}

// get answers GET /v1/deliveries/{id}.
func (h *deliveryHandlers) get(w http.ResponseWriter, r *http.Request, who savepage.Principal) error {
	if err := noQuery(r); err != nil {
		return err
	}
	d, err := h.deliveries.Delivery(r.Context(), who.Account.ID, r.PathValue("id"))
	if err != nil {
		return noDelivery(err)
	}
	shown := DeliveryRecord{Delivery: d, Body: string(d.Body)}
	shown.Event = capture.EventOf(d)
	if shown.Attempts == nil {
		shown.Attempts = []savepage.Attempt{}
	}
	h.out.json(w, r, http.StatusOK, shown)
	return nil
}

// noDelivery gives an unknown id and another account's the same answer.
func noDelivery(err error) error {
	if fault, known := errors.AsType[*savepage.Error](err); known && fault.Code == savepage.CodeNotFound {
		return savepage.Errorf(savepage.CodeNotFound, "the delivery does not exist")
	}
	return err
}

// redeliver answers POST /v1/deliveries/{id}/redeliver.
func (h *deliveryHandlers) redeliver(w http.ResponseWriter, r *http.Request, who savepage.Principal) error {
	if err := noQuery(r); err != nil {
		return err
	}
	body, err := readBody(w, r)
	if err != nil {
		return err
	}
	if trimmed := bytes.TrimSpace(body); len(trimmed) > 0 && !bytes.Equal(trimmed, []byte("{}")) {
		return invalidField("body", "must be empty: the delivery is sent unchanged", nil)
	}
	d, err := h.deliveries.Redeliver(r.Context(), who.Account.ID, r.PathValue("id"))
	if err != nil {
		return noDelivery(err)
	}
	h.out.accepted(w, r, "", shownDeliveries([]savepage.Delivery{d})[0])
	return nil
}

// RedeliveryBody is the body of POST /v1/deliveries/redeliver.
type RedeliveryBody struct {
	Since     *time.Time  `json:"since,omitempty" doc:"Deliveries that ended at this time or later. Needed without state and capture_id."`
	State     EndedStates `json:"state,omitempty" default:"dead" doc:"Deliveries in this state; ended is both."`
	CaptureID string      `json:"capture_id,omitempty" doc:"Deliveries of this capture."`
	CountOnly bool        `json:"count_only,omitempty" doc:"Send nothing, and answer how many would be sent."`
}

// EndedStates is dead, delivered, or both.
type EndedStates string

// endedStates lists the choices of EndedStates.
func endedStates() []EndedStates {
	return []EndedStates{EndedStates(savepage.Dead), EndedStates(savepage.Delivered), "ended"}
}

// states are the states that a choice selects. Those that died go first.
func (e EndedStates) states() []savepage.DeliveryState {
	if e == "ended" {
		return []savepage.DeliveryState{savepage.Dead, savepage.Delivered}
	}
	return []savepage.DeliveryState{savepage.DeliveryState(e)}
}

// redeliverEnded answers POST /v1/deliveries/redeliver.
func (h *deliveryHandlers) redeliverEnded(w http.ResponseWriter, r *http.Request, who savepage.Principal) error {
	if err := noQuery(r); err != nil {
		return err
	}
	which, err := readRedelivery(w, r)
	if err != nil {
		return err
	}
	found, err := h.deliveries.RedeliverEnded(r.Context(), who.Account.ID, which)
	if err != nil {
		return err
	}
	if which.CountOnly {
		h.out.json(w, r, http.StatusOK, Redelivered{Matching: &found.Count})
		return nil
	}
	answer := Redelivered{Redelivered: found.Count}
	if found.Count > 0 {
		answer.LastAt = new(found.Last.UTC())
	}
	h.out.accepted(w, r, "", answer)
	return nil
}

func readRedelivery(w http.ResponseWriter, r *http.Request) (which capture.Redelivery, err error) {
	kind, _, err := mediaOf(r.Header)
	if err != nil {
		return which, err
	}
	if kind != mediaJSON {
		return which, savepage.Errorf(savepage.CodeUnsupportedMedia, "send application/json")
	}
	body, err := readBody(w, r)
	if err != nil {
		return which, err
	}
	var in redeliveryReader
	decoder := json.NewDecoder(bytes.NewReader(body))
	if err := decoder.Decode(&in.fields); err != nil || !errors.Is(decoder.Decode(new(any)), io.EOF) {
		return which, savepage.Errorf(savepage.CodeInvalidRequest, `the body must be JSON like {"since":"2026-04-01T12:00:00Z"}`)
	}
	which = in.read()
	if len(in.wrong) > 0 {
		return which, invalid(in.wrong)
	}
	return which, nil
}

// redeliveryReader reads the fields of a RedeliveryBody and collects what is wrong.
type redeliveryReader struct {
	fields map[string]json.RawMessage
	wrong  []savepage.FieldError
}

func (in *redeliveryReader) read() (which capture.Redelivery) {
	known := jsonNames(reflect.TypeFor[RedeliveryBody]())
	for name := range in.fields {
		if !slices.Contains(known, name) {
			in.wrong = append(in.wrong, savepage.FieldError{Location: at("body", name), Message: unknownName("field", name, known)})
		}
	}
	var since *time.Time
	if in.fields["state"] == nil && in.fields["capture_id"] == nil || in.fields["since"] != nil {
		in.field("since", &since, "must be a time like 2026-04-01T12:00:00Z", func() bool { return since != nil })
	}
	if since != nil {
		which.Since = *since
	}
	state := EndedStates(savepage.Dead)
	in.given("state", &state, "must be one of "+joinWords(endedStates()), func() bool { return slices.Contains(endedStates(), state) })
	in.given("capture_id", &which.CaptureID, "must be the id of a capture", func() bool { return which.CaptureID != "" })
	in.given("count_only", &which.CountOnly, "must be true or false", func() bool { return true })
	which.States = state.states()
	return which
}

// given reads a field that may be absent.
func (in *redeliveryReader) given(name string, into any, message string, fits func() bool) {
	if in.fields[name] != nil {
		in.field(name, into, message, fits)
	}
}

func (in *redeliveryReader) field(name string, into any, message string, fits func() bool) {
	if json.Unmarshal(in.fields[name], into) != nil || string(in.fields[name]) == "null" || !fits() {
		in.wrong = append(in.wrong, savepage.FieldError{Location: at("body", name), Message: message, Value: echo(string(in.fields[name]))})
	}
}
