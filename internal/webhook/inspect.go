package webhook

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/savepage/savepage"
)

// Received is an event as a receiver has it.
type Received struct {
	Header  http.Header
	Body    []byte
	Secrets []string  // one must match
	Now     time.Time // the receiver's clock
}

// Finding is the result of one check.
type Finding struct {
	What string `json:"what"` // "webhook-signature"
	OK   bool   `json:"ok"`
	Text string `json:"text"`
}

// Inspection is the result of checking an event.
type Inspection struct {
	Verified bool      `json:"verified"`
	Findings []Finding `json:"findings"`
}

func (i *Inspection) say(ok bool, what, format string, args ...any) {
	i.Findings = append(i.Findings, Finding{What: what, OK: ok, Text: fmt.Sprintf(format, args...)})
}

// Inspect checks an event and names its faults as exactly as it can: a signature that does not match does not show whether
// the secret or the body differs, so Inspect looks for the usual changes.
func Inspect(r Received) Inspection {
	var i Inspection
	if !i.secrets(r.Secrets) {
		return i
	}
	legacy := i.legacy(r)
	at, whole := i.headers(r.Header, legacy >= 0)
	if !whole {
		i.Verified = legacy >= 0 && none(r.Header)
		return i
	}
	inTime := i.age(at, r.Now)
	matched := match(r, at)
	if matched >= 0 {
		i.say(true, "webhook-signature", "matches%s.", which(matched, r.Secrets))
	} else {
		i.mismatch(r, at, legacy)
	}
	i.Verified = inTime && matched >= 0
	return i
}

// secrets finds texts that are not secrets.
func (i *Inspection) secrets(secrets []string) bool {
	for n, secret := range secrets {
		if _, err := savepage.SignStandard(secret, "", time.Time{}, nil); err != nil {
			i.say(false, "secret", "Secret %d is not whsec_ followed by base64: copy all of it, without quotes.", n+1)
		}
	}
	if len(secrets) == 0 {
		i.say(false, "secret", "No secret is given.")
	}
	return len(i.Findings) == 0
}

// legacy checks X-Signature and returns which secret it matches, or -1.
func (i *Inspection) legacy(r Received) int {
	const name = "x-signature"
	given := r.Header.Get(savepage.HeaderSignature)
	if given == "" {
		i.say(false, name, "is missing.")
		return -1
	}
	if digest, err := hex.DecodeString(given); err != nil || len(digest) != 32 || given != strings.ToLower(given) {
		i.say(false, name, "is malformed: it must be 64 lower-case hex digits, without a prefix.")
		return -1
	}
	for n, secret := range r.Secrets {
		if savepage.VerifySignature([]string{secret}, given, r.Body) == nil {
			i.say(true, name, "matches%s.", which(n, r.Secrets))
			return n
		}
	}
	i.say(false, name, "does not match. It signs only the body, with the newest secret.")
	return -1
}

func which(n int, secrets []string) string {
	if len(secrets) == 1 {
		return ""
	}
	return fmt.Sprintf(" with secret %d of %d", n+1, len(secrets))
}

func none(header http.Header) bool {
	return header.Get(savepage.HeaderWebhookID)+header.Get(savepage.HeaderWebhookTimestamp)+header.Get(savepage.HeaderWebhookSignature) == ""
}

// headers checks that the Standard Webhooks headers are there and well formed, and returns the attempt's time.
func (i *Inspection) headers(header http.Header, legacy bool) (at time.Time, whole bool) {
	if none(header) && legacy {
		i.say(true, "webhook-id",
			"The webhook- headers are missing: only X-Signature was checked. It has no time, so it cannot detect a replayed event.")
		return at, false
	}
	whole = true
	for _, name := range []string{savepage.HeaderWebhookID, savepage.HeaderWebhookTimestamp, savepage.HeaderWebhookSignature} {
		if header.Get(name) == "" {
			i.say(false, strings.ToLower(name), "is missing: it was dropped on the way, or not saved.")
			whole = false
		}
	}
	if text := header.Get(savepage.HeaderWebhookTimestamp); text != "" {
		seconds, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			i.say(false, "webhook-timestamp", "is malformed: %.40q is not a number of seconds since 1970.", text)
			whole = false
		}
		at = time.Unix(seconds, 0)
	}
	for n, entry := range strings.Fields(header.Get(savepage.HeaderWebhookSignature)) {
		version, encoded, _ := strings.Cut(entry, ",")
		digest, err := base64.StdEncoding.DecodeString(encoded)
		if version == "v1" && (err != nil || len(digest) != 32) || encoded == "" {
			i.say(false, "webhook-signature", `is malformed: entry %d is not "v1," and the base64 of 32 bytes.`, n+1)
			whole = false
		}
	}
	return at, whole
}

// age reports whether the event is recent.
func (i *Inspection) age(at, now time.Time) bool {
	away, side := now.Sub(at).Round(time.Second), "old"
	if away < 0 {
		away, side = -away, "in the future"
	}
	if away > savepage.Tolerance {
		i.say(false, "webhook-timestamp", "is %s %s, more than %s: the event was replayed, or a clock is wrong.",
			away, side, savepage.Tolerance)
		return false
	}
	i.say(true, "webhook-timestamp", "is %s %s.", away, side)
	return true
}

// match returns which secret made one of the signatures, or -1.
func match(r Received, at time.Time) int {
	for n, secret := range r.Secrets {
		if savepage.VerifyAny([]string{secret}, r.Header, r.Body, at) == nil {
			return n
		}
	}
	return -1
}

// mismatch finds out why no signature matches.
func (i *Inspection) mismatch(r Received, at time.Time, legacy int) {
	const name = "webhook-signature"
	if legacy >= 0 {
		i.say(false, name, "does not match, but X-Signature does: secret and body are right. "+
			"webhook-id, webhook-timestamp or webhook-signature was changed.")
		return
	}
	for _, other := range otherBodies(r.Body) {
		changed := r
		changed.Body = other.body
		if match(changed, at) >= 0 {
			i.say(false, name, "does not match: the body was changed. %s", other.text)
			return
		}
	}
	if length := r.Header.Get("Content-Length"); length != "" && length != strconv.Itoa(len(r.Body)) {
		i.say(false, name, "does not match: the body was changed. It has %d bytes, but Content-Length is %.20s.", len(r.Body), length)
		return
	}
	i.say(false, name,
		"does not match: the secret is wrong, or the body, the id or the timestamp was changed. A signature cannot show which. "+
			"Use this account's secret, or the request's callback_secret, and the raw body.")
}

// otherBody is a possible original of a changed body, and the description of the change.
type otherBody struct {
	body []byte
	text string
}

// otherBodies are possible originals of a body that an editor, a shell or a parser has changed.
func otherBodies(body []byte) []otherBody {
	others := []otherBody{
		{bytes.TrimRight(body, "\r\n"), "It ends with a newline that was not sent."},
		{bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")), "It begins with a byte order mark that was not sent."},
		{bytes.TrimSpace(body), "It has white space around it that was not sent."},
	}
	var compact bytes.Buffer
	if json.Compact(&compact, body) == nil {
		others = append(others, otherBody{
			compact.Bytes(), "It is the same JSON with other white space: check the raw bytes before anything parses them.",
		})
	}
	return others
}
