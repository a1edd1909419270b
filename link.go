package savepage

import (
	"crypto/hmac"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// LinkPath is the path of signed links.
const LinkPath = "/v1/image"

// LinkIDPrefix begins the id of every link secret, and so the secret, which begins with its id.
const LinkIDPrefix = "lnk_"

// MaxLinkSecrets is how many link secrets an account may have at once.
const MaxLinkSecrets = 10

// What a link's query has beside options.
const (
	linkExpires = "exp"
	linkSig     = "&sig="
)

// LinkSecret signs the links of an account. Several may be valid at once, so that they can be replaced one by one.
type LinkSecret struct {
	ID        string    `json:"id" doc:"Id of the secret, which every link that it signs contains."`
	Secret    string    `json:"secret,omitempty" doc:"The secret. It is shown only when it is created."`
	CreatedAt time.Time `json:"created_at" doc:"When the secret was created."`
}

// Reasons why a link is refused.
var (
	ErrLinkSecret    = errors.New(`link secret is not "lnk_", 12 letters or digits, "_" and 32 letters or digits`)
	ErrLinkSignature = errors.New("the signature of the link is missing or wrong")
	ErrLinkExpired   = errors.New("the link has expired")
)

var (
	linkSecret    = regexp.MustCompile(`^(` + LinkIDPrefix + `[0-9A-Za-z]{12})_[0-9A-Za-z]{32}$`)
	linkSignature = regexp.MustCompile(`^(` + LinkIDPrefix + `[0-9A-Za-z]{12})\.([0-9a-f]{64})$`)
)

// LinkSecretID returns the id with which a link secret begins, or ErrLinkSecret.
func LinkSecretID(secret string) (string, error) {
	parts := linkSecret.FindStringSubmatch(secret)
	if parts == nil {
		return "", ErrLinkSecret
	}
	return parts[1], nil
}

// ImageLink returns a link that answers with the picture itself, for an <img> or whoever has no key. base is the URL of the
// server, options are those of a capture as a query has them, and a zero time means that the link does not expire.
func ImageLink(base, secret string, options url.Values, expires time.Time) (string, error) {
	query := options.Encode()
	if !expires.IsZero() {
		query += "&" + linkExpires + "=" + strconv.FormatInt(expires.Unix(), 10)
	}
	signed, err := SignLink(secret, strings.TrimPrefix(query, "&"))
	if err != nil {
		return "", err
	}
	return strings.TrimSuffix(base, "/") + LinkPath + "?" + signed, nil
}

// SignLink returns the query with the signature at its end: "&sig=", the id of the secret, a dot and the lower-case hex
// HMAC-SHA256 of the query as it is, keyed with the secret's own characters.
func SignLink(secret, query string) (string, error) {
	id, err := LinkSecretID(secret)
	if err != nil {
		return "", err
	}
	return query + linkSig + id + "." + hex.EncodeToString(sum([]byte(secret), []byte(query))), nil
}

// SignedLink is the query of a link, in its parts. Nothing of it is checked.
type SignedLink struct {
	Query    string // what is signed: all before the signature, as it was sent
	SecretID string
	Options  url.Values
	Expires  time.Time // zero for never
	mac      string
}

// ParseLink takes the raw query of a link apart. Without a signature at its end, or with an exp that is no number of seconds,
// the error is ErrLinkSignature.
func ParseLink(query string) (SignedLink, error) {
	at := strings.LastIndex(query, linkSig)
	if at < 0 {
		return SignedLink{}, ErrLinkSignature
	}
	parts := linkSignature.FindStringSubmatch(query[at+len(linkSig):])
	if parts == nil {
		return SignedLink{}, ErrLinkSignature
	}
	values, err := url.ParseQuery(query[:at])
	if err != nil {
		return SignedLink{}, fmt.Errorf("%w: the query is malformed", ErrLinkSignature)
	}
	link := SignedLink{Query: query[:at], SecretID: parts[1], Options: values, mac: parts[2]}
	if texts, given := values[linkExpires]; given {
		seconds, err := strconv.ParseInt(texts[0], 10, 64)
		if err != nil || seconds <= 0 || len(texts) > 1 {
			return SignedLink{}, fmt.Errorf("%w: exp must be given once, in Unix seconds", ErrLinkSignature)
		}
		link.Expires = time.Unix(seconds, 0)
	}
	values.Del(linkExpires)
	return link, nil
}

// Verify returns nil when the secret has signed the link and it has not expired.
func (l SignedLink) Verify(secret string, now time.Time) error {
	if !hmac.Equal([]byte(l.mac), []byte(hex.EncodeToString(sum([]byte(secret), []byte(l.Query))))) {
		return ErrLinkSignature
	}
	return l.Fresh(now)
}

// Fresh returns ErrLinkExpired when the link has expired.
func (l SignedLink) Fresh(now time.Time) error {
	if !l.Expires.IsZero() && !now.Before(l.Expires) {
		return ErrLinkExpired
	}
	return nil
}
