package webhook

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	standard "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"go.uber.org/goleak"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/clock"
	"github.com/savepage/savepage/internal/guard"
)

const secret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// names gives every name the public address 93.184.215.14, but for those it lists.
type names map[string]string

func (n names) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	switch addr, known := n[host]; {
	case !known:
		return []netip.Addr{netip.MustParseAddr("93.184.215.14")}, nil
	case addr == "":
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	default:
		return []netip.Addr{netip.MustParseAddr(addr)}, nil
	}
}

// rig sends to a receiver of the test that stands at a public address.
type rig struct {
	*Sender
	mu     sync.Mutex
	dialed []string
	log    bytes.Buffer
}

func newRig(t *testing.T, cfg Config, allow, receiver string, known names) *rig {
	t.Helper()
	rules, err := guard.ParseAllow(allow)
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{}
	policy := guard.New(guard.Config{Allow: rules, Resolver: known,
		Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			r.mu.Lock()
			r.dialed = append(r.dialed, address)
			r.mu.Unlock()
			var d net.Dialer
			return d.DialContext(ctx, network, receiver)
		}})
	r.Sender = New(cfg, policy, slog.New(slog.NewTextHandler(&r.log, nil)))
	t.Cleanup(r.Close)
	return r
}

// Deliver is the sender's, with secrets as they come.
func (r *rig) Deliver(ctx context.Context, d savepage.Delivery, secrets ...string) savepage.Verdict {
	return r.Sender.Deliver(ctx, d, secrets)
}

func (r *rig) dials() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.dialed)
}

// handled is a rig whose receiver is a handler.
func handled(t *testing.T, cfg Config, handler http.HandlerFunc) *rig {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return newRig(t, cfg, "", server.Listener.Addr().String(), nil)
}

// answering is a rig whose receiver writes raw bytes after it has read something, and then waits for the end.
func answering(t *testing.T, cfg Config, serve func(net.Conn)) *rig {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var work sync.WaitGroup
	work.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			work.Go(func() {
				defer conn.Close()
				_, _ = conn.Read(make([]byte, 4096))
				serve(conn)
			})
		}
	})
	t.Cleanup(func() {
		listener.Close()
		work.Wait()
	})
	return newRig(t, cfg, "", listener.Addr().String(), nil)
}

func event() savepage.Delivery {
	return savepage.Delivery{
		ID: "msg_01", CaptureID: "cap_01", URL: "http://receiver.test/hook?token=hidden#x",
		Body: []byte(`{"capture_id":"cap_01", "status":"success"}`),
	}
}

func TestDelivered(t *testing.T) {
	var got *http.Request
	var body []byte
	r := handled(t, Config{}, func(w http.ResponseWriter, req *http.Request) {
		got = req
		body, _ = io.ReadAll(req.Body)
		_, _ = io.WriteString(w, "OK")
	})
	d := event()
	v := r.Deliver(t.Context(), d, secret)
	a := v.Attempt
	if v.State != savepage.Delivered || a.Outcome != savepage.AttemptDelivered || a.Status != 200 || a.Number != 1 || a.Answer != "OK" ||
		a.Error != "" || a.At.IsZero() {
		t.Fatalf("%+v", v)
	}
	if !bytes.Equal(body, d.Body) || got.Method != http.MethodPost || got.Host != "receiver.test" || got.RequestURI != "/hook?token=hidden" {
		t.Errorf("%s %s to %s: %s", got.Method, got.RequestURI, got.Host, body)
	}
	for name, want := range map[string]string{"Content-Type": "application/json", "User-Agent": "SavePage-Webhook/1", "Webhook-Id": "msg_01"} {
		if got.Header.Get(name) != want {
			t.Errorf("%s: %q", name, got.Header.Get(name))
		}
	}
	for _, name := range []string{"Accept-Encoding", "Idempotency-Key", "Expect"} {
		if _, sent := got.Header[name]; sent || len(got.TransferEncoding) > 0 {
			t.Errorf("sent %s", name)
		}
	}
}

