package webhook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/outbound"
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
	progress := &outbound.Progress{}
	request, err := newRequest(httptrace.WithClientTrace(ctx, progress.Trace()), address, d, body)
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
	r := answered(answer, progress.Private())
	r.send(request, d)
	return r
}

// send notes what was sent.
func (r *result) send(request *http.Request, d savepage.Delivery) {
	r.sent = request.Header
	r.attempt.Request = &savepage.SentRequest{Method: request.Method, Headers: ShownHeaders(request.Header, d.Headers)}
}

// hand gives the request to its receiver: over the network, or to the account's inbox.
func (s *Sender) hand(ctx context.Context, c Callback, address string, p *outbound.Progress) (*http.Response, error) {
	if s.cfg.Inbox != nil && savepage.IsInbox(address) {
		p.Send()
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
func failed(request *http.Request, p *outbound.Progress, timeout time.Duration, err error) result {
	attempt := savepage.Attempt{}
	attempt.Outcome, attempt.Error = outbound.Failure(request.URL, err)
	if attempt.Outcome == savepage.AttemptTimeout {
		attempt.Error = awaited(p, timeout)
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

// awaited says what a timeout has ended.
func awaited(p *outbound.Progress, timeout time.Duration) string {
	switch p.Stage() {
	case outbound.Sent:
		return fmt.Sprintf("The receiver did not answer within %s.", timeout)
	case outbound.Connected:
		return fmt.Sprintf("The receiver did not accept the event within %s.", timeout)
	case outbound.Connecting:
		return fmt.Sprintf("No connection to the receiver within %s.", min(timeout, outbound.ConnectTimeout))
	default:
		return fmt.Sprintf("No connection was free within %s: %d others wait for this receiver.", timeout, connsPerHost)
	}
}
