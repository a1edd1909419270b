// Package upload puts pictures into the buckets that accounts have of their own: one attempt, what is wrong with one that
// failed, and when to try again. It also tries a bucket out. It keeps no queue and no record: its caller does. It reaches
// buckets only through the guard's policy and follows no redirect.
package upload

import (
	"cmp"
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/clock"
	"github.com/savepage/savepage/internal/guard"
	"github.com/savepage/savepage/internal/outbound"
)

// Bounds of the schedule.
const (
	maxWait     = 10 * time.Minute // between two attempts
	maxRefusals = 4                // attempts of a picture that a bucket answers and refuses
)

// idleConns is how many connections to one host are kept open.
const idleConns = 4

// What is sent without asking, in bytes, and how long the answer to such a question may take before it is sent all the same: some
// services give none.
const (
	smallBody = 64 << 10
	askWithin = time.Second
)

// slowest is how fast a bucket must take a picture: bytes in each second beyond the timeout.
const slowest = 1 << 20

// Config is how often and how long a bucket is tried. Zero fields mean their defaults.
type Config struct {
	RetryBase   time.Duration  // wait after the first attempt; 2 s
	MaxAttempts int            // in all; 10
	Timeout     time.Duration  // for one attempt, and a second more for each MiB; 30 s
	Clock       *clock.Clock   // nil: the machine's
	Random      func() float64 // from 0 to below 1, for the jitter; nil: math/rand
	// Pictures opens a stored picture by its file name, or returns fs.ErrNotExist. The uploader closes it.
	Pictures func(ctx context.Context, name string) (io.ReadSeekCloser, error)
}

func (c Config) withDefaults() Config {
	c.RetryBase = cmp.Or(c.RetryBase, 2*time.Second)
	c.MaxAttempts = cmp.Or(c.MaxAttempts, 10)
	c.Timeout = cmp.Or(c.Timeout, 30*time.Second)
	c.Clock = c.Clock.Or()
	if c.Random == nil {
		c.Random = rand.Float64
	}
	return c
}

// Uploader makes attempts. It keeps connections open between them and is safe for concurrent use.
type Uploader struct {
	cfg       Config
	policy    *guard.Policy
	transport *http.Transport
	log       *slog.Logger
}

// New returns an uploader that reaches buckets through the policy. The caller closes it.
func New(cfg Config, policy *guard.Policy, log *slog.Logger) *Uploader {
	// A host may have buckets of many accounts: one that hangs must leave connections to the others.
	transport := outbound.NewTransport(policy, &tls.Config{MinVersion: tls.VersionTLS12}, outbound.Conns{Idle: idleConns})
	transport.ExpectContinueTimeout = askWithin
	return &Uploader{cfg: cfg.withDefaults(), policy: policy, transport: transport, log: log}
}

// Close closes the connections that are kept open between attempts. Attempts under way go on.
func (u *Uploader) Close() { u.transport.CloseIdleConnections() }

// asking asks a service whether it takes a picture before it is sent: one that answers at once, and refuses, closes the
// connection while the picture is on its way, and its answer is lost.
type asking struct{ transport *http.Transport }

// RoundTrip is the transport's.
func (a asking) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.ContentLength > smallBody {
		r = r.Clone(r.Context())
		r.Header.Set("Expect", "100-continue")
	}
	return a.transport.RoundTrip(r)
}

// Admit returns the normal form of an endpoint, or *savepage.Error where it may not be reached. It asks no name server.
func (u *Uploader) Admit(endpoint string) (string, error) { return u.policy.Admit(endpoint) }

// Deliver makes one attempt to put the picture of a delivery into its store, and returns the delivery's new state. A Verdict
// without a state says that no attempt was made: the picture could not be read now, which is not the store's fault.
func (u *Uploader) Deliver(ctx context.Context, d savepage.Delivery) savepage.Verdict {
	start, began := u.cfg.Clock.Now(), time.Now()
	r := u.attempt(ctx, d)
	if r.ours != nil {
		if ctx.Err() == nil {
			u.log.ErrorContext(ctx, "a picture could not be read for a store", "delivery", d.ID, "capture", d.CaptureID, "error", r.ours)
		}
		return savepage.Verdict{}
	}
	r.attempt.Number = len(d.Attempts) + 1
	r.attempt.At = start
	r.attempt.LatencyMS = time.Since(began).Milliseconds()
	v := u.cfg.verdict(r, d.Earlier)
	if v.State == savepage.Delivered {
		v.Stored = &savepage.Stored{Name: d.Store, Key: d.Upload.Key, URL: d.Upload.Store.ObjectURL(d.Upload.Key)}
	}
	u.log.LogAttrs(ctx, slog.LevelInfo, "store attempt", slog.String("delivery", d.ID), slog.String("capture", d.CaptureID),
		slog.String("account", d.Account), slog.String("store", d.Store), slog.Int("attempt", v.Attempt.Number),
		slog.String("outcome", string(v.Attempt.Outcome)), slog.Int("status", v.Attempt.Status), slog.String("error", v.Attempt.Error),
		slog.Int64("latency_ms", v.Attempt.LatencyMS), slog.String("state", string(v.State)))
	return v
}

// verdict decides the state of a delivery after an attempt. The first earlier attempts belong to schedules that have ended.
func (c Config) verdict(r result, earlier int) savepage.Verdict {
	n := r.attempt.Number - earlier
	v := savepage.Verdict{Attempt: r.attempt, State: savepage.Dead}
	switch {
	case r.attempt.Outcome == savepage.AttemptDelivered:
		v.State = savepage.Delivered
	case r.final, n >= c.MaxAttempts, r.refused && n >= maxRefusals:
	default:
		v.State = savepage.Pending
		v.NextAt = c.Clock.Now().Add(outbound.Backoff{Base: c.RetryBase, Most: maxWait, Random: c.Random}.After(n))
	}
	return v
}

// limit is how long an attempt for so many bytes may take.
func (c Config) limit(size int64) time.Duration {
	return c.Timeout + time.Duration(size/slowest)*time.Second
}
