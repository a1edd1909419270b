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

	"github.com/danielgtaylor/huma/v2"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
)

// Deliveries is what is known of callbacks, and how they are sent again. An id of another account is *savepage.Error of
// CodeNotFound.
type Deliveries interface {
	Delivery(ctx context.Context, account, id string) (savepage.Delivery, error)
	// ListDeliveries returns one page, newest first, and the cursor of the next one, empty at the end. A broken cursor is
	// CodeInvalidRequest.
	ListDeliveries(ctx context.Context, account string, f capture.DeliveryFilter) ([]savepage.Delivery, string, error)
	// Redeliver has one sent now. One that has ended starts a schedule of its own.
	Redeliver(ctx context.Context, account, id string) (savepage.Delivery, error)
	// RedeliverDead has all that died at since or later sent again, one after the other. It returns how many they are and
	// when the last one's turn is.
	RedeliverDead(ctx context.Context, account string, since time.Time) (count int, last time.Time, err error)
}

// DeliveryPage is one page of deliveries.
type DeliveryPage struct {
	Deliveries []savepage.Delivery `json:"deliveries" doc:"Newest first, each with its attempts."`
	NextCursor string              `json:"next_cursor,omitempty" doc:"Give it as cursor to get the next page; absent at the end."`
}

// Redelivered says what is sent again.
type Redelivered struct {
	Redelivered int        `json:"redelivered" doc:"How many are pending again."`
	LastAt      *time.Time `json:"last_at,omitempty" doc:"When the last of them is due: they step in one after the other. Absent without any."`
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

// listDeliveries answers GET /v1/deliveries.
func (a *API) listDeliveries(w http.ResponseWriter, r *http.Request, who savepage.Principal) error {
	filter, err := readDeliveryFilter(r.URL.RawQuery)
	if err != nil {
		return err
	}
	found, next, err := a.parts.Deliveries.ListDeliveries(r.Context(), who.Account.ID, filter)
	if err != nil {
		return err
	}
	a.answer(w, r, http.StatusOK, DeliveryPage{Deliveries: shownDeliveries(found), NextCursor: next})
	return nil
}

func readDeliveryFilter(query string) (capture.DeliveryFilter, error) {
	values, err := parseQuery("query", query)
	if err != nil {
		return capture.DeliveryFilter{}, err
	}
	in := filterReader{values: values}
	if err := unknownNames(values, []string{"state", "capture_id", "limit", "cursor"}); err != nil {
		if fault, known := errors.AsType[*savepage.Error](err); known {
			in.wrong = fault.Fields
		}
	}
	filter := capture.DeliveryFilter{
		State: savepage.DeliveryState(in.one("state")), CaptureID: in.one("capture_id"), Limit: in.limit(), Cursor: in.one("cursor"),
	}
	if filter.State != "" && !slices.Contains(savepage.DeliveryStates(), filter.State) {
		in.refuse("state", "must be one of pending, delivered, dead", string(filter.State))
	}
	if len(in.wrong) > 0 {
		return capture.DeliveryFilter{}, invalid(in.wrong)
	}
	return filter, nil
}

// getDelivery answers GET /v1/deliveries/{id}.
func (a *API) getDelivery(w http.ResponseWriter, r *http.Request, who savepage.Principal) error {
	if err := noQuery(r); err != nil {
		return err
	}
	d, err := a.parts.Deliveries.Delivery(r.Context(), who.Account.ID, r.PathValue("id"))
	if err != nil {
		return noDelivery(err)
	}
	a.answer(w, r, http.StatusOK, shownDeliveries([]savepage.Delivery{d})[0])
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
func (a *API) redeliver(w http.ResponseWriter, r *http.Request, who savepage.Principal) error {
	if err := noQuery(r); err != nil {
		return err
	}
	body, err := readBody(w, r)
	if err != nil {
		return err
	}
	if trimmed := bytes.TrimSpace(body); len(trimmed) > 0 && !bytes.Equal(trimmed, []byte("{}")) {
		return invalid([]savepage.FieldError{{Location: "body", Message: "must be empty: the delivery is sent unchanged"}})
	}
	d, err := a.parts.Deliveries.Redeliver(r.Context(), who.Account.ID, r.PathValue("id"))
	if err != nil {
		return noDelivery(err)
	}
	a.answer(w, r, http.StatusAccepted, shownDeliveries([]savepage.Delivery{d})[0])
	return nil
}

// redeliverDead answers POST /v1/deliveries/redeliver.
func (a *API) redeliverDead(w http.ResponseWriter, r *http.Request, who savepage.Principal) error {
	if err := noQuery(r); err != nil {
		return err
	}
	since, err := readSince(w, r)
	if err != nil {
		return err
	}
	count, last, err := a.parts.Deliveries.RedeliverDead(r.Context(), who.Account.ID, since)
	if err != nil {
		return err
	}
	answer := Redelivered{Redelivered: count}
	if count > 0 {
		last = last.UTC()
		answer.LastAt = &last
	}
	a.answer(w, r, http.StatusAccepted, answer)
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
		wrong = append(wrong, savepage.FieldError{Location: "body.since", Message: "must be a time like 2026-04-01T12:00:00Z", Value: echo(string(fields["since"]))})
	}
	if len(wrong) > 0 {
		return time.Time{}, invalid(wrong)
	}
	return *since, nil
}

func docListDeliveries() *huma.Operation {
	op := operation("listDeliveries", tagDeliveries, "List deliveries, newest first", map[int]reflect.Type{200: schemaOf[DeliveryPage]()}, 400, 401, 429)
	limit := &huma.Schema{Type: huma.TypeInteger, Minimum: new(1.0), Maximum: new(float64(maxLimit)), Default: defaultLimit}
	state := text()
	for _, s := range savepage.DeliveryStates() {
		state.Enum = append(state.Enum, string(s))
	}
	op.Parameters = []*huma.Param{
		query("state", "Only this state.", state),
		query("capture_id", "Only those of this capture.", text()),
		query("limit", "Deliveries on a page.", limit),
		query("cursor", "next_cursor of the page before.", text()),
	}
	return op
}

func docDelivery() *huma.Operation {
	op := operation("getDelivery", tagDeliveries, "Look a delivery up", map[int]reflect.Type{200: schemaOf[savepage.Delivery]()}, 400, 401, 404, 429)
	op.Parameters = []*huma.Param{deliveryParam()}
	return op
}

func docRedeliver() *huma.Operation {
	op := operation("redeliver", tagDeliveries, "Send a delivery again, now",
		map[int]reflect.Type{202: schemaOf[savepage.Delivery]()}, 400, 401, 404, 413, 429)
	op.Description = "It goes before all others of its receiver, with the same webhook-id and body and a new timestamp. One that has ended, delivered " +
		"or dead, starts the whole schedule anew; its attempts are kept and numbered on. A pending one only becomes due now."
	op.Parameters = []*huma.Param{deliveryParam()}
	return op
}

func docRedeliverDead() *huma.Operation {
	op := operation("redeliverDead", tagDeliveries, "Send all dead deliveries since a time again",
		map[int]reflect.Type{202: schemaOf[Redelivered]()}, 400, 401, 413, 415, 429)
	op.Description = "They step in one after the other, oldest first, fifty a second. Called twice it sends once: what is pending again is not dead."
	op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/json": {Schema: &huma.Schema{
		Type: huma.TypeObject, Required: []string{"since"},
		Properties: map[string]*huma.Schema{"since": {Type: huma.TypeString, Format: "date-time", Description: "Those that died at this time or later."}},
	}}}}
	return op
}

func deliveryParam() *huma.Param {
	return &huma.Param{Name: "id", In: "path", Required: true, Description: "The delivery's id: the webhook-id of its attempts.", Schema: text()}
}
