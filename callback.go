package savepage

import (
	"encoding/base64"
	"fmt"
	"strings"
	"time"
)

// Limits of callback_headers and callback_secret.
const (
	MaxCallbackHeaders     = 10
	MaxCallbackHeaderBytes = 1 << 10 // of one value
	MinSecretBytes         = 24      // that a secret encodes after whsec_
	MaxSecretBytes         = 64
)

// How long an earlier webhook secret still signs after a rotation: by default, and at most.
const (
	SecretOverlap    = 24 * time.Hour
	MaxSecretOverlap = 7 * 24 * time.Hour
)

// WebhookSecrets describes the secrets that sign an account's callbacks.
type WebhookSecrets struct {
	Secret   string       `json:"secret,omitempty" doc:"The new secret. Only the answer that creates it contains it."`
	Current  SecretInfo   `json:"current" doc:"The current secret."`
	Previous []SecretInfo `json:"previous" doc:"Earlier secrets that still sign as well, newest first."`
}

// SecretInfo identifies a secret without revealing it.
type SecretInfo struct {
	Hint       string     `json:"hint" doc:"First and last characters of the secret." example:"whsec_MfKQ…aSw="`
	CreatedAt  time.Time  `json:"created_at" doc:"When it was created."`
	ValidUntil *time.Time `json:"valid_until,omitempty" doc:"When an earlier secret stops signing."`
}

// checkCallback checks the options that need callback_url. Their values are secret and never returned.
func (o Options) checkCallback() []FieldError {
	if o.CallbackURL != "" {
		wrong := o.CallbackHeaders.checkForCallback()
		if o.CallbackSecret != "" && CheckSecret(o.CallbackSecret) != nil {
			wrong = append(wrong, FieldError{"callback_secret", `must be "whsec_" and base64 of 24 to 64 bytes`, nil})
		}
		return append(wrong, o.checkFilename()...)
	}
	var wrong []FieldError
	for _, one := range []struct {
		name  string
		given bool
	}{
		{"callback_format", o.CallbackFormat != ""}, {"callback_method", o.CallbackMethod != ""}, {"callback_on", len(o.CallbackOn) > 0},
		{"callback_error_url", o.CallbackErrorURL != ""}, {"callback_filename", o.CallbackFilename != ""},
		{"callback_headers", len(o.CallbackHeaders) > 0}, {"callback_secret", o.CallbackSecret != ""},
	} {
		if one.given {
			wrong = append(wrong, FieldError{one.name, "needs callback_url", nil})
		}
	}
	return wrong
}

// checkFilename refuses names that a header or a file system would mistake, and a name where no file is sent.
func (o Options) checkFilename() []FieldError {
	switch name := o.CallbackFilename; {
	case name == "":
		return nil
	case !o.CallbackFormat.IsFile():
		return []FieldError{{"callback_filename", "needs callback_format file, gotenberg or screenshotone", nil}}
	case strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r > '~' || strings.ContainsRune(`"\/:*?<>|;`, r) }):
		return []FieldError{{"callback_filename", `must be printable ASCII without " \ / : * ? < > | ;`, name}}
	default:
		return nil
	}
}

func (h Headers) checkForCallback() []FieldError {
	var wrong []FieldError
	if len(h) > MaxCallbackHeaders {
		wrong = append(wrong, FieldError{"callback_headers", fmt.Sprintf("must be at most %d headers", MaxCallbackHeaders), len(h)})
	}
	seen := map[string]bool{}
	for name, value := range h {
		at, lower := "callback_headers."+name, strings.ToLower(name)
		switch {
		case !isToken(name):
			wrong = append(wrong, FieldError{at, "is not a valid header name", name})
		case seen[lower]:
			wrong = append(wrong, FieldError{at, "is given twice, differing only in case", name})
		case ownedByCallback(lower):
			wrong = append(wrong, FieldError{at, "is set by the service and cannot be given", name})
		case len(value) > MaxCallbackHeaderBytes || !isHeaderValue(value):
			wrong = append(wrong, FieldError{at, fmt.Sprintf("must be at most %d bytes of printable ASCII", MaxCallbackHeaderBytes), nil})
		}
		seen[lower] = true
	}
	return wrong
}

// ownedByCallback reports whether a header, in lower case, is set by the service or concerns the connection and not the
// receiver (RFC 9110, section 7.6.1).
func ownedByCallback(name string) bool {
	if ownedHeader(name) {
		return true
	}
	switch name {
	case "user-agent", "x-signature", "idempotency-key", "accept-encoding", "date", "http2-settings", "alt-used":
		return true
	}
	for _, prefix := range []string{"content-", "webhook-", "x-signature-", "x-savepage-", "x-urlbox-sig", "x-screenshotone-sig"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// CheckSecret returns nil when a webhook secret is whsec_ and the padded base64 of MinSecretBytes to MaxSecretBytes, as the
// Standard Webhooks specification has it, else ErrSecret. The error does not contain the secret.
func CheckSecret(secret string) error {
	encoded, found := strings.CutPrefix(secret, SecretPrefix)
	key, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if !found || err != nil || len(key) < MinSecretBytes || len(key) > MaxSecretBytes || strings.ContainsAny(encoded, "\r\n") {
		return fmt.Errorf("%w of %d to %d bytes", ErrSecret, MinSecretBytes, MaxSecretBytes)
	}
	return nil
}
