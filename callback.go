package savepage

import (
	"encoding/base64"
	"fmt"
	"strings"
	"time"
)

// Limits of what a request may give its callback.
const (
	MaxCallbackHeaders     = 10
	MaxCallbackHeaderBytes = 1 << 10 // of one value
	MinSecretBytes         = 24      // that a secret encodes after whsec_
	MaxSecretBytes         = 64
)

// How long a replaced webhook secret still signs: unless told otherwise, and at most.
const (
	SecretOverlap    = 24 * time.Hour
	MaxSecretOverlap = 7 * 24 * time.Hour
)

// WebhookSecrets tells what may be told of the secrets that sign an account's callbacks.
type WebhookSecrets struct {
	Secret   string       `json:"secret,omitempty" doc:"The new secret, whole. Only in the answer that made it: it can not be read again."`
	Current  SecretInfo   `json:"current" doc:"The secret that signs."`
	Previous []SecretInfo `json:"previous" doc:"Replaced ones that still sign beside it, newest first."`
}

// SecretInfo names a secret without telling it.
type SecretInfo struct {
	Hint       string     `json:"hint" doc:"Its first and last characters." example:"whsec_MfKQ…aSw="`
	CreatedAt  time.Time  `json:"created_at" doc:"When it was made."`
	ValidUntil *time.Time `json:"valid_until,omitempty" doc:"When a replaced one stops signing."`
}

// checkCallback checks what goes with callback_url and is for its receiver only. Values are secret and never given back.
func (o Options) checkCallback() []FieldError {
	if o.CallbackURL != "" {
		wrong := o.CallbackHeaders.checkForCallback()
		if o.CallbackSecret != "" && CheckSecret(o.CallbackSecret) != nil {
			wrong = append(wrong, FieldError{"callback_secret", `must be "whsec_" and base64 of 24 to 64 bytes`, nil})
		}
		return wrong
	}
	var wrong []FieldError
	if len(o.CallbackHeaders) > 0 {
		wrong = append(wrong, FieldError{"callback_headers", "needs callback_url", nil})
	}
	if o.CallbackSecret != "" {
		wrong = append(wrong, FieldError{"callback_secret", "needs callback_url", nil})
	}
	return wrong
}

func (h Headers) checkForCallback() []FieldError {
	var wrong []FieldError
	if len(h) > MaxCallbackHeaders {
		wrong = append(wrong, FieldError{"callback_headers", fmt.Sprintf("must be at most %d", MaxCallbackHeaders), len(h)})
	}
	seen := map[string]bool{}
	for name, value := range h {
		at, lower := "callback_headers."+name, strings.ToLower(name)
		switch {
		case !isToken(name):
			wrong = append(wrong, FieldError{at, "is not a header name", name})
		case seen[lower]:
			wrong = append(wrong, FieldError{at, "is given twice, in another case", name})
		case ownedByCallback(lower):
			wrong = append(wrong, FieldError{at, "belongs to the callback or its connection and can not be given here", name})
		case len(value) > MaxCallbackHeaderBytes || !isHeaderValue(value):
			wrong = append(wrong, FieldError{at, fmt.Sprintf("must be at most %d bytes of printable ASCII", MaxCallbackHeaderBytes), nil})
		}
		seen[lower] = true
	}
	return wrong
}

// ownedByCallback reports whether a header, in lower case, is ours to set or speaks to the connection and not to the
// receiver (RFC 9110, section 7.6.1).
func ownedByCallback(name string) bool {
	if ownedHeader(name) {
		return true
	}
	switch name {
	case "user-agent", "x-signature", "idempotency-key", "accept-encoding", "date", "http2-settings", "alt-used":
		return true
	}
	for _, prefix := range []string{"content-", "webhook-", "x-signature-", "x-savepage-"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// CheckSecret returns nil when a webhook secret is whsec_ and the padded base64 of MinSecretBytes to MaxSecretBytes, as the
// Standard Webhooks specification has it, and else ErrSecret. The error does not contain the secret.
func CheckSecret(secret string) error {
	encoded, found := strings.CutPrefix(secret, SecretPrefix)
	key, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if !found || err != nil || len(key) < MinSecretBytes || len(key) > MaxSecretBytes || strings.ContainsAny(encoded, "\r\n") {
		return fmt.Errorf("%w of %d to %d bytes", ErrSecret, MinSecretBytes, MaxSecretBytes)
	}
	return nil
}
