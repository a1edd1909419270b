package savepage

import (
	"bytes"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// The vector stands in the Standard Webhooks documentation.
func TestSignStandardAgreesWithThePublishedVector(t *testing.T) {
	got, err := SignStandard(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`))
	if want := "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; err != nil || got != want {
		t.Errorf("got %q, %v", got, err)
	}
}

// The expected value is python3's hmac.new(secret.encode(), payload, sha256).hexdigest().
func TestSignAgreesWithTheDocumentedVerifier(t *testing.T) {
	want := "11515c78185d4a04d2abe8240f4aa3419b03f6ffeb3fffc68a455edc9e9460e5"
	if got := Sign("whsec_x", []byte(`{"a":1}`)); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestVerifySaysWhatIsWrong(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	body := []byte(`{"status":"success"}`)
	signature, err := SignStandard(secret, "msg_1", now, body)
	if err != nil {
		t.Fatal(err)
	}
	right := func() http.Header {
		h := http.Header{}
		h.Set(HeaderWebhookID, "msg_1")
		h.Set(HeaderWebhookTimestamp, strconv.FormatInt(now.Unix(), 10))
		h.Set(HeaderWebhookSignature, "v1,b3RoZXI= "+signature)
		return h
	}
	cases := map[string]struct {
		secret string
		change func(h http.Header)
		body   string
		later  time.Duration
		want   error
	}{
		"right":         {secret, func(http.Header) {}, string(body), time.Minute, nil},
		"changed body":  {secret, func(http.Header) {}, `{"status":"success" }`, 0, ErrSignature},
		"other secret":  {"whsec_b3RoZXI=", func(http.Header) {}, string(body), 0, ErrSignature},
		"no secret":     {"other", func(http.Header) {}, string(body), 0, ErrSecret},
		"old":           {secret, func(http.Header) {}, string(body), 6 * time.Minute, ErrTimestamp},
		"future":        {secret, func(http.Header) {}, string(body), -6 * time.Minute, ErrTimestamp},
		"no id":         {secret, func(h http.Header) { h.Del(HeaderWebhookID) }, string(body), 0, ErrHeaders},
		"bad timestamp": {secret, func(h http.Header) { h.Set(HeaderWebhookTimestamp, "soon") }, string(body), 0, ErrHeaders},
		"other id":      {secret, func(h http.Header) { h.Set(HeaderWebhookID, "msg_2") }, string(body), 0, ErrSignature},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			header := right()
			c.change(header)
			if err := Verify(c.secret, header, []byte(c.body), now.Add(c.later)); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

func TestVerifySeveralSecrets(t *testing.T) {
	now, body := time.Now(), []byte(`{"status":"success"}`)
	const old = "whsec_b2xkb2xkb2xkb2xkb2xkb2xkb2xkb2xk"
	newest, _ := SignStandard(secret, "msg_1", now, body)
	older, _ := SignStandard(old, "msg_1", now, body)
	header := http.Header{}
	header.Set(HeaderWebhookID, "msg_1")
	header.Set(HeaderWebhookTimestamp, strconv.FormatInt(now.Unix(), 10))
	for name, c := range map[string]struct {
		secrets []string
		sent    string
		want    error
	}{
		"the new one of two":    {[]string{secret}, newest + " " + older, nil},
		"the old one of two":    {[]string{old}, newest + " " + older, nil},
		"two for one":           {[]string{secret, old}, older, nil},
		"another version first": {[]string{old}, "v1a,AAAA " + older, nil},
		"none matches":          {[]string{secret}, older, ErrSignature},
		"none given":            {nil, older, ErrSecret},
		"a broken one":          {[]string{old, "nonsense"}, older, ErrSecret},
	} {
		header.Set(HeaderWebhookSignature, c.sent)
		if err := VerifyAny(c.secrets, header, body, now); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
		r, _ := http.NewRequest(http.MethodPost, "http://hook.test/", bytes.NewReader(body))
		r.Header = header
		got, err := VerifyRequest(r, c.secrets...)
		if !errors.Is(err, c.want) || (err == nil) != bytes.Equal(got, body) {
			t.Errorf("%s: request %q, %v", name, got, err)
		}
	}
	if err := VerifySignature([]string{"other", secret}, Sign(secret, body), body); err != nil {
		t.Error(err)
	}
	for _, wrong := range []string{"", Sign(secret, body) + " ", strings.ToUpper(Sign(secret, body)), Sign("other", body)} {
		if err := VerifySignature([]string{secret}, wrong, body); !errors.Is(err, ErrSignature) {
			t.Errorf("%q: %v", wrong, err)
		}
	}
}

func TestVerifyRequestBoundsTheBody(t *testing.T) {
	r, _ := http.NewRequest(http.MethodPost, "http://hook.test/", bytes.NewReader(make([]byte, MaxEventBytes+1)))
	if _, err := VerifyRequest(r, secret); err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Error(err)
	}
}

func TestVerifyNamesTheHeader(t *testing.T) {
	whole := http.Header{"Webhook-Id": {"msg_1"}, "Webhook-Timestamp": {"1700000000"}, "Webhook-Signature": {"v1,x"}}
	for _, name := range []string{HeaderWebhookID, HeaderWebhookTimestamp, HeaderWebhookSignature} {
		header := whole.Clone()
		header.Del(name)
		if err := Verify(secret, header, nil, time.Now()); !errors.Is(err, ErrHeaders) ||
			!strings.Contains(err.Error(), strings.ToLower(name)+" is missing") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
