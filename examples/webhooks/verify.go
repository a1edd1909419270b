// Package webhooks verifies callbacks with the standard library alone. Copy what you need, or call savepage.VerifyRequest.
package webhooks

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// VerifyWebhook checks the webhook- headers (Standard Webhooks). Give the raw body, and all secrets that are valid now.
func VerifyWebhook(secrets []string, header http.Header, body []byte, now time.Time) bool {
	id, timestamp := header.Get("webhook-id"), header.Get("webhook-timestamp")
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil || id == "" || now.Sub(time.Unix(seconds, 0)).Abs() > 5*time.Minute {
		return false
	}
	for _, secret := range secrets {
		key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
		if err != nil || len(key) == 0 { // with an empty key anybody could sign
			continue
		}
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(id + "." + timestamp + "."))
		mac.Write(body)
		want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
		for one := range strings.FieldsSeq(header.Get("webhook-signature")) {
			if hmac.Equal([]byte(one), []byte(want)) {
				return true
			}
		}
	}
	return false
}

// VerifyXSignature checks X-Signature, which has no timestamp. Prefer VerifyWebhook.
func VerifyXSignature(secrets []string, signature string, body []byte) bool {
	for _, secret := range secrets {
		if strings.TrimPrefix(secret, "whsec_") == "" { // anybody could sign with it
			continue
		}
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write(body)
		if hmac.Equal([]byte(signature), []byte(hex.EncodeToString(mac.Sum(nil)))) {
			return true
		}
	}
	return false
}
