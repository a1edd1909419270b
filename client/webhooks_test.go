package client_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/client"
)

// signer keeps what it is asked for.
type signer struct {
	overlap time.Duration
	tried   savepage.Delivery
	with    []string
}

func (s *signer) Secrets(context.Context, string) (savepage.WebhookSecrets, error) {
	until := time.Date(2026, 4, 1, 12, 0, 0, 0, time.UTC)
	earlier := []savepage.SecretInfo{{Hint: "old", ValidUntil: &until}}
	return savepage.WebhookSecrets{Current: savepage.SecretInfo{Hint: "new"}, Previous: earlier}, nil
}

func (s *signer) RotateSecret(_ context.Context, _ string, overlap time.Duration) (savepage.WebhookSecrets, error) {
	s.overlap = overlap
	return savepage.WebhookSecrets{Secret: "whole"}, nil
}

func (s *signer) Signing(context.Context, string) ([]string, error) {
	return []string{"account's"}, nil
}

func (s *signer) Try(_ context.Context, d savepage.Delivery, secrets []string) (savepage.Trial, error) {
	s.tried, s.with = d, secrets
	sent := savepage.Sent{Body: string(d.Body), Headers: map[string]string{"Webhook-Id": d.ID}}
	return savepage.Trial{Outcome: savepage.AttemptDelivered, Status: 204, Sent: sent}, nil
}

func TestWebhooks(t *testing.T) {
	f, c := start(t)
	found, err := c.WebhookSecrets(t.Context())
	if err != nil || found.Current.Hint != "new" || len(found.Previous) != 1 || found.Previous[0].ValidUntil.Year() != 2026 {
		t.Errorf("%+v, %v", found, err)
	}
	for _, overlap := range []time.Duration{0, time.Hour} {
		made, err := c.RotateWebhookSecret(t.Context(), overlap)
		if err != nil || made.Secret != "whole" || f.signer.overlap != overlap {
			t.Errorf("%+v, %v, overlap %s", made, err, f.signer.overlap)
		}
	}
	const own = "whsec_b3duIHNlY3JldCBvZiBvbmUgY2FwdHVyZSE="
	trial, err := c.TestWebhook(t.Context(), client.TestEvent{URL: "http://hook.test/x", Secret: own, Headers: savepage.Headers{"X-A": "b"}})
	if err != nil || trial.Status != 204 || trial.Sent.Headers["Webhook-Id"] != f.signer.tried.ID || f.signer.with[0] != own ||
		f.signer.tried.Headers["X-A"] != "b" {
		t.Errorf("%+v, %v, %+v", trial, err, f.signer)
	}
	_, err = c.TestWebhook(t.Context(), client.TestEvent{URL: "hook"})
	if fault, is := errors.AsType[*savepage.Error](err); !is || fault.Fields[0].Location != "body.url" {
		t.Errorf("%v", err)
	}
}
