package webhook

import (
	"net/http"
	"strconv"
	"time"

	"github.com/savepage/savepage"
)

// Bounds of the schedule.
const (
	growth        = 3              // each wait is this many times the one before
	jitter        = 0.2            // of a wait, either way
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
		v.NextAt = now.Add(max(c.wait(n), retryAfter(r, c.Clock.Wall())))
	}
	return v
}

// wait is how long after the given attempt the next one is due: RetryBase × 3ⁿ ± 20 %, at most 12 hours.
func (c Config) wait(attempt int) time.Duration {
	nominal := min(c.RetryBase, maxWait)
	for n := 1; n < attempt && nominal < maxWait; n++ {
		nominal = min(nominal*growth, maxWait)
	}
	factor := 1 - jitter + 2*jitter*c.Random()
	return min(time.Duration(float64(nominal)*factor), maxWait)
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