// J09, J10: both signatures hold for the bytes that were received, and for no others.
func TestSignatures(t *testing.T) {
	var header http.Header
	var body []byte
	r := handled(t, Config{}, func(_ http.ResponseWriter, req *http.Request) {
		header = req.Header
		body, _ = io.ReadAll(req.Body)
	})
	r.Deliver(t.Context(), event(), secret)
	mac := hmac.New(sha256.New, []byte(secret)) // hmac.new(secret.encode(), payload, sha256).hexdigest()
	mac.Write(body)
	if want := hex.EncodeToString(mac.Sum(nil)); header.Get("X-Signature") != want {
		t.Errorf("X-Signature: %s, want %s", header.Get("X-Signature"), want)
	}
	verifier, err := standard.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	if err := verifier.Verify(body, header); err != nil {
		t.Error(err)
	}
	if err := savepage.Verify(secret, header, body, time.Now()); err != nil {
		t.Error(err)
	}
	if verifier.Verify(append(body, ' '), header) == nil {
		t.Error("a changed body verifies")
	}
}

// While secrets are rotated, who has the old one and who has the new one both verify.
func TestOldAndNewSecretSign(t *testing.T) {
	var header http.Header
	var body []byte
	r := handled(t, Config{}, func(_ http.ResponseWriter, req *http.Request) {
		header = req.Header
		body, _ = io.ReadAll(req.Body)
	})
	const old, other = "whsec_b2xkb2xkb2xkb2xkb2xkb2xkb2xkb2xk", "whsec_b3RoZXJvdGhlcm90aGVyb3RoZXJvdGhl"
	if v := r.Deliver(t.Context(), event(), secret, old); v.State != savepage.Delivered {
		t.Fatalf("%+v", v)
	}
	for _, one := range []string{secret, old, other} {
		verifier, err := standard.NewWebhook(one)
		if err != nil {
			t.Fatal(err)
		}
		if err := verifier.Verify(body, header); (err == nil) != (one != other) {
			t.Errorf("%s: %v", one, err)
		}
	}
	if header.Get("X-Signature") != savepage.Sign(secret, body) || len(header["Webhook-Signature"]) != 1 {
		t.Errorf("%v", header)
	}
	if v := r.Deliver(t.Context(), event()); v.State != savepage.Pending || v.Attempt.Outcome != savepage.AttemptRefused {
		t.Errorf("without a secret: %+v", v)
	}
}

// What the request gave for the callback is sent, never in place of what is ours, and never logged.
func TestOwnHeaders(t *testing.T) {
	var header http.Header
	r := handled(t, Config{}, func(_ http.ResponseWriter, req *http.Request) { header = req.Header })
	d := event()
	d.Headers = savepage.Headers{
		"Authorization": "Bearer of-the-receiver", "x-tenant": "7", "User-Agent": "other", "Content-Type": "text/plain",
		"X-Signature": "forged", "Webhook-Id": "forged",
	}
	if v := r.Deliver(t.Context(), d, secret); v.State != savepage.Delivered {
		t.Fatalf("%+v", v)
	}
	for name, want := range map[string]string{
		"Authorization": "Bearer of-the-receiver", "X-Tenant": "7", "User-Agent": "SavePage-Webhook/1", "Content-Type": "application/json",
		"X-Signature": savepage.Sign(secret, d.Body), "Webhook-Id": "msg_01",
	} {
		if got := header[name]; !slices.Equal(got, []string{want}) {
			t.Errorf("%s: %q", name, got)
		}
	}
	if strings.Contains(r.log.String(), "of-the-receiver") {
		t.Error(r.log.String())
	}
}

