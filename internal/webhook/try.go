package webhook

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/savepage/savepage"
)

const dots = "••••••"

// Try sends a delivery once, outside of any queue, and returns what was sent, what the receiver answered, and hints.
// A URL that the policy does not take is *savepage.Error of CodeInvalidRequest or CodeAddressBlocked: nothing was sent.
func (s *Sender) Try(ctx context.Context, d savepage.Delivery, secrets []string) (savepage.Trial, error) {
	if _, err := s.policy.Admit(d.URL); err != nil {
		if refused, known := errors.AsType[*savepage.Error](err); known {
			return savepage.Trial{}, refused
		}
		return savepage.Trial{}, fmt.Errorf("judge the address: %w", err)
	}
	began := time.Now()
	r := s.attempt(ctx, Callback{Delivery: d, Secrets: secrets, Test: true})
	if r.sent == nil {
		return savepage.Trial{}, fmt.Errorf("make the test event: %w", r.cause)
	}
	t := savepage.Trial{
		Outcome: r.attempt.Outcome, Status: r.attempt.Status, LatencyMS: time.Since(began).Milliseconds(),
		Error: r.attempt.Error, Answer: r.attempt.Answer,
		Sent: savepage.Sent{Headers: ShownHeaders(r.sent, d.Headers), Body: string(d.Body)}, Hints: hints(r, len(secrets)),
	}
	s.log.InfoContext(ctx, "webhook test", slog.String("account", d.Account), slog.String("url", loggedURL(d.URL)),
		slog.String("outcome", string(t.Outcome)), slog.Int("status", t.Status), slog.Int64("latency_ms", t.LatencyMS))
	return t, nil
}

// ShownHeaders lists what was sent, without the values of its own headers that the client gave: they may be secret.
func ShownHeaders(header http.Header, own savepage.Headers) map[string]string {
	shown := map[string]string{}
	for name, values := range header {
		if len(values) > 0 {
			shown[name] = values[0]
		}
	}
	for name := range maps.Keys(own) {
		shown[http.CanonicalHeaderKey(name)] = dots
	}
	return shown
}

// hints returns advice after a test.
func hints(r result, secrets int) []string {
	list := outcomeHints(r)
	if secrets > 1 {
		list = append(list, fmt.Sprintf("A secret is being rotated: webhook-signature has %d entries, newest first, and one "+
			"that matches is enough. X-Signature uses the newest secret.", secrets))
	}
	return append(list, "To check a signature by hand, write sent.body and sent.headers to files: "+
		"savepage webhook verify --body FILE --headers FILE, with the secret in SAVEPAGE_WEBHOOK_SECRET.")
}

func outcomeHints(r result) []string {
	switch r.attempt.Outcome {
	case savepage.AttemptStatus:
		return statusHints(r.attempt.Status)
	case savepage.AttemptTimeout:
		return []string{"Answer first and work afterwards: an event that is not answered within the timeout is sent again."}
	case savepage.AttemptTLS:
		return []string{"The certificate must be valid for the host's name and signed by a known authority; TLS 1.2 at least."}
	case savepage.AttemptResolve:
		return []string{"The name must resolve from where the service runs."}
	case savepage.AttemptRefused:
		return []string{"Something must listen on this host and port, and be reachable from where the service runs."}
	case savepage.AttemptBlocked:
		return []string{"Private and special addresses are refused, unless the operator allows them (SAVEPAGE_EGRESS_ALLOW). " +
			"To test on your own machine, run a local service and savepage webhook listen."}
	default:
		return []string{"The receiver accepted the event. Check that it also refuses an event with a wrong signature."}
	}
}

func statusHints(status int) []string {
	switch {
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return []string{
			"The receiver refused the event. Verify the signature over the raw body, before anything parses it.",
			"The key of webhook-signature is the decoded base64 after whsec_; the key of X-Signature is the whole text of the secret, " +
				"whsec_ included.",
			"A framework that requires a CSRF token must exempt this path; send credentials that it requires with callback_headers.",
		}
	case slices.Contains([]int{http.StatusNotFound, http.StatusMethodNotAllowed}, status):
		return []string{"The path must exist and accept POST."}
	case status/100 == 3:
		return []string{"Redirects are not followed: use the address that this one leads to, often with https instead of http, " +
			"or with a slash at the end."}
	case status == http.StatusGone:
		return []string{"410 ends a delivery at once: it is not retried."}
	case status/100 == 5:
		return []string{"The receiver had an internal error; a delivery would be retried."}
	default:
		return []string{"Only a 2xx counts as delivered."}
	}
}
