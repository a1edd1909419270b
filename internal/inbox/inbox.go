// Package inbox is the receiver of callbacks that every account has of its own: it verifies what is handed to it as any
// receiver does, has it kept, and answers as its account wishes. Nothing reaches it but the sender of callbacks, in the same
// process: it listens nowhere.
package inbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/clock"
	"github.com/savepage/savepage/internal/webhook"
)

// Events keeps what has arrived. An unknown or closed account is *savepage.Error of CodeNotFound.
type Events interface {
	Receive(ctx context.Context, e savepage.InboxEvent) (savepage.InboxAnswer, error)
}

// Secrets returns the webhook secrets of an account.
type Secrets interface {
	Signing(ctx context.Context, account string) ([]string, error)
}

// Receiver is the inboxes of all accounts.
type Receiver struct {
	Events  Events
	Secrets Secrets
	Clock   *clock.Clock // nil: the machine's
	Log     *slog.Logger
}

// Take receives a callback for its account. An inbox that is slow answers with the end of ctx alone.
func (r *Receiver) Take(ctx context.Context, c webhook.Callback) (*http.Response, error) {
	e, err := r.event(ctx, c)
	if err != nil {
		return nil, err
	}
	answer, err := r.Events.Receive(ctx, e)
	fault, known := errors.AsType[*savepage.Error](err)
	switch {
	case known && fault.Code == savepage.CodeNotFound:
		return respond(c.Request, http.StatusGone, "The account is closed."), nil
	case err != nil && ctx.Err() == nil:
		r.Log.ErrorContext(ctx, "the inbox could not keep an event", "account", c.Account, "delivery", c.ID, "error", err)
		return respond(c.Request, http.StatusServiceUnavailable, "The inbox could not keep the event."), nil
	case err != nil:
		return nil, err
	case answer == savepage.InboxSlow:
		<-ctx.Done()
		return nil, fmt.Errorf("await the inbox: %w", ctx.Err())
	}
	status, err := strconv.Atoi(string(answer))
	if err != nil {
		return nil, fmt.Errorf("the inbox has the answer %q: %w", answer, err)
	}
	text := "Received and verified."
	if !e.Verified {
		text = "Received, but not verified."
	}
	return respond(c.Request, status, text), nil
}

// event reads and verifies a callback.
func (r *Receiver) event(ctx context.Context, c webhook.Callback) (savepage.InboxEvent, error) {
	now := r.Clock.Or().Now().UTC().Truncate(time.Microsecond)
	e := savepage.InboxEvent{
		ID: capture.NewID("evt_", now), Account: c.Account, Type: savepage.InboxCapture, WebhookID: c.ID, CaptureID: c.CaptureID,
		BatchID: c.BatchID, Attempt: len(c.Attempts) + 1, ReceivedAt: now, AfterMS: max(now.Sub(c.CreatedAt).Milliseconds(), 0),
		Method: c.Request.Method, URL: c.URL,
	}
	switch {
	case c.Test:
		e.Type, e.CaptureID = savepage.InboxTest, "" // no capture has the id of a test event
	case c.CaptureID == "":
		e.Type = savepage.InboxBatch
	}
	header := c.Request.Header.Clone()
	header.Set("Content-Length", strconv.FormatInt(c.Request.ContentLength, 10))
	e.Headers = webhook.ShownHeaders(header, c.Headers)
	secrets, err := r.secrets(ctx, c)
	if err != nil {
		return e, err
	}
	return e, inspect(&e, c, webhook.Received{Header: header, Secrets: secrets, Now: r.Clock.Or().Wall()})
}

// secrets are what the owner of the inbox knows: the secrets of the account, or the one that the capture brought along.
func (r *Receiver) secrets(ctx context.Context, c webhook.Callback) ([]string, error) {
	own, err := r.Secrets.Signing(ctx, c.Account)
	if err != nil {
		return nil, fmt.Errorf("read the secrets of the inbox: %w", err)
	}
	if !c.Test && !slices.ContainsFunc(c.Secrets, func(one string) bool { return slices.Contains(own, one) }) {
		return c.Secrets, nil
	}
	return own, nil
}

// inspect reads the body and writes down what is found.
func inspect(e *savepage.InboxEvent, c webhook.Callback, got webhook.Received) error {
	var found webhook.Inspection
	var err error
	if c.Picture != nil {
		found, e.BodyBytes, err = webhook.InspectFile(got, c.Request.Body)
	} else {
		got.Body, err = io.ReadAll(io.LimitReader(c.Request.Body, savepage.MaxEventBytes))
		found, e.BodyBytes = webhook.Inspect(got), int64(len(got.Body))
		e.Body = strings.ToValidUTF8(string(got.Body[:min(len(got.Body), savepage.MaxInboxBodyBytes)]), "\uFFFD")
	}
	if err != nil {
		return fmt.Errorf("read the callback: %w", err)
	}
	e.Verified = found.Verified
	e.Checks = make([]savepage.InboxCheck, 0, len(found.Findings))
	for _, one := range found.Findings {
		e.Checks = append(e.Checks, savepage.InboxCheck{What: one.What, OK: one.OK, Text: one.Text})
	}
	return nil
}

func respond(request *http.Request, status int, text string) *http.Response {
	return &http.Response{
		StatusCode: status, Status: strconv.Itoa(status) + " " + http.StatusText(status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"text/plain; charset=utf-8"}}, Body: io.NopCloser(strings.NewReader(text + "\n")),
		ContentLength: int64(len(text) + 1), Request: request,
	}
}
