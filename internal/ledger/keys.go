package ledger

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"time"

	"github.com/savepage/savepage"
)

// Shape of a key: keyPrefix and keyChars characters of base62, together 178 random bits. The first shownChars characters
// are kept to name the key in lists; 130 random bits stay secret.
const (
	keyPrefix  = "sp_"
	keyChars   = 30
	shownChars = len(keyPrefix) + 8
	base62     = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)

// Issued is a new key. It is the only time that the key itself is known.
type Issued struct {
	Account       string `json:"account"`
	Key           string `json:"key"`
	WebhookSecret string `json:"webhook_secret,omitempty"` // of a new account; empty for one that has its secret already
	APISecret     string `json:"api_secret,omitempty"`     // of the older API; empty unless one was asked for
}

// Key describes a key without telling it. Times are zero for never.
type Key struct {
	Account   string    `json:"account"`
	Prefix    string    `json:"prefix"` // the first characters of the key; names it in Revoke
	CreatedAt time.Time `json:"created_at"`
	LastUsed  time.Time `json:"last_used_at,omitzero"` // to the minute
	RevokedAt time.Time `json:"revoked_at,omitzero"`
}

// NewKey makes an API key.
func NewKey() string {
	key := make([]byte, 0, keyChars)
	random := make([]byte, keyChars)
	for len(key) < keyChars {
		_, _ = rand.Read(random) // never fails: crypto/rand ends the program instead
		for _, b := range random {
			// 248 is the largest multiple of 62 in a byte: a plain remainder would prefer some characters.
			if b < 248 && len(key) < keyChars {
				key = append(key, base62[b%62])
			}
		}
	}
	return keyPrefix + string(key)
}

// HashKey is what is kept of a key.
func HashKey(key string) [sha256.Size]byte { return sha256.Sum256([]byte(key)) }

// KeyPrefix is the part of a key that may be shown; a shorter text is returned as it is.
func KeyPrefix(key string) string { return key[:min(len(key), shownChars)] }

// NewSecret makes a webhook secret.
func NewSecret() string {
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails: crypto/rand ends the program instead
	return savepage.SecretPrefix + base64.StdEncoding.EncodeToString(secret)
}
