package webhook

import (
	"net/http"
	"strconv"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/outbound"
)

// Bounds of the schedule.
const (
	maxWait       = 12 * time.Hour // between two attempts
	maxRetryAfter = 24 * time.Hour // that a receiver may ask for
)

// verdict decides the state of a delivery after an attempt that ended at now. The first earlier attempts belong to
// schedules that have ended.
func (c Config) verdict(r result, earlier int, now time.Time) savepage.Verdict {
	n := r.attempt.Number - earlier
	v := savepage.Verdict{Attempt: r.attempt, State: savepage.Dead}
	switch {
	case r.attempt.Outcome == savepage.AttemptDelivered:
		v.State = savepage.Delivered
	case r.attempt.Outcome == savepage.AttemptBlocked:
	case r.attempt.Status == http.StatusGone:
	case n >= c.MaxAttempts:
	default:
		v.State = savepage.Pending
		v.NextAt = now.Add(max(c.backoff().After(n), retryAfter(r, c.Clock.Wall())))
	}
	return v
}

func (c Config) backoff() outbound.Backoff {
	return outbound.Backoff{Base: c.RetryBase, Most: maxWait, Random: c.Random}
}

// retryAfter is the wait that the receiver asked for: seconds or an HTTP date (RFC 9110, section 10.2.3), respected where it
// has a meaning, with 429 and 503.
func retryAfter(r result, date time.Time) time.Duration {
	if r.attempt.Status != http.StatusTooManyRequests && r.attempt.Status != http.StatusServiceUnavailable {
		return 0
	}
	if seconds, err := strconv.ParseUint(r.retryAfter, 10, 64); err == nil {
		return time.Duration(min(seconds, uint64(maxRetryAfter/time.Second))) * time.Second
	}
	if at, err := http.ParseTime(r.retryAfter); err == nil {
		return max(0, min(at.Sub(date), maxRetryAfter))
	}
	return 0
}
