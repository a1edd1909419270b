package ledger

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"hash/crc32"
	"strings"
	"time"

	"github.com/savepage/savepage"
)

// Shape of a key: keyPrefix, keyChars characters of base62, together 178 random bits, and sumChars that hold the CRC-32
// (IEEE) of all before them, the most significant first. The first shownChars characters are kept to name the key in
// lists; 130 random bits stay secret. Keys of earlier versions have no checksum.
const (
	keyPrefix  = "sp_"
	keyChars   = 30
	sumChars   = 6
	shownChars = len(keyPrefix) + 8
	base62     = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)

// FirstKeyName is the name of the key that the first start makes.
const FirstKeyName = "first key"

// NewKey makes an API key.
func NewKey() string {
	key := keyPrefix + randomText(keyChars)
	return key + checksum(key)
}

// randomText is so many random characters of base62.
func randomText(n int) string {
	text := make([]byte, 0, n)
	random := make([]byte, n)
	for len(text) < n {
		_, _ = rand.Read(random) // never fails: crypto/rand ends the program instead
		for _, b := range random {
			// 248 is the largest multiple of 62 in a byte: a plain remainder would prefer some characters.
			if b < 248 && len(text) < n {
				text = append(text, base62[b%62])
			}
		}
	}
	return string(text)
}

func checksum(key string) string {
	var digits [sumChars]byte
	sum := crc32.ChecksumIEEE([]byte(key))
	for i := range digits {
		digits[sumChars-1-i] = base62[sum%62]
		sum /= 62
	}
	return string(digits[:])
}

// Mistyped reports whether a text has the length of a key and a checksum that does not belong to it, which is known without
// the database.
func Mistyped(key string) bool {
	const unsummed = len(keyPrefix) + keyChars
	return len(key) == unsummed+sumChars && strings.HasPrefix(key, keyPrefix) && key[unsummed:] != checksum(key[:unsummed])
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

// Shape of a link secret: its id and the part that nobody else knows, 190 random bits.
const (
	linkIDChars     = 12
	linkSecretChars = 32
)

// NewLinkSecret makes a link secret at a time.
func NewLinkSecret(now time.Time) savepage.LinkSecret {
	id := savepage.LinkIDPrefix + randomText(linkIDChars)
	return savepage.LinkSecret{ID: id, Secret: id + "_" + randomText(linkSecretChars), CreatedAt: now.UTC().Truncate(time.Microsecond)}
}
