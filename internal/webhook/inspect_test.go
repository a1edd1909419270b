package webhook

import (
	"bytes"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/savepage/savepage"
)

const oldSecret = "whsec_b2xkb2xkb2xkb2xkb2xkb2xkb2xkb2xk"

// received is an event that was signed at a time with secrets, newest first.
func received(t *testing.T, at time.Time, secrets ...string) Received {
	t.Helper()
	d := event()
	header := http.Header{"Content-Length": {strconv.Itoa(len(d.Body))}}
	if err := sign(header, d, secrets, at, bytes.NewReader(d.Body)); err != nil {
		t.Fatal(err)
	}
	return Received{Header: header, Body: d.Body, Secrets: []string{secret}, Now: at}
}

func TestInspect(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	cases := map[string]struct {
		change   func(r *Received)
		verified bool
		says     string // among the findings
	}{
		"right":             {func(*Received) {}, true, "+webhook-signature matches."},
		"age":               {func(r *Received) { r.Now = now.Add(4 * time.Minute) }, true, "+webhook-timestamp is 4m0s old."},
		"old":               {func(r *Received) { r.Now = now.Add(time.Hour) }, false, "-webhook-timestamp is 1h0m0s old, more than 5m0s"},
		"old, right secret": {func(r *Received) { r.Now = now.Add(time.Hour) }, false, "+webhook-signature matches."},
		"future":            {func(r *Received) { r.Now = now.Add(-time.Hour) }, false, "1h0m0s in the future"},
		"wrong secret": {func(r *Received) { r.Secrets = []string{oldSecret} }, false,
			"the secret is wrong, or the body, the id or the timestamp was changed. A signature cannot show which"},
		"several secrets": {func(r *Received) { r.Secrets = []string{oldSecret, secret} }, true,
			"+webhook-signature matches with secret 2 of 2."},
		"no whsec": {func(r *Received) { r.Secrets = []string{"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"} }, false,
			"-secret Secret 1 is not whsec_ followed by base64"},
		"no secret":       {func(r *Received) { r.Secrets = nil }, false, "-secret No secret is given"},
		"changed body":    {func(r *Received) { r.Body = []byte(`{"capture_id":"cap_02", "status":"success"}`) }, false, "cannot show which"},
		"newline":         {func(r *Received) { r.Body = append(r.Body, '\n') }, false, "the body was changed. It ends with a newline"},
		"byte order mark": {func(r *Received) { r.Body = append([]byte("\xef\xbb\xbf"), r.Body...) }, false, "byte order mark"},
		"other length":    {func(r *Received) { r.Body = r.Body[1:] }, false, "It has 42 bytes, but Content-Length is 43."},
		"changed id":      {func(r *Received) { r.Header.Set("Webhook-Id", "msg_02") }, false, "secret and body are right"},
		"changed time":    {func(r *Received) { r.Header.Set("Webhook-Timestamp", "1700000001") }, false, "secret and body are right"},
		"no id":           {func(r *Received) { r.Header.Del("Webhook-Id") }, false, "-webhook-id is missing"},
		"no time":         {func(r *Received) { r.Header.Del("Webhook-Timestamp") }, false, "-webhook-timestamp is missing"},
		"no signature":    {func(r *Received) { r.Header.Del("Webhook-Signature") }, false, "-webhook-signature is missing"},
		"no time at all":  {func(r *Received) { r.Header.Set("Webhook-Timestamp", "soon") }, false, `-webhook-timestamp is malformed: "soon"`},
		"no base64": {func(r *Received) { r.Header.Set("Webhook-Signature", "v1,nonsense!") }, false,
			"-webhook-signature is malformed: entry 1"},
		"no version": {func(r *Received) { r.Header.Set("Webhook-Signature", "abc") }, false, "-webhook-signature is malformed: entry 1"},
		"other versions": {func(r *Received) { r.Header.Set("Webhook-Signature", "v1a,AAAA "+r.Header.Get("Webhook-Signature")) }, true,
			"+webhook-signature matches."},
		"X-Signature alone": {func(r *Received) {
			r.Header.Del("Webhook-Id")
			r.Header.Del("Webhook-Timestamp")
			r.Header.Del("Webhook-Signature")
		}, true, "only X-Signature was checked"},
		"no X-Signature": {func(r *Received) { r.Header.Del("X-Signature") }, true, "-x-signature is missing."},
		"X-Signature upper": {func(r *Received) { r.Header.Set("X-Signature", strings.ToUpper(r.Header.Get("X-Signature"))) }, true,
			"-x-signature is malformed"},
		"X-Signature wrong": {func(r *Received) { r.Header.Set("X-Signature", savepage.Sign("x", nil)) }, true, "-x-signature does not match"},
		"nothing":           {func(r *Received) { r.Header = http.Header{} }, false, "-webhook-id is missing"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			r := received(t, now, secret)
			c.change(&r)
			got := Inspect(r)
			if said := findings(got); got.Verified != c.verified || !strings.Contains(said, c.says) {
				t.Errorf("verified %t\n%s", got.Verified, said)
			}
			if said := findings(got); strings.Contains(said, secret) || strings.Contains(said, "whsec_M") {
				t.Errorf("the secret is shown: %s", said)
			}
		})
	}
}

func findings(i Inspection) string {
	var said strings.Builder
	for _, f := range i.Findings {
		said.WriteString(map[bool]string{true: "+", false: "-"}[f.OK] + f.What + " " + f.Text + "\n")
	}
	return said.String()
}

// While a secret is rotated the old one verifies, though X-Signature is of the new one.
func TestInspectDuringARotation(t *testing.T) {
	now := time.Now()
	r := received(t, now, secret, oldSecret)
	r.Secrets = []string{oldSecret}
	got := Inspect(r)
	if said := findings(got); !got.Verified || !strings.Contains(said,
		"-x-signature does not match. It signs only the body, with the newest secret") || !strings.Contains(said, "+webhook-signature matches") {
		t.Error(said)
	}
}

// A body that a parser has rewritten is distinguished from another body.
func TestInspectRewrittenJSON(t *testing.T) {
	d := event()
	d.Body = []byte(`{"capture_id":"cap_01","status":"success"}`)
	now := time.Now()
	header := http.Header{}
	if err := sign(header, d, []string{secret}, now, bytes.NewReader(d.Body)); err != nil {
		t.Fatal(err)
	}
	for _, body := range []string{"{\n  \"capture_id\": \"cap_01\",\n  \"status\": \"success\"\n}",
		`{"capture_id": "cap_01", "status": "success"}`} {
		got := Inspect(Received{Header: header, Body: []byte(body), Secrets: []string{secret}, Now: now})
		if said := findings(got); got.Verified || !strings.Contains(said, "the same JSON with other white space") {
			t.Error(said)
		}
	}
}