// J12: an attempt keeps the id and has a time of its own.
func TestEachAttemptHasItsTime(t *testing.T) {
	var headers []http.Header
	now := clock.Manual(time.Unix(1_700_000_000, 0))
	r := handled(t, Config{Clock: now}, func(w http.ResponseWriter, req *http.Request) {
		headers = append(headers, req.Header)
		w.WriteHeader(http.StatusInternalServerError)
	})
	d := event()
	for range 2 {
		v := r.Deliver(t.Context(), d, secret)
		d.Attempts = append(d.Attempts, v.Attempt)
		now.Advance(time.Minute)
	}
	if headers[0].Get("Webhook-Id") != headers[1].Get("Webhook-Id") || headers[0].Get("Webhook-Timestamp") != "1700000000" ||
		headers[1].Get("Webhook-Timestamp") != "1700000060" {
		t.Errorf("%v", headers)
	}
}

// A receiver that answers 500 three times, and then 200.
func TestTriesAgain(t *testing.T) {
	calls := 0
	now := clock.Manual(time.Unix(1_700_000_000, 0))
	cfg := Config{Clock: now, Random: func() float64 { return 0.5 }}
	r := handled(t, cfg, func(w http.ResponseWriter, _ *http.Request) {
		if calls++; calls <= 3 {
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = io.WriteString(w, "not now")
		}
	})
	d := event()
	for n, wait := range []time.Duration{5 * time.Second, 15 * time.Second, 45 * time.Second} {
		v := r.Deliver(t.Context(), d, secret)
		a := v.Attempt
		if v.State != savepage.Pending || !v.NextAt.Equal(now.Now().Add(wait)) || a.Number != n+1 || a.Outcome != savepage.AttemptStatus ||
			a.Status != 500 || a.Answer != "not now" || !strings.Contains(a.Error, "500 Internal Server Error") {
			t.Fatalf("%d: %+v", n, v)
		}
		d.Attempts = append(d.Attempts, a)
		now.Advance(wait)
	}
	if v := r.Deliver(t.Context(), d, secret); v.State != savepage.Delivered || v.Attempt.Number != 4 || !v.NextAt.IsZero() {
		t.Errorf("%+v", v)
	}
	if r.dials() != 1 {
		t.Errorf("%d connections for four attempts", r.dials())
	}
}

func TestStatusDecides(t *testing.T) {
	for status, want := range map[int]savepage.DeliveryState{
		200: savepage.Delivered, 202: savepage.Delivered, 204: savepage.Delivered, 299: savepage.Delivered,
		300: savepage.Pending, 304: savepage.Pending, 400: savepage.Pending, 404: savepage.Pending, 410: savepage.Dead, 429: savepage.Pending,
		500: savepage.Pending, 503: savepage.Pending,
	} {
		r := handled(t, Config{}, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
		v := r.Deliver(t.Context(), event(), secret)
		if v.State != want || v.Attempt.Status != status || (want == savepage.Delivered) != (v.Attempt.Error == "") {
			t.Errorf("%d: %+v", status, v)
		}
	}
}

// J03: a redirect is a failure, wherever it leads.
func TestRedirectIsNotFollowed(t *testing.T) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		hits := 0
		r := handled(t, Config{}, func(w http.ResponseWriter, req *http.Request) {
			hits++
			w.Header().Set("Location", "http://127.0.0.1:9001/private")
			w.WriteHeader(status)
		})
		v := r.Deliver(t.Context(), event(), secret)
		if hits != 1 || r.dials() != 1 || v.State != savepage.Pending || v.Attempt.Outcome != savepage.AttemptStatus ||
			!strings.Contains(v.Attempt.Error, "not followed") {
			t.Errorf("%d: %d requests, %+v", status, hits, v)
		}
	}
}

