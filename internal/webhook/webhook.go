// Package webhook makes one attempt of a callback: it signs the event, sends it, and decides when to try again. It also
// checks events that were received. It keeps no queue and no record: its caller does. It reaches receivers only through
// the guard's policy and follows no redirect.
package webhook

import (
	"cmp"
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/clock"
	"github.com/savepage/savepage/internal/guard"
	"github.com/savepage/savepage/internal/outbound"
)

// connsPerHost is how many connections to one host and port there are at once.
const connsPerHost = 4

// Config is how often and how long a receiver is tried. Zero fields mean their defaults.
type Config struct {
	RetryBase   time.Duration  // wait after the first attempt; 5 s
	MaxAttempts int            // in all; 13
	Timeout     time.Duration  // for one attempt, from the lookup to the end of the answer; 15 s
	Clock       *clock.Clock   // nil: the machine's
	Random      func() float64 // from 0 to below 1, for the jitter; nil: math/rand
	// Pictures opens a stored picture by its file name, for callbacks that are one. The sender closes it. Nil: there are none.
	Pictures func(ctx context.Context, name string) (io.ReadCloser, error)
	// Continue adds to the header of a request what lets its receiver go on with the trace of the context. Nil: nothing.
	Continue func(ctx context.Context, header http.Header)
	// Inbox takes callbacks to savepage.InboxURL in place of the network, and answers or fails as a receiver does; the context
	// has the timeout of the attempt. Nil: their name does not resolve.
	Inbox func(ctx context.Context, c Callback) (*http.Response, error)
}

// Callback is a delivery on its way.
type Callback struct {
	savepage.Delivery

	Secrets []string      // that sign it, newest first
	Test    bool          // a test event: no delivery is recorded
	Request *http.Request // signed, with its body
}

func (c Config) withDefaults() Config {
	c.RetryBase = cmp.Or(c.RetryBase, 5*time.Second)
	c.MaxAttempts = cmp.Or(c.MaxAttempts, 13)
	c.Timeout = cmp.Or(c.Timeout, 15*time.Second)
	c.Clock = c.Clock.Or()
	if c.Random == nil {
		c.Random = rand.Float64
	}
	return c
}

// Sender makes attempts. It keeps connections to receivers open between them and is safe for concurrent use.
type Sender struct {
	cfg       Config
	policy    *guard.Policy
	tls       *tls.Config
	transport *http.Transport
	log       *slog.Logger
}

// New returns a sender that reaches receivers through the policy. The caller closes it.
func New(cfg Config, policy *guard.Policy, log *slog.Logger) *Sender {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	return &Sender{
		cfg: cfg.withDefaults(), policy: policy, tls: config, log: log,
		transport: outbound.NewTransport(policy, config, outbound.Conns{Most: connsPerHost, Idle: connsPerHost}),
	}
}

// Close closes the connections that are kept open between attempts. Attempts under way go on.
func (s *Sender) Close() { s.transport.CloseIdleConnections() }

// Deliver makes one attempt of a delivery, signed with each of the secrets, and returns the delivery's new state: delivered,
// dead, or pending until NextAt. The newest secret comes first: it alone makes X-Signature. When ctx ends first, the
// receiver is not to blame: the delivery is pending and due at once, and the attempt need not be kept.
func (s *Sender) Deliver(ctx context.Context, d savepage.Delivery, secrets []string) savepage.Verdict {
	start, began := s.cfg.Clock.Now(), time.Now()
	result := s.attempt(ctx, Callback{Delivery: d, Secrets: secrets})
	end := s.cfg.Clock.Now()
	result.attempt.Number = len(d.Attempts) + 1
	result.attempt.At = start
	result.attempt.LatencyMS = time.Since(began).Milliseconds()
	verdict := s.cfg.verdict(result, d.Earlier, end)
	if ctx.Err() != nil && verdict.State != savepage.Delivered {
		verdict.State, verdict.NextAt = savepage.Pending, end
	}
	s.record(ctx, d, verdict, result.cause)
	return verdict
}

func (s *Sender) record(ctx context.Context, d savepage.Delivery, v savepage.Verdict, cause error) {
	attributes := []slog.Attr{
		slog.String("delivery", d.ID),
		slog.String("capture", d.CaptureID),
		slog.Int("attempt", v.Attempt.Number),
		slog.String("outcome", string(v.Attempt.Outcome)),
		slog.Int("status", v.Attempt.Status),
		slog.Int64("latency_ms", v.Attempt.LatencyMS),
		slog.String("state", string(v.State)),
		slog.String("url", loggedURL(d.URL)),
	}
	if cause != nil {
		attributes = append(attributes, slog.String("error", cause.Error()))
	}
	s.log.LogAttrs(ctx, slog.LevelInfo, "webhook attempt", attributes...)
}

// loggedURL leaves out what may be secret: query, fragment and user info.
func loggedURL(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "unreadable"
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}
