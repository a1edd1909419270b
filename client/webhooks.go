package client

import (
	"context"
	"net/http"
	"time"

	"github.com/savepage/savepage"
)

// WebhookSecrets describes the webhook secrets of the account: their first and last characters, and how long earlier ones
// sign.
func (c *Client) WebhookSecrets(ctx context.Context) (savepage.WebhookSecrets, error) {
	var found savepage.WebhookSecrets
	_, err := c.call(ctx, call{method: http.MethodGet, path: "/v1/webhooks/secret"}, &found)
	return found, err
}

// RotateWebhookSecret creates a new webhook secret, which only this answer contains. Earlier ones sign as well during the
// overlap, in whole seconds; zero ends them at once. savepage.SecretOverlap is the server's default.
func (c *Client) RotateWebhookSecret(ctx context.Context, overlap time.Duration) (savepage.WebhookSecrets, error) {
	var made savepage.WebhookSecrets
	body := map[string]int64{"overlap": int64(overlap / time.Second)}
	_, err := c.call(ctx, call{method: http.MethodPost, path: "/v1/webhooks/secret/rotate", body: body}, &made)
	return made, err
}

// TestEvent is a request for a test event. Headers and Secret are like callback_headers and callback_secret.
type TestEvent struct {
	URL     string           `json:"url"`
	Headers savepage.Headers `json:"callback_headers,omitempty"`
	Secret  string           `json:"callback_secret,omitempty"`
}

// TestWebhook makes the server send a signed test event and returns the receiver's answer. A receiver that refuses it is not
// an error: see Trial.Outcome.
func (c *Client) TestWebhook(ctx context.Context, e TestEvent) (savepage.Trial, error) {
	var trial savepage.Trial
	_, err := c.call(ctx, call{method: http.MethodPost, path: "/v1/webhooks/test", body: e}, &trial)
	return trial, err
}
