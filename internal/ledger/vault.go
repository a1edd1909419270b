package ledger

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// MasterKeyBytes is the length of a master key.
const MasterKeyBytes = 32

// Why a sealed text cannot be opened.
var (
	ErrNoMasterKey    = errors.New("secrets in the database are encrypted, and there is no master key")
	ErrOtherMasterKey = errors.New("secrets in the database are encrypted with another master key")
	ErrSealBroken     = errors.New("an encrypted secret was changed or belongs elsewhere")
)

// A sealed text is "sealed:1:", the key's id, ":" and base64 of nonce and ciphertext. SealedPrefix begins every one.
const (
	SealedPrefix = "sealed:1:"
	keyIDChars   = 16
)

// SealedHeadChars is the length of what a sealed text begins with: SealedPrefix, the key's id, ":".
const SealedHeadChars = len(SealedPrefix) + keyIDChars + 1

// Vault seals secrets at rest: AES-256-GCM, each with a key of its own that is derived from the master key. Without a master
// key it leaves them as they are. The zero Vault has none. It is safe for concurrent use.
type Vault struct{ keys []masterKey }

type masterKey struct {
	id    string
	bytes []byte
}

// NewVault makes a vault of the current master key and of older ones, which only open. Each has MasterKeyBytes.
func NewVault(current []byte, older ...[]byte) (Vault, error) {
	var v Vault
	for _, key := range append([][]byte{current}, older...) {
		if len(key) != MasterKeyBytes {
			return Vault{}, fmt.Errorf("a master key has %d bytes, not %d", len(key), MasterKeyBytes)
		}
		mac := hmac.New(sha256.New, key)
		_, _ = io.WriteString(mac, "savepage master key id") // a hash takes everything
		v.keys = append(v.keys, masterKey{id: hex.EncodeToString(mac.Sum(nil))[:keyIDChars], bytes: slices.Clone(key)})
	}
	return v, nil
}

// Format prints no key, whatever the verb.
func (v Vault) Format(f fmt.State, _ rune) { _, _ = fmt.Fprintf(f, "vault of %d keys", len(v.keys)) }

// Label says what a secret is and whose. A sealed text opens under its own label only.
type Label struct {
	Kind    string // "webhook_secret"
	Account string
	Record  string // id of the record it belongs to, if that is not the account
}

func (l Label) bytes() []byte {
	return []byte(strings.Join([]string{"savepage", l.Kind, l.Account, l.Record}, "\x00"))
}

// Head is what everything begins with that is sealed with the current master key; empty without one.
func (v Vault) Head() string {
	if len(v.keys) == 0 {
		return ""
	}
	return v.keys[0].head()
}

func (k masterKey) head() string { return SealedPrefix + k.id + ":" }

// aead makes the cipher of one label. A key for each keeps random nonces safe whatever the number of secrets.
func (k masterKey) aead(label []byte) (cipher.AEAD, error) {
	key, err := hkdf.Key(sha256.New, k.bytes, nil, string(label), MasterKeyBytes)
	if err != nil {
		return nil, fmt.Errorf("derive key: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("make cipher: %w", err)
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// Seal encrypts a secret with the current master key. Without one, and for an empty text, it returns the text itself.
func (v Vault) Seal(plain string, label Label) (string, error) {
	if len(v.keys) == 0 || plain == "" {
		return plain, nil
	}
	aead, err := v.keys[0].aead(label.bytes())
	if err != nil {
		return "", err
	}
	sealed := aead.Seal(nil, nil, []byte(plain), label.bytes()) //nolint:gosec // this cipher makes the nonce
	return v.keys[0].head() + base64.RawURLEncoding.EncodeToString(sealed), nil
}

// Open returns a secret as it was before Seal. What is not sealed is returned as it is. Errors are ErrNoMasterKey,
// ErrOtherMasterKey and ErrSealBroken.
func (v Vault) Open(stored string, label Label) (string, error) {
	if !Sealed(stored) {
		return stored, nil
	}
	key, err := v.keyOf(stored)
	if err != nil {
		return "", err
	}
	sealed, err := base64.RawURLEncoding.DecodeString(stored[SealedHeadChars:])
	if err != nil {
		return "", ErrSealBroken
	}
	aead, err := key.aead(label.bytes())
	if err != nil {
		return "", err
	}
	plain, err := aead.Open(nil, nil, sealed, label.bytes())
	if err != nil {
		return "", ErrSealBroken
	}
	return string(plain), nil
}

// Sealed reports whether a stored text, or its first SealedHeadChars, is a sealed one.
func Sealed(stored string) bool { return strings.HasPrefix(stored, SealedPrefix) }

// Knows returns nil when the vault has the key of a stored text, or of its first SealedHeadChars, and else why it cannot
// be opened.
func (v Vault) Knows(stored string) error {
	if !Sealed(stored) {
		return nil
	}
	_, err := v.keyOf(stored)
	return err
}

func (v Vault) keyOf(sealed string) (masterKey, error) {
	for _, key := range v.keys {
		if strings.HasPrefix(sealed, key.head()) {
			return key, nil
		}
	}
	if len(v.keys) == 0 {
		return masterKey{}, ErrNoMasterKey
	}
	return masterKey{}, ErrOtherMasterKey
}