// J01, J02: an address that is refused is never dialled and never tried again.
func TestBlockedIsNeverDialled(t *testing.T) {
	known := names{"inside.test": "10.0.0.1", "metadata.test": "169.254.169.254"}
	for _, url := range []string{
		"http://inside.test/", "https://metadata.test/", "http://127.0.0.1/", "https://[::1]/", "http://localhost:3000/", "http://10.0.0.1/",
		"file:///etc/passwd", "http://u:p@receiver.test/", "http://receiver.test:22/", "not a url", "",
	} {
		r := newRig(t, Config{}, "", "127.0.0.1:1", known)
		d := event()
		d.URL = url
		v := r.Deliver(t.Context(), d, secret)
		if v.State != savepage.Dead || v.Attempt.Outcome != savepage.AttemptBlocked || v.Attempt.Error == "" || !v.NextAt.IsZero() ||
			r.dials() != 0 {
			t.Errorf("%q: %+v, %d dials", url, v, r.dials())
		}
		if strings.Contains(url, ".test/") && strings.Contains(v.Attempt.Error, "10.0.0.1") {
			t.Errorf("the client gets %q", v.Attempt.Error)
		}
	}
}

func TestFailures(t *testing.T) {
	short := Config{Timeout: time.Second}
	cases := map[string]struct {
		rig     *rig
		url     string
		outcome savepage.AttemptOutcome
		says    string
	}{
		"hangs":        {answering(t, short, wait), "http://receiver.test/", savepage.AttemptTimeout, "did not answer within 1s"},
		"hangs in TLS": {answering(t, short, wait), "https://receiver.test/", savepage.AttemptTimeout, "within 1s"},
		"reset":        {answering(t, Config{}, reset), "http://receiver.test/", savepage.AttemptRefused, "broke the connection"},
		"closed":       {answering(t, Config{}, func(net.Conn) {}), "http://receiver.test/", savepage.AttemptRefused, "closed the connection"},
		"no HTTP":      {answering(t, Config{}, say("SSH-2.0-x\r\n")), "http://receiver.test/", savepage.AttemptRefused, "HTTP"},
		"large head": {answering(t, Config{}, say("HTTP/1.1 200 OK\r\nX: "+strings.Repeat("x", 17<<10)+"\r\n\r\n")), "http://receiver.test/",
			savepage.AttemptRefused, "HTTP"},
		"no listener": {newRig(t, Config{}, "", "127.0.0.1:1", nil), "http://receiver.test/", savepage.AttemptRefused, "refused the connection"},
		"no such name": {newRig(t, Config{}, "", "127.0.0.1:1", names{"missing.test": ""}), "http://missing.test/", savepage.AttemptResolve,
			"missing.test has no address"},
		"plain for TLS": {
			answering(t, Config{}, say("HTTP/1.1 400 Bad Request\r\n\r\n")), "https://receiver.test/", savepage.AttemptTLS, "TLS handshake",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			d := event()
			d.URL = c.url
			v := c.rig.Deliver(t.Context(), d, secret)
			if v.State != savepage.Pending || v.Attempt.Outcome != c.outcome || v.Attempt.Status != 0 || !strings.Contains(v.Attempt.Error, c.says) {
				t.Errorf("%+v", v)
			}
		})
	}
}

func wait(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }

func reset(conn net.Conn) { _ = conn.(*net.TCPConn).SetLinger(0) }

func say(text string) func(net.Conn) {
	return func(conn net.Conn) {
		_, _ = io.WriteString(conn, text)
		wait(conn)
	}
}

// J04: a certificate that is not trusted, is for another name, or TLS 1.1.
func TestCertificates(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_,
			_ = io.WriteString(w, "secured")
	}))
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.StartTLS()
	defer server.Close()
	old := httptest.NewUnstartedServer(http.NotFoundHandler())
	old.Config.ErrorLog = server.Config.ErrorLog
	old.TLS = &tls.Config{MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}
	old.StartTLS()
	defer old.Close()
	d := event()
	for name, c := range map[string]struct{ receiver, url string }{
		"self-signed": {server.Listener.Addr().String(), "https://example.com/"},
		"other name":  {server.Listener.Addr().String(), "https://receiver.test/"},
		"old TLS":     {old.Listener.Addr().String(), "https://example.com/"},
	} {
		r := newRig(t, Config{}, "", c.receiver, nil)
		if name != "self-signed" {
			trust(r, server, old)
		}
		d.URL = c.url
		v := r.Deliver(t.Context(), d, secret)
		if v.Attempt.Outcome != savepage.AttemptTLS || v.State != savepage.Pending || !strings.Contains(v.Attempt.Error, "TLS handshake failed") {
			t.Errorf("%s: %+v", name, v)
		}
	}
	r := newRig(t, Config{}, "", server.Listener.Addr().String(), nil)
	trust(r, server)
	d.URL = "https://example.com/"
	if v := r.Deliver(t.Context(), d, secret); v.State != savepage.Delivered || v.Attempt.Answer != "secured" {
		t.Errorf("trusted: %+v", v)
	}
}

