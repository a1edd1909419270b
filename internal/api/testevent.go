package api

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/clock"
)

// TestSender sends test events.
type TestSender interface {
	// Try sends an event once and returns the result. A URL that may not be reached at all is *savepage.Error.
	Try(ctx context.Context, d savepage.Delivery, secrets []string) (savepage.Trial, error)
}

// TestEvent is the body of POST /v1/webhooks/test.
type TestEvent struct {
	URL             string           `json:"url" maxLength:"8192" doc:"Receiver: http or https." example:"https://myapp.example.com/hook"`
	CallbackHeaders savepage.Headers `json:"callback_headers,omitempty" writeOnly:"true" doc:"As for a capture."`
	CallbackSecret  string           `json:"callback_secret,omitempty" maxLength:"128" writeOnly:"true" doc:"As for a capture."`
}

// testBody is the body of a test event: the event of a capture without a picture, with a status that no capture has.
type testBody struct {
	capture.View

	Message string `json:"message"`
	SentAt  string `json:"sent_at"`
}

// testHandlers answer requests for test events.
type testHandlers struct {
	out     responder
	sender  TestSender
	secrets Secrets
	clock   *clock.Clock
	drain   *drain
	busy    places
}

// post answers POST /v1/webhooks/test.
func (h *testHandlers) post(w http.ResponseWriter, r *http.Request, who savepage.Principal) error {
	if err := noQuery(r); err != nil {
		return err
	}
	if err := h.drain.refusal(); err != nil {
		return err
	}
	var asked TestEvent
	if err := readObject(w, r, &asked, false); err != nil {
		return err
	}
	if err := asked.check(); err != nil {
		return err
	}
	secrets := []string{asked.CallbackSecret}
	if asked.CallbackSecret == "" {
		var err error
		if secrets, err = h.secrets.Signing(r.Context(), who.Account.ID); err != nil {
			return err
		}
	}
	d, err := testDelivery(h.clock.Now(), who.Account.ID, asked)
	if err != nil {
		return err
	}
	leave := h.busy.enter(who.Account.ID, who.Limits.TestEvents)
	if leave == nil {
		const message = "too many test events: the account may have %d under way"
		return savepage.Errorf(savepage.CodeRateLimited, message, who.Limits.TestEvents)
	}
	defer leave()
	trial, err := h.sender.Try(r.Context(), d, secrets)
	if fault, known := errors.AsType[*savepage.Error](err); known && fault.Code == savepage.CodeInvalidRequest {
		return invalidField("body.url", fault.Message, echo(asked.URL))
	}
	if err != nil {
		return err
	}
	h.out.json(w, r, http.StatusOK, trial)
	return nil
}

// check applies the rules of the options that a test event shares with captures.
func (t TestEvent) check() error {
	var wrong []savepage.FieldError
	if message := checkAddress(t.URL); t.URL == "" || message != "" {
		message = cmp.Or(message, "is required; give an http or https URL")
		wrong = append(wrong, savepage.FieldError{Location: "body.url", Message: message, Value: echo(t.URL)})
	}
	const somewhere = "http://example.com/"
	like := savepage.Options{
		URL: somewhere, CallbackURL: somewhere, CallbackHeaders: t.CallbackHeaders, CallbackSecret: t.CallbackSecret,
	}
	for _, field := range like.ValidateFields() {
		field.Location = at("body", field.Location)
		wrong = append(wrong, field)
	}
	if len(wrong) > 0 {
		return invalid(wrong)
	}
	return nil
}

func testDelivery(now time.Time, account string, asked TestEvent) (savepage.Delivery, error) {
	id := capture.NewID("cap_", now)
	body, err := marshal(testBody{
		View:    capture.View{Status: "test", CaptureID: id},
		Message: "A test event. No capture belongs to it.", SentAt: now.Format(time.RFC3339),
	})
	if err != nil {
		return savepage.Delivery{}, fmt.Errorf("encode the test event: %w", err)
	}
	return savepage.Delivery{
		ID: capture.NewID("msg_", now), CaptureID: id, Account: account, URL: asked.URL, Headers: asked.CallbackHeaders,
		Body: bytes.TrimSpace(body), CreatedAt: now,
	}, nil
}

func docTest() *huma.Operation {
	op := operation("testWebhook", tagWebhooks, "Send a test event",
		map[int]reflect.Type{200: schemaOf[savepage.Trial]()}, 400, 401, 413, 415, 429, 503)
	op.Description = "Sends one event, signed like a callback. The answer contains the request that was sent, the receiver's answer, and " +
		`hints. The body of the event is {"status":"test","capture_id":"cap_…",…,"message":"…","sent_at":"…"}, with the fields of a ` +
		"capture as null. The event is not stored and not retried. The status is 200 whatever the receiver answers: see outcome."
	op.RequestBody = jsonBody("TestEvent", true)
	return op
}
