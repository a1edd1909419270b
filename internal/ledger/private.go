package ledger

import (
	"encoding/json"
	"fmt"
	"reflect"
	"time"

	"github.com/savepage/savepage"
)

// MaxOldSecrets is how many replaced webhook secrets of an account may be valid at once.
const MaxOldSecrets = 10

// Private is what the callbacks of a capture carry that nobody may read back. It is kept apart from the capture's options,
// so that no look-up can show it.
type Private struct {
	Headers savepage.Headers `json:"headers,omitempty"`
	Secret  string           `json:"secret,omitempty"` // signs instead of the account's secrets

	Format   savepage.CallbackFormat `json:"format,omitempty"` // with Method and Filename: not private, but needed with the others
	Method   string                  `json:"method,omitempty"`
	Filename string                  `json:"filename,omitempty"`
}

// Part takes what is private out of options. It returns it as JSON, empty when there is nothing.
func Part(o savepage.Options) (public savepage.Options, private string, err error) {
	hidden := Private{
		Headers: o.CallbackHeaders, Secret: o.CallbackSecret,
		Format: o.CallbackFormat, Method: o.CallbackMethod, Filename: o.CallbackFilename,
	}
	o.CallbackHeaders, o.CallbackSecret = nil, ""
	if reflect.ValueOf(hidden).IsZero() {
		return o, "", nil
	}
	text, err := json.Marshal(hidden) //nolint:gosec // the vault seals it before it is kept
	if err != nil {
		return o, "", fmt.Errorf("encode what is private: %w", err)
	}
	return o, string(text), nil
}

// Hint shows a little of a secret's beginning and end, so that one can tell it from another: of 44 characters, 36 stay hidden.
func Hint(secret string) string {
	const shown = 4
	if len(secret) < len(savepage.SecretPrefix)+4*shown {
		return "…"
	}
	return secret[:len(savepage.SecretPrefix)+shown] + "…" + secret[len(secret)-shown:]
}

// Describe describes a webhook secret without its text. until is zero for the current one.
func Describe(secret string, created, until time.Time) savepage.SecretInfo {
	info := savepage.SecretInfo{Hint: Hint(secret), CreatedAt: created}
	if !until.IsZero() {
		info.ValidUntil = &until
	}
	return info
}