// trust makes a sender take the certificates of servers of the test.
func trust(r *rig, servers ...*httptest.Server) {
	pool := x509.NewCertPool()
	for _, server := range servers {
		pool.AddCert(server.Certificate())
	}
	r.tls.RootCAs = pool
}

// J06: the status ends the delivery; a body that drips does not hold it beyond the timeout.
func TestDrippingBody(t *testing.T) {
	const whole = 1000
	r := answering(t, Config{Timeout: 2 * time.Second}, func(conn net.Conn) {
		_, _ = fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", whole)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for range tick.C {
			if _, err := io.WriteString(conn, "."); err != nil {
				return
			}
		}
	})
	v := r.Deliver(t.Context(), event(), secret)
	if v.State != savepage.Delivered || v.Attempt.LatencyMS < 1500 || !strings.HasPrefix(v.Attempt.Answer, "...") ||
		len(v.Attempt.Answer) == whole {
		t.Errorf("%+v", v)
	}
}

// J07: a body without an end, and one that would unfold to gigabytes.
func TestHugeBodies(t *testing.T) {
	var written int
	endless := handled(t, Config{Timeout: time.Hour}, func(w http.ResponseWriter, _ *http.Request) {
		block := bytes.Repeat([]byte("x"), 32<<10)
		for {
			n, err := w.Write(block)
			if written += n; err != nil {
				return
			}
		}
	})
	v := endless.Deliver(t.Context(), event(), secret)
	if v.State != savepage.Delivered || v.Attempt.Answer != strings.Repeat("x", 1024) {
		t.Errorf("endless: %+v", v)
	}
	var bomb bytes.Buffer
	zip := gzip.NewWriter(&bomb)
	_, _ = zip.Write(make([]byte, 4<<20))
	zip.Close()
	zipped := handled(t, Config{}, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(bomb.Bytes())
	})
	v = zipped.Deliver(t.Context(), event(), secret)
	if v.State != savepage.Delivered || len(v.Attempt.Answer) > 1024 || !utf8.ValidString(v.Attempt.Answer) ||
		strings.Contains(v.Attempt.Answer, "\x00") {
		t.Errorf("bomb: %+v", v)
	}
}

func TestAnswerIsValidText(t *testing.T) {
	for body, want := range map[string]string{
		"plain":                              "plain",
		"":                                   "",
		"a\xffb\x00c":                        "a?b?c",
		strings.Repeat("x", 1023) + "ä tail": strings.Repeat("x", 1023),
		strings.Repeat("x", 1022) + "ä tail": strings.Repeat("x", 1022) + "ä",
		"short ä":                            "short ä",
		"short \xc3":                         "short ?",
	} {
		if got := readAnswer(strings.NewReader(body)); got != want {
			t.Errorf("%.20q: %q", body, got[max(0, len(got)-8):])
		}
	}
}

// J23: what an address behind a rule answers is not kept; loopback counts.
func TestPrivateAnswersAreNotKept(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = io.WriteString(w, "internal")
	}))
	defer server.Close()
	secured := httptest.NewTLSServer(server.Config.Handler)
	defer secured.Close()
	known := names{"inside.test": "10.0.0.1"}
	for _, url := range []string{"http://127.0.0.1:3000/", "http://localhost:3000/", "http://inside.test/", "https://10.0.0.1/"} {
		r := newRig(t, Config{}, "127.0.0.0/8,10.0.0.0/8", server.Listener.Addr().String(), known)
		if strings.HasPrefix(url, "https") {
			r = newRig(t, Config{}, "10.0.0.0/8", secured.Listener.Addr().String(), known)
			r.tls.InsecureSkipVerify = true
		}
		d := event()
		d.URL = url
		for range 2 { // the second attempt uses the connection again
			if v := r.Deliver(t.Context(), d, secret); v.Attempt.Status != 500 || v.Attempt.Answer != "" {
				t.Errorf("%s: %+v", url, v)
			}
		}
	}
}

