package inbox_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/clock"
	"github.com/savepage/savepage/internal/guard"
	"github.com/savepage/savepage/internal/inbox"
	"github.com/savepage/savepage/internal/webhook"
)

// Secrets of the accounts, and one of a capture.
const (
	current = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
	earlier = "whsec_YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODk="
	another = "whsec_enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6eno="
)

// book is the inboxes of a test, in memory.
type book struct {
	events []savepage.InboxEvent
	answer savepage.InboxAnswer
	err    error
}

func (b *book) Receive(_ context.Context, e savepage.InboxEvent) (savepage.InboxAnswer, error) {
	b.events = append(b.events, e)
	return b.answer, b.err
}

func (b *book) Signing(context.Context, string) ([]string, error) {
	return []string{current, earlier}, nil
}

// last is what arrived last.
func (b *book) last(t *testing.T) savepage.InboxEvent {
	t.Helper()
	if len(b.events) == 0 {
		t.Fatal("nothing has arrived")
	}
	return b.events[len(b.events)-1]
}

// nameless is a network that knows no name and that nothing may be sent to.
type nameless struct{ t *testing.T }

func (n nameless) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	n.t.Errorf("%s was looked up", host)
	return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
}

// sender sends to the inboxes of a book. It opens one picture.
func sender(t *testing.T, b *book, cfg webhook.Config) *webhook.Sender {
	t.Helper()
	policy := guard.New(guard.Config{Resolver: nameless{t}, Dial: func(_ context.Context, _, address string) (net.Conn, error) {
		t.Errorf("%s was dialled", address)
		return nil, errors.New("there is no network")
	}})
	cfg.Inbox = (&inbox.Receiver{Events: b, Secrets: b, Clock: cfg.Clock, Log: slog.New(slog.DiscardHandler)}).Take
	cfg.Pictures = func(context.Context, string) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(picture())), nil
	}
	s := webhook.New(cfg, policy, slog.New(slog.DiscardHandler))
	t.Cleanup(s.Close)
	return s
}

// picture is larger than any event.
func picture() []byte { return bytes.Repeat([]byte("picture."), savepage.MaxEventBytes/8+100) }

func owed() savepage.Delivery {
	return savepage.Delivery{
		ID: "msg_1", CaptureID: "cap_1", Account: "acc_1", URL: savepage.InboxURL + "orders?a=1", Body: []byte(`{"status":"success"}`),
		State: savepage.Pending, CreatedAt: time.Date(2026, 4, 1, 12, 0, 0, 0, time.UTC), Headers: savepage.Headers{"x-mine": "private"},
		Attempts: []savepage.Attempt{{Number: 1}},
	}
}

// TestArrives hands a callback over: it is verified and kept as it was sent, and the network is not touched.
func TestArrives(t *testing.T) {
	b := &book{answer: savepage.InboxOK}
	now := clock.Manual(owed().CreatedAt.Add(1500 * time.Millisecond))
	v := sender(t, b, webhook.Config{Clock: now}).Deliver(t.Context(), owed(), []string{current})
	if v.State != savepage.Delivered || v.Attempt.Status != http.StatusOK || v.Attempt.Answer != "Received and verified.\n" {
		t.Errorf("the attempt is %+v", v)
	}
	e := b.last(t)
	if !e.Verified || e.Type != savepage.InboxCapture || e.Account != "acc_1" || e.WebhookID != "msg_1" || e.CaptureID != "cap_1" ||
		e.Attempt != 2 || e.AfterMS != 1500 || e.Method != http.MethodPost || e.URL != owed().URL ||
		e.Body != `{"status":"success"}` || e.BodyBytes != 20 {
		t.Errorf("it arrived as %+v", e)
	}
	for name, want := range map[string]string{
		"Webhook-Id": "msg_1", "Content-Type": "application/json", "Content-Length": "20", "X-Mine": "••••••",
		"X-Signature": savepage.Sign(current, owed().Body),
	} {
		if e.Headers[name] != want {
			t.Errorf("%s is %q, want %q", name, e.Headers[name], want)
		}
	}
}

// TestVerifies checks with what the owner of the inbox knows: the account's secrets, and the one that a capture brings along.
// A test event with another secret is not verified, and the reason is told.
func TestVerifies(t *testing.T) {
	for name, one := range map[string]struct {
		secrets []string
		test    bool
		want    bool
	}{
		"the current secret": {[]string{current, earlier}, false, true}, "an earlier secret": {[]string{earlier}, false, true},
		"a capture's own secret": {[]string{another}, false, true}, "a test event": {[]string{current}, true, true},
		"a test event with another secret": {[]string{another}, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			b := &book{answer: savepage.InboxOK}
			s := sender(t, b, webhook.Config{})
			if one.test {
				trial, err := s.Try(t.Context(), owed(), one.secrets)
				if err != nil || trial.Outcome != savepage.AttemptDelivered {
					t.Errorf("%+v: %v", trial, err)
				}
			} else {
				s.Deliver(t.Context(), owed(), one.secrets)
			}
			e := b.last(t)
			if e.Verified != one.want || one.test != (e.Type == savepage.InboxTest) || one.test != (e.CaptureID == "") {
				t.Errorf("it arrived as %+v", e)
			}
			last := e.Checks[len(e.Checks)-1]
			if last.OK != one.want || !one.want && !strings.Contains(last.Text, "the secret is wrong") {
				t.Errorf("it was found that %+v", e.Checks)
			}
		})
	}
}

