package savepage

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Names of the headers that a callback carries.
const (
	HeaderSignature        = "X-Signature"       // hex HMAC-SHA256 of the raw body
	HeaderWebhookID        = "Webhook-Id"        // Standard Webhooks: the same for every attempt of a delivery
	HeaderWebhookTimestamp = "Webhook-Timestamp" // Standard Webhooks: Unix seconds of this attempt
	HeaderWebhookSignature = "Webhook-Signature" // Standard Webhooks: "v1,<base64>", more than one separated by spaces
)

// SecretPrefix begins every webhook secret.
const SecretPrefix = "whsec_"

// MaxEventBytes is larger than any event. A callback that is a picture can be larger.
const MaxEventBytes = 4 << 20

// Tolerance is how far the timestamp of a callback may differ from the receiver's clock.
const Tolerance = 5 * time.Minute

// Reasons why Verify refuses a callback.
var (
	ErrSecret    = errors.New(`webhook secret is not "whsec_" and base64`)
	ErrHeaders   = errors.New("webhook-id, webhook-timestamp or webhook-signature is missing or malformed")
	ErrTimestamp = errors.New("webhook-timestamp is more than five minutes away")
	ErrSignature = errors.New("no signature matches: the secret is wrong or the body was changed")
)

// Sign returns X-Signature: lower-case hex HMAC-SHA256 of the raw body, keyed with the secret's own characters.
func Sign(secret string, body []byte) string {
	return hex.EncodeToString(sum([]byte(secret), body))
}

// SignStandard returns one entry of webhook-signature: "v1," and the base64 HMAC-SHA256 of "id.timestamp.body", keyed with
// the bytes that the part after whsec_ encodes. at is cut to seconds.
// Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
func SignStandard(secret, id string, at time.Time, body []byte) (string, error) {
	key, err := standardKey(secret)
	if err != nil {
		return "", err
	}
	head := id + "." + strconv.FormatInt(at.Unix(), 10) + "."
	return "v1," + base64.StdEncoding.EncodeToString(sum(key, []byte(head), body)), nil
}

// Signer signs a body that is written to it: what Sign and SignStandard return of the whole.
type Signer struct{ plain, standard hash.Hash }

// NewSigner returns a Signer with a secret, for the event of an id that is sent at a time. An error is ErrSecret.
func NewSigner(secret, id string, at time.Time) (*Signer, error) {
	key, err := standardKey(secret)
	if err != nil {
		return nil, err
	}
	s := &Signer{plain: hmac.New(sha256.New, []byte(secret)), standard: hmac.New(sha256.New, key)}
	_, _ = io.WriteString(s.standard, id+"."+strconv.FormatInt(at.Unix(), 10)+".") // it never fails
	return s, nil
}

// Write takes a part of the body. It never fails.
func (s *Signer) Write(p []byte) (int, error) {
	_, _ = s.plain.Write(p)
	return s.standard.Write(p)
}

// Signature is X-Signature of what was written.
func (s *Signer) Signature() string { return hex.EncodeToString(s.plain.Sum(nil)) }

// Standard is the entry of webhook-signature of what was written.
func (s *Signer) Standard() string {
	return "v1," + base64.StdEncoding.EncodeToString(s.standard.Sum(nil))
}

// Verify checks the Standard Webhooks headers of a callback against its raw body and returns the reason when they do not match.
// now is the receiver's clock.
func Verify(secret string, header http.Header, body []byte, now time.Time) error {
	return VerifyAny([]string{secret}, header, body, now)
}

// VerifyAny is Verify with several secrets, of which one must match: the new and the old one while a secret is replaced, or
// those of several accounts.
func VerifyAny(secrets []string, header http.Header, body []byte, now time.Time) error {
	if len(secrets) == 0 {
		return fmt.Errorf("%w: none was given", ErrSecret)
	}
	id, at, err := identify(header)
	if err != nil {
		return err
	}
	found := false
	for _, secret := range secrets {
		want, err := SignStandard(secret, id, at, body)
		if err != nil {
			return err
		}
		for one := range strings.FieldsSeq(header.Get(HeaderWebhookSignature)) {
			found = hmac.Equal([]byte(one), []byte(want)) || found
		}
	}
	if away := now.Sub(at).Abs(); away > Tolerance {
		return fmt.Errorf("%w: %s", ErrTimestamp, away.Round(time.Second))
	}
	if !found {
		return ErrSignature
	}
	return nil
}

// identify reads the id and the timestamp, which are signed with the body. An error names the header.
func identify(header http.Header) (id string, at time.Time, err error) {
	for _, name := range []string{HeaderWebhookID, HeaderWebhookTimestamp, HeaderWebhookSignature} {
		if header.Get(name) == "" {
			return "", time.Time{}, fmt.Errorf("%w: %s is missing", ErrHeaders, strings.ToLower(name))
		}
	}
	seconds, err := strconv.ParseInt(header.Get(HeaderWebhookTimestamp), 10, 64)
	if err != nil {
		return "", time.Time{}, fmt.Errorf("%w: webhook-timestamp is not a number of seconds", ErrHeaders)
	}
	return header.Get(HeaderWebhookID), time.Unix(seconds, 0), nil
}

// VerifySignature checks X-Signature against the raw body. One of the secrets must match. It has no timestamp: prefer Verify,
// which an event that was recorded and sent again does not pass.
func VerifySignature(secrets []string, signature string, body []byte) error {
	found := false
	for _, secret := range secrets {
		if strings.TrimPrefix(secret, SecretPrefix) == "" {
			return fmt.Errorf("%w: it is empty, so that anybody could sign with it", ErrSecret)
		}
		found = hmac.Equal([]byte(signature), []byte(Sign(secret, body))) || found
	}
	if !found {
		return ErrSignature
	}
	return nil
}

// VerifyRequest reads the body of a callback, at most MaxEventBytes, and checks it like VerifyAny by this machine's clock. It
// returns the raw body. On an error answer with 401; nothing of the body is returned then. It does not close the body: the
// server does.
func VerifyRequest(r *http.Request, secrets ...string) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, MaxEventBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read the callback: %w", err)
	}
	if len(body) > MaxEventBytes {
		return nil, fmt.Errorf("the callback is larger than %d bytes", MaxEventBytes)
	}
	if err := VerifyAny(secrets, r.Header, body, time.Now()); err != nil {
		return nil, err
	}
	return body, nil
}

func standardKey(secret string) ([]byte, error) {
	encoded, found := strings.CutPrefix(secret, SecretPrefix)
	if !found {
		return nil, ErrSecret
	}
	key, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(key) == 0 {
		return nil, ErrSecret
	}
	return key, nil
}

func sum(key []byte, parts ...[]byte) []byte {
	mac := hmac.New(sha256.New, key)
	for _, part := range parts {
		mac.Write(part)
	}
	return mac.Sum(nil)
}