// A connection that the receiver closed while it was idle costs no attempt.
func TestClosedIdleConnection(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	r := newRig(t, Config{}, "", server.Listener.Addr().String(), nil)
	for range 20 {
		if v := r.Deliver(t.Context(), event(), secret); v.State != savepage.Delivered {
			t.Fatalf("%+v", v)
		}
		server.CloseClientConnections()
	}
}

func TestFourConnectionsPerReceiver(t *testing.T) {
	var mu sync.Mutex
	open, most := 0, 0
	release := make(chan struct{})
	full := make(chan struct{})
	fill := sync.OnceFunc(func() { close(full) })
	r := handled(t, Config{}, func(http.ResponseWriter, *http.Request) {
		mu.Lock()
		if open++; open > most {
			most = open
		}
		if open == 4 {
			fill()
		}
		mu.Unlock()
		<-release
		mu.Lock()
		open--
		mu.Unlock()
	})
	var work sync.WaitGroup
	for range 12 {
		work.Go(func() {
			if v := r.Deliver(t.Context(), event(), secret); v.State != savepage.Delivered {
				t.Errorf("%+v", v)
			}
		})
	}
	<-full
	for range 12 {
		release <- struct{}{}
	}
	work.Wait()
	if most != 4 || r.dials() > 12 {
		t.Errorf("%d at once, %d connections", most, r.dials())
	}
}

// The service stops: the receiver is not to blame.
func TestStopDuringAnAttempt(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	r := answering(t, Config{}, func(conn net.Conn) {
		cancel()
		wait(conn)
	})
	d := event()
	d.Attempts = make([]savepage.Attempt, 12)
	v := r.Deliver(ctx, d, secret)
	if v.State != savepage.Pending || v.NextAt.After(time.Now()) {
		t.Errorf("%+v", v)
	}
}

func TestBrokenSecret(t *testing.T) {
	r := newRig(t, Config{}, "", "127.0.0.1:1", nil)
	v := r.Deliver(t.Context(), event(), "nonsense")
	if v.State != savepage.Pending || r.dials() != 0 || strings.Contains(v.Attempt.Error, "nonsense") ||
		!strings.Contains(v.Attempt.Error, "Not sent") {
		t.Errorf("%+v", v)
	}
}

// J24: one line an attempt, without secrets.
func TestLog(t *testing.T) {
	r := handled(t, Config{}, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	r.Deliver(t.Context(), event(), secret)
	line := r.log.String()
	for _, want := range []string{"delivery=msg_01", "capture=cap_01", "attempt=1", "outcome=status", "status=502", "latency_ms=",
		"url=http://receiver.test/hook", "state=pending"} {
		if !strings.Contains(line, want) {
			t.Errorf("%s is missing in %s", want, line)
		}
	}
	for _, hidden := range []string{"hidden", "token", secret, secret[6:], savepage.Sign(secret, event().Body), "#x"} {
		if strings.Contains(line, hidden) {
			t.Errorf("%s is in %s", hidden, line)
		}
	}
	if strings.Count(line, "\n") != 1 {
		t.Errorf("more than one line: %s", line)
	}
	d := event()
	d.URL = "http://user:hidden@receiver.test/%zz?token=hidden"
	r.log.Reset()
	r.Deliver(t.Context(), d, secret)
	d.URL = "http://user:hidden@receiver.test/"
	r.Deliver(t.Context(), d, secret)
	if strings.Contains(r.log.String(), "hidden") {
		t.Error(r.log.String())
	}
}
