package client

import (
	"context"
	"net/http"
	"time"

	"github.com/savepage/savepage"
)

// WebhookSecrets tells what may be told of the account's webhook secrets: how they begin and end, and until when replaced
// ones sign.
func (c *Client) WebhookSecrets(ctx context.Context) (savepage.WebhookSecrets, error) {
	var told savepage.WebhookSecrets
	_, err := c.call(ctx, call{method: http.MethodGet, path: "/v1/webhooks/secret"}, &told)
	return told, err
}

// RotateWebhookSecret makes a new webhook secret. Its answer alone holds it whole. Those before it go on signing beside it
// for the overlap, of whole seconds; zero ends them at once. savepage.SecretOverlap is the server's default.
func (c *Client) RotateWebhookSecret(ctx context.Context, overlap time.Duration) (savepage.WebhookSecrets, error) {
	var made savepage.WebhookSecrets
	body := map[string]int64{"overlap": int64(overlap / time.Second)}
	_, err := c.call(ctx, call{method: http.MethodPost, path: "/v1/webhooks/secret/rotate", body: body}, &made)
	return made, err
}

// TestEvent says where a test event goes. Headers and Secret are those of callback_headers and callback_secret.
type TestEvent struct {
	URL     string           `json:"url"`
	Headers savepage.Headers `json:"callback_headers,omitempty"`
	Secret  string           `json:"callback_secret,omitempty"`
}

// TestWebhook has the server send a signed test event and returns what the receiver said. A receiver that refuses it is no
// error: see Outcome.
func (c *Client) TestWebhook(ctx context.Context, e TestEvent) (savepage.Trial, error) {
	var trial savepage.Trial
	_, err := c.call(ctx, call{method: http.MethodPost, path: "/v1/webhooks/test", body: e}, &trial)
	return trial, err
}
