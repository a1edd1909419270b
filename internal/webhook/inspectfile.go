package webhook

import (
	"crypto/hmac"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/savepage/savepage"
)

// InspectFile is Inspect for a callback whose body is a picture. It reads the body in place of r.Body, to its end and piece by
// piece, and returns how many bytes there were.
func InspectFile(r Received, body io.Reader) (i Inspection, size int64, err error) {
	known := i.secrets(r.Secrets)
	at, whole := i.headers(r.Header, false)
	var signers []*savepage.Signer
	var writers []io.Writer
	for _, secret := range r.Secrets {
		if signer, err := savepage.NewSigner(secret, r.Header.Get(savepage.HeaderWebhookID), at); err == nil { // else secrets says so
			signers, writers = append(signers, signer), append(writers, signer)
		}
	}
	if size, err = io.Copy(io.MultiWriter(writers...), body); err != nil {
		return i, size, fmt.Errorf("read the callback: %w", err)
	}
	if !known || !whole {
		return i, size, nil
	}
	given := r.Header.Get(savepage.HeaderSignature)
	if slices.ContainsFunc(signers, func(s *savepage.Signer) bool { return hmac.Equal([]byte(given), []byte(s.Signature())) }) {
		i.say(true, "x-signature", "matches.")
	} else {
		i.say(false, "x-signature", "does not match.")
	}
	i.Verified = i.age(at, r.Now)
	matched := -1
	for n, signer := range signers {
		if matched < 0 && signedBy(r.Header, signer) {
			matched = n
		}
	}
	if matched < 0 {
		i.Verified = false
		i.say(false, "webhook-signature", "does not match: the secret is wrong, or the file, the id or the timestamp was changed.")
		return i, size, nil
	}
	i.say(true, "webhook-signature", "matches%s.", which(matched, r.Secrets))
	return i, size, nil
}

// signedBy reports whether one of the signatures is that of a signer.
func signedBy(header http.Header, s *savepage.Signer) (is bool) {
	want := []byte(s.Standard())
	for one := range strings.FieldsSeq(header.Get(savepage.HeaderWebhookSignature)) {
		is = hmac.Equal([]byte(one), want) || is
	}
	return is
}
