package webhook

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/savepage/savepage"
)

func TestTryTellsWhatWasSaidAndSent(t *testing.T) {
	r := handled(t, Config{}, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, "wrong signature"+strings.Repeat(".", 5000))
	})
	d := event()
	d.Headers = savepage.Headers{"authorization": "Bearer of-the-receiver"}
	got, err := r.Try(t.Context(), d, []string{secret, "whsec_b2xkb2xkb2xkb2xkb2xkb2xkb2xkb2xk"})
	if err != nil {
		t.Fatal(err)
	}
	if got.Outcome != savepage.AttemptStatus || got.Status != 401 || len(got.Answer) != 1024 ||
		!strings.HasPrefix(got.Answer, "wrong signature") || got.Sent.Body != string(d.Body) {
		t.Errorf("%+v", got)
	}
	header := http.Header{}
	for name, value := range got.Sent.Headers {
		header.Set(name, value)
	}
	if err := savepage.Verify(secret, header, []byte(got.Sent.Body), time.Now()); err != nil {
		t.Error(err)
	}
	if header.Get("Authorization") != dots || header.Get("X-Signature") != savepage.Sign(secret, d.Body) ||
		header.Get("Idempotency-Key") != "" {
		t.Errorf("%v", header)
	}
	if said := strings.Join(got.Hints, "\n"); !strings.Contains(said, "raw body") || !strings.Contains(said, "2 entries") {
		t.Error(said)
	}
	if line := r.log.String(); !strings.Contains(line, "webhook test") || strings.Contains(line, "of-the-receiver") ||
		strings.Contains(line, "hidden") {
		t.Error(line)
	}
}

func TestTryRefusesAtOnce(t *testing.T) {
	for url, want := range map[string]savepage.Code{
		"http://127.0.0.1/": savepage.CodeAddressBlocked, "http://[::1]:3000/": savepage.CodeAddressBlocked,
		"file:///etc/passwd": savepage.CodeInvalidRequest, "": savepage.CodeInvalidRequest,
		"http://u:p@receiver.test/": savepage.CodeInvalidRequest,
	} {
		r := newRig(t, Config{}, "", "127.0.0.1:1", nil)
		d := event()
		d.URL = url
		_, err := r.Try(t.Context(), d, []string{secret})
		if fault, is := errors.AsType[*savepage.Error](err); !is || fault.Code != want || r.dials() != 0 {
			t.Errorf("%q: %v, %d dials", url, err, r.dials())
		}
	}
}

// A name that leads inside is blocked when it is dialled, and that is an outcome.
func TestTryOutcomes(t *testing.T) {
	for name, c := range map[string]struct {
		rig  *rig
		url  string
		want savepage.AttemptOutcome
		hint string
	}{
		"blocked": {newRig(t, Config{}, "", "127.0.0.1:1", names{"inside.test": "10.0.0.1"}), "http://inside.test/", savepage.AttemptBlocked,
			"SAVEPAGE_EGRESS_ALLOW"},
		"refused": {newRig(t, Config{}, "", "127.0.0.1:1", nil), "http://receiver.test/", savepage.AttemptRefused, "listen"},
		"no name": {newRig(t, Config{}, "", "127.0.0.1:1", names{"missing.test": ""}), "http://missing.test/", savepage.AttemptResolve,
			"resolve"},
		"redirect": {handled(t, Config{}, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusPermanentRedirect) }),
			"http://receiver.test/", savepage.AttemptStatus, "not followed"},
		"not found": {handled(t, Config{}, http.NotFound), "http://receiver.test/", savepage.AttemptStatus, "POST"},
		"gone": {handled(t, Config{}, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusGone) }),
			"http://receiver.test/", savepage.AttemptStatus, "410"},
		"error": {handled(t, Config{}, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }),
			"http://receiver.test/", savepage.AttemptStatus, "internal error"},
		"teapot": {handled(t, Config{}, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }),
			"http://receiver.test/", savepage.AttemptStatus, "2xx"},
		"taken": {handled(t, Config{}, func(http.ResponseWriter, *http.Request) {}), "http://receiver.test/", savepage.AttemptDelivered,
			"wrong signature"},
		"timeout": {answering(t, Config{Timeout: time.Second}, wait), "http://receiver.test/", savepage.AttemptTimeout, "Answer first"},
		"TLS": {answering(t, Config{}, say("HTTP/1.1 400 Bad Request\r\n\r\n")), "https://receiver.test/", savepage.AttemptTLS,
			"certificate"},
	} {
		t.Run(name, func(t *testing.T) {
			d := event()
			d.URL = c.url
			got, err := c.rig.Try(t.Context(), d, []string{secret})
			if err != nil || got.Outcome != c.want || !strings.Contains(strings.Join(got.Hints, "\n"), c.hint) ||
				(got.Error == "") != (c.want == savepage.AttemptDelivered) {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
}
