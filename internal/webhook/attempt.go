package webhook

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/guard"
)

// Bytes of a receiver's answer that are read and kept.
const (
	maxAnswerRead = 64 << 10
	maxAnswerKept = 1 << 10
)

// result is the outcome of one POST.
type result struct {
	attempt    savepage.Attempt // without number and times
	retryAfter string           // the header, as it came
	cause      error            // for the log: may name addresses
	sent       http.Header      // nil when nothing could be sent
}

// attempt signs and sends the event once, with the date that receivers go by.
func (s *Sender) attempt(ctx context.Context, c Callback) result {
	d := c.Delivery
	body := s.bodyOf(d)
	timeout := s.cfg.Timeout + body.allowance()
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	address, err := s.policy.Admit(d.URL)
	if err != nil {
		return inadmissible(err)
	}
	progress := &progress{}
	request, err := newRequest(httptrace.WithClientTrace(ctx, progress.trace()), address, d, body)
	if err == nil && s.cfg.Continue != nil {
		s.cfg.Continue(ctx, request.Header)
	}
	if err == nil {
		err = signed(request, d, c.Secrets, s.cfg.Clock.Wall())
	}
	if err != nil {
		return result{attempt: savepage.Attempt{Outcome: savepage.AttemptRefused, Error: "Not sent: " + err.Error() + "."}, cause: err}
	}
	c.Request = request
	answer, err := s.hand(ctx, c, address, progress)
	if err != nil {
		r := failed(request, progress, timeout, err)
		r.send(request, d)
		return r
	}
	defer func() { _ = answer.Body.Close() }() // the answer is complete without it
	r := answered(answer, progress.private.Load())
	r.send(request, d)
	return r
}

// send notes what was sent.
func (r *result) send(request *http.Request, d savepage.Delivery) {
	r.sent = request.Header
	r.attempt.Request = &savepage.SentRequest{Method: request.Method, Headers: ShownHeaders(request.Header, d.Headers)}
}

// hand gives the request to its receiver: over the network, or to the account's inbox.
func (s *Sender) hand(ctx context.Context, c Callback, address string, p *progress) (*http.Response, error) {
	if s.cfg.Inbox != nil && savepage.IsInbox(address) {
		p.sent.Store(true)
		defer func() { _ = c.Request.Body.Close() }() // as a transport does
		return s.cfg.Inbox(ctx, c)
	}
	// The transport alone follows no redirect and puts no URL into its errors.
	return s.transport.RoundTrip(c.Request)
}

// inadmissible is the result for a URL that the policy does not take: nothing was sent, and nothing will change that.
func inadmissible(err error) result {
	message := err.Error()
	if refused, ok := errors.AsType[*savepage.Error](err); ok {
		message = refused.Message
	}
	return result{attempt: savepage.Attempt{Outcome: savepage.AttemptBlocked, Error: message}, cause: err}
}

// failed is the result of a request without an answer.
func failed(request *http.Request, p *progress, timeout time.Duration, err error) result {
	event := guard.Explain(dialled(request), err)
	attempt := savepage.Attempt{Error: event.Detail}
	if broken, ok := errors.AsType[*handshakeError](err); ok && event.Kind != guard.Timeout {
		attempt.Outcome, attempt.Error = savepage.AttemptTLS, "The TLS handshake failed: "+broken.err.Error()+"."
		return result{attempt: attempt, cause: err}
	}
	switch event.Kind {
	case guard.Blocked:
		attempt.Outcome = savepage.AttemptBlocked
	case guard.NotResolved:
		attempt.Outcome = savepage.AttemptResolve
	case guard.Timeout:
		attempt.Outcome, attempt.Error = savepage.AttemptTimeout, p.awaited(timeout)
	default:
		attempt.Outcome = savepage.AttemptRefused
	}
	return result{attempt: attempt, cause: err}
}

// answered judges an answer by its status. A body that breaks off or never ends changes nothing.
func answered(answer *http.Response, private bool) result {
	kept := readAnswer(answer.Body)
	r := result{
		attempt:    savepage.Attempt{Outcome: savepage.AttemptStatus, Status: answer.StatusCode},
		retryAfter: answer.Header.Get("Retry-After"),
	}
	// The answer of an internal host is not for clients, who may only name its address.
	if !private {
		r.attempt.Answer = kept
	}
	switch {
	case answer.StatusCode/100 == 2:
		r.attempt.Outcome = savepage.AttemptDelivered
		return r
	case answer.StatusCode/100 == 3:
		r.attempt.Error = fmt.Sprintf("The receiver answered %s; redirects are not followed.", status(answer.StatusCode))
	case answer.StatusCode == http.StatusGone:
		r.attempt.Error = fmt.Sprintf("The receiver answered %s, which ends the delivery.", status(answer.StatusCode))
	default:
		r.attempt.Error = fmt.Sprintf("The receiver answered %s.", status(answer.StatusCode))
	}
	return r
}

func status(code int) string {
	return strings.TrimSpace(strconv.Itoa(code) + " " + http.StatusText(code))
}

// readAnswer reads a body and returns its beginning as valid UTF-8. What it does not read costs the connection.
func readAnswer(body io.Reader) string {
	var head bytes.Buffer
	_, err := io.CopyN(&head, body, maxAnswerKept)
	if err == nil {
		_, err = io.CopyN(io.Discard, body, maxAnswerRead-maxAnswerKept)
	}
	return validText(head.String(), err == nil || head.Len() == maxAnswerKept)
}

// validText replaces bytes that databases refuse in text. cut means that a character may have been cut in two at the end.
func validText(text string, cut bool) string {
	for range utf8.UTFMax - 1 {
		if r, size := utf8.DecodeLastRuneInString(text); cut && r == utf8.RuneError && size == 1 {
			text = text[:len(text)-1]
		}
	}
	return strings.ReplaceAll(strings.ToValidUTF8(text, "?"), "\x00", "?")
}

// dialled is the "host:port" of a request.
func dialled(request *http.Request) string {
	port := cmp.Or(request.URL.Port(), map[string]string{"http": "80", "https": "443"}[request.URL.Scheme])
	return net.JoinHostPort(request.URL.Hostname(), port)
}

// progress follows an attempt, so that a timeout names what was awaited.
type progress struct {
	connecting atomic.Bool
	connected  atomic.Bool
	sent       atomic.Bool
	private    atomic.Bool
}

func (p *progress) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		ConnectStart: func(string, string) { p.connecting.Store(true) },
		GotConn: func(info httptrace.GotConnInfo) {
			p.connected.Store(true)
			p.private.Store(isPrivate(info.Conn))
		},
		WroteRequest: func(httptrace.WroteRequestInfo) { p.sent.Store(true) },
	}
}

func (p *progress) awaited(timeout time.Duration) string {
	switch {
	case p.sent.Load():
		return fmt.Sprintf("The receiver did not answer within %s.", timeout)
	case p.connected.Load():
		return fmt.Sprintf("The receiver did not accept the event within %s.", timeout)
	case p.connecting.Load():
		return fmt.Sprintf("No connection to the receiver within %s.", min(timeout, connectTimeout))
	default:
		return fmt.Sprintf("No connection was free within %s: %d others wait for this receiver.", timeout, connsPerHost)
	}
}
