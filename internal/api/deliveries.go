package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
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
	// RedeliverDead sends all deliveries again that died at since or later, one after another. It returns how many they are
	// and when the last one is due.
	RedeliverDead(ctx context.Context, account string, since time.Time) (count int, last time.Time, err error)
}

// DeliveryPage is one page of deliveries.
type DeliveryPage struct {
	Deliveries []savepage.Delivery `json:"deliveries" doc:"Newest first, each with its attempts."`
	NextCursor string              `json:"next_cursor,omitempty" doc:"Value of cursor for the next page; absent on the last page."`
}

// Redelivered is the answer to a request to send dead deliveries again.
type Redelivered struct {
	Redelivered int        `json:"redelivered" doc:"Number of deliveries that are pending again."`
	LastAt      *time.Time `json:"last_at,omitempty" doc:"When the last one is due: they are spread over time. Absent if there are none."`
}

// shownDeliveries are deliveries as answers show them: a list is never null.
func shownDeliveries(list []savepage.Delivery) []savepage.Delivery {
	shown := slices.Clone(list)
	if shown == nil {
		shown = []savepage.Delivery{}
	}
	for i := range shown {
		if shown[i].Attempts == nil {
			shown[i].Attempts = []savepage.Attempt{}
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
	h.out.json(w, r, http.StatusOK, shownDeliveries([]savepage.Delivery{d})[0])
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

// redeliverDead answers POST /v1/deliveries/redeliver.
func (h *deliveryHandlers) redeliverDead(w http.ResponseWriter, r *http.Request, who savepage.Principal) error {
	if err := noQuery(r); err != nil {
		return err
	}
	since, err := readSince(w, r)
	if err != nil {
		return err
	}
	count, last, err := h.deliveries.RedeliverDead(r.Context(), who.Account.ID, since)
	if err != nil {
		return err
	}
	answer := Redelivered{Redelivered: count}
	if count > 0 {
		last = last.UTC()
		answer.LastAt = &last
	}
	h.out.accepted(w, r, "", answer)
	return nil
}

func readSince(w http.ResponseWriter, r *http.Request) (time.Time, error) {
	kind, _, err := mediaOf(r.Header)
	if err != nil {
		return time.Time{}, err
	}
	if kind != mediaJSON {
		return time.Time{}, savepage.Errorf(savepage.CodeUnsupportedMedia, "send application/json")
	}
	body, err := readBody(w, r)
	if err != nil {
		return time.Time{}, err
	}
	var fields map[string]json.RawMessage
	decoder := json.NewDecoder(bytes.NewReader(body))
	if err := decoder.Decode(&fields); err != nil || !errors.Is(decoder.Decode(new(any)), io.EOF) {
		return time.Time{}, savepage.Errorf(savepage.CodeInvalidRequest, `the body must be JSON like {"since":"2026-04-01T12:00:00Z"}`)
	}
	var wrong []savepage.FieldError
	for name := range fields {
		if name != "since" {
			wrong = append(wrong, savepage.FieldError{Location: at("body", name), Message: unknownName("field", name, []string{"since"})})
		}
	}
	var since *time.Time
	if err := json.Unmarshal(fields["since"], &since); err != nil || since == nil {
		const message = "must be a time like 2026-04-01T12:00:00Z"
		wrong = append(wrong, savepage.FieldError{Location: "body.since", Message: message, Value: echo(string(fields["since"]))})
	}
	if len(wrong) > 0 {
		return time.Time{}, invalid(wrong)
	}
	return *since, nil
}