// TestFile has a picture as the body: it is verified and not kept.
func TestFile(t *testing.T) {
	d := owed()
	d.Format, d.Method = savepage.CallbackFile, http.MethodPut
	d.Picture = &savepage.Picture{Name: "a.png", Format: savepage.FormatPNG, Size: int64(len(picture()))}
	for secret, want := range map[string]bool{current: true, another: false} {
		b := &book{answer: savepage.InboxOK}
		s := sender(t, b, webhook.Config{})
		if _, err := s.Try(t.Context(), d, []string{secret}); err != nil {
			t.Fatal(err)
		}
		e := b.last(t)
		if e.Verified != want || e.Body != "" || e.BodyBytes != int64(len(picture())) || e.Method != http.MethodPut ||
			e.Headers["Content-Type"] != "image/png" || !strings.Contains(e.Headers["Content-Disposition"], "cap_1.png") {
			t.Errorf("it arrived as %+v", e)
		}
	}
}

// TestAnswers has the inbox answer as its account wishes: the delivery goes on as with any receiver that answers so.
func TestAnswers(t *testing.T) {
	for answer, want := range map[savepage.InboxAnswer]struct {
		state   savepage.DeliveryState
		outcome savepage.AttemptOutcome
		status  int
	}{
		savepage.InboxOK:    {savepage.Delivered, savepage.AttemptDelivered, 200},
		savepage.InboxError: {savepage.Pending, savepage.AttemptStatus, 500},
		savepage.InboxGone:  {savepage.Dead, savepage.AttemptStatus, 410}, savepage.InboxSlow: {savepage.Pending, savepage.AttemptTimeout, 0},
	} {
		t.Run(string(answer), func(t *testing.T) {
			b := &book{answer: answer}
			v := sender(t, b, webhook.Config{Timeout: 20 * time.Millisecond}).Deliver(t.Context(), owed(), []string{current})
			if v.State != want.state || v.Attempt.Outcome != want.outcome || v.Attempt.Status != want.status {
				t.Errorf("the attempt is %+v", v)
			}
			if answer == savepage.InboxSlow && v.Attempt.Error != "The receiver did not answer within 20ms." {
				t.Errorf("it says %q", v.Attempt.Error)
			}
			if !b.last(t).Verified {
				t.Error("it is not verified")
			}
		})
	}
}

// TestCannotKeep tells the sender, who tries again, or that the account is closed.
func TestCannotKeep(t *testing.T) {
	for status, err := range map[int]error{
		http.StatusServiceUnavailable: errors.New("the disk is full"),
		http.StatusGone:               savepage.Errorf(savepage.CodeNotFound, "there is no account acc_1"),
	} {
		b := &book{err: err}
		if v := sender(t, b, webhook.Config{}).Deliver(t.Context(), owed(), []string{current}); v.Attempt.Status != status {
			t.Errorf("the attempt is %+v, want %d", v, status)
		}
	}
}

// TestSpellings goes to the inbox by its one address alone. Others are names that do not exist.
func TestSpellings(t *testing.T) {
	for address, want := range map[string]bool{
		savepage.InboxURL: true, "https://INBOX.savepage.invalid./x": true, "https://inbox.savepage.invalid:443": true,
		"http://inbox.savepage.invalid/": false, "https://inbox.savepage.invalid:8443/": false, "https://a.inbox.savepage.invalid/": false,
	} {
		b := &book{answer: savepage.InboxOK}
		policy := guard.New(guard.Config{Resolver: unknown{}})
		s := webhook.New(webhook.Config{
			Inbox: (&inbox.Receiver{Events: b, Secrets: b, Log: slog.New(slog.DiscardHandler)}).Take,
		}, policy, slog.New(slog.DiscardHandler))
		t.Cleanup(s.Close)
		d := owed()
		d.URL = address
		v := s.Deliver(t.Context(), d, []string{current})
		if got := v.State == savepage.Delivered; got != want || got != (len(b.events) == 1) {
			t.Errorf("%s: %+v, and %d events arrived", address, v, len(b.events))
		}
	}
}

// unknown knows no name.
type unknown struct{}

func (unknown) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
}
