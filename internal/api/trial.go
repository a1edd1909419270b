package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
)

// Trier sends test events.
type Trier interface {
	// Try sends an event once and tells what came of it. A URL that can not be reached at all is *savepage.Error.
	Try(ctx context.Context, d savepage.Delivery, secrets []string) (savepage.Trial, error)
}

// TestEvent is the body of POST /v1/webhooks/test.
type TestEvent struct {
	URL             string           `json:"url" maxLength:"8192" doc:"Where the event goes: http or https." example:"https://myapp.example.com/hook"`
	CallbackHeaders savepage.Headers `json:"callback_headers,omitempty" writeOnly:"true" doc:"As the option of captures."`
	CallbackSecret  string           `json:"callback_secret,omitempty" maxLength:"128" writeOnly:"true" doc:"As the option of captures: signs instead of the account's secrets."`
}

// testBody is what a test event says. Its status is none that a capture has.
type testBody struct {
	Status    string `json:"status"`
	CaptureID string `json:"capture_id"`
	Message   string `json:"message"`
	SentAt    string `json:"sent_at"`
}

// postTest answers POST /v1/webhooks/test.
func (a *API) postTest(w http.ResponseWriter, r *http.Request, who savepage.Principal) error {
	if err := noQuery(r); err != nil {
		return err
	}
	if a.stopping() {
		return savepage.Errorf(savepage.CodeShuttingDown, "the server is shutting down; try again")
	}
	var asked TestEvent
	if err := a.readObject(w, r, &asked, false); err != nil {
		return err
	}
	if err := asked.check(); err != nil {
		return err
	}
	secrets := []string{asked.CallbackSecret}
	if asked.CallbackSecret == "" {
		var err error
		if secrets, err = a.parts.Secrets.Signing(r.Context(), who.Account.ID); err != nil {
			return err
		}
	}
	d, err := testDelivery(who.Account.ID, asked)
	if err != nil {
		return err
	}
	leave := a.trials.enter(who.Account.ID, who.Limits.TestEvents)
	if leave == nil {
		return savepage.Errorf(savepage.CodeRateLimited, "too many test events: the account may have %d under way", who.Limits.TestEvents)
	}
	defer leave()
	trial, err := a.parts.Trier.Try(r.Context(), d, secrets)
	if fault, known := errors.AsType[*savepage.Error](err); known && fault.Code == savepage.CodeInvalidRequest {
		return invalid([]savepage.FieldError{{Location: "body.url", Message: fault.Message, Value: echo(asked.URL)}})
	}
	if err != nil {
		return err
	}
	a.answer(w, r, http.StatusOK, trial)
	return nil
}

// check holds a test to the rules of the options that it shares with captures.
func (t TestEvent) check() error {
	var wrong []savepage.FieldError
	if message := checkAddress(t.URL); t.URL == "" || message != "" {
		wrong = append(wrong, savepage.FieldError{Location: "body.url", Message: or(message, "is required: an http or https URL"), Value: echo(t.URL)})
	}
	like := savepage.Options{URL: "http://like.invalid", CallbackURL: "http://like.invalid", CallbackHeaders: t.CallbackHeaders, CallbackSecret: t.CallbackSecret}
	for _, field := range like.ValidateFields() {
		field.Location = at("body", field.Location)
		wrong = append(wrong, field)
	}
	if len(wrong) > 0 {
		return invalid(wrong)
	}
	return nil
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

func testDelivery(account string, asked TestEvent) (savepage.Delivery, error) {
	now := time.Now().UTC()
	id := capture.NewID("cap_", now)
	body, err := marshal(testBody{
		Status: "test", CaptureID: id, Message: "A test event. No capture belongs to it.", SentAt: now.Format(time.RFC3339),
	})
	if err != nil {
		return savepage.Delivery{}, fmt.Errorf("write the test event: %w", err)
	}
	return savepage.Delivery{
		ID: capture.NewID("msg_", now), CaptureID: id, Account: account, URL: asked.URL, Headers: asked.CallbackHeaders,
		Body: bytes.TrimSpace(body), CreatedAt: now,
	}, nil
}

// readObject reads a small JSON body into a struct. Unknown fields are refused with the nearest known name. An empty body
// leaves the struct as it is where that is allowed.
func (a *API) readObject(w http.ResponseWriter, r *http.Request, into any, mayBeEmpty bool) error {
	kind, _, err := mediaOf(r.Header)
	if err != nil {
		return err
	}
	body, err := readBody(w, r)
	if err != nil {
		return err
	}
	if mayBeEmpty && len(bytes.TrimSpace(body)) == 0 {
		return nil
	}
	if kind != mediaJSON {
		return savepage.Errorf(savepage.CodeUnsupportedMedia, "send application/json")
	}
	o, err := parseObject(body)
	if err != nil {
		return savepage.Errorf(savepage.CodeInvalidRequest, "the body %v", err)
	}
	known := jsonNames(reflect.TypeOf(into).Elem())
	var wrong []savepage.FieldError
	for name := range o.values {
		if !slices.Contains(known, name) {
			wrong = append(wrong, savepage.FieldError{Location: at("body", name), Message: unknownName("field", name, known)})
		}
	}
	if len(wrong) > 0 {
		return invalid(wrong)
	}
	if mismatch, is := errors.AsType[*json.UnmarshalTypeError](json.Unmarshal(body, into)); is {
		return invalid([]savepage.FieldError{{Location: at("body", mismatch.Field), Message: "must be " + kindName(mismatch.Type)}})
	}
	return nil
}

func jsonNames(t reflect.Type) []string {
	names := make([]string, 0, t.NumField())
	for field := range t.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		names = append(names, name)
	}
	return names
}

func kindName(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Int:
		return "a whole number"
	case reflect.Map:
		return "an object with string values"
	default:
		return "a string"
	}
}

func docTest() *huma.Operation {
	op := operation("testWebhook", tagWebhooks, "Send a test event", map[int]reflect.Type{200: schemaOf[savepage.Trial]()}, 400, 401, 413, 415, 429, 503)
	op.Description = "Sends one event, signed like a callback, and answers what the receiver said, what it was sent, and what to look at. Its body is " +
		`{"status":"test","capture_id":"cap_…","message":"…","sent_at":"…"}. Nothing is kept and nothing is tried again. Answered with 200 whatever the receiver says: see outcome.`
	op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/json": {Schema: refTo("TestEvent")}}}
	return op
}
