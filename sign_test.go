package savepage

import (
	"errors"
	"net/http"
	"strconv"
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
