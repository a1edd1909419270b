package api

import (
	"net/http"
	"strconv"
	"sync"
	"time"
)

// limiter counts requests by account with the generic cell rate algorithm: a full bucket holds limit requests and refills
// within the period. One time for each account is all that it keeps.
type limiter struct {
	limit  int
	period time.Duration
	step   time.Duration // that one request costs

	mu   sync.Mutex
	full map[string]time.Time // when the account's bucket is full again; those in the past need no entry
}

// sweepAt is how many accounts are kept before those with full buckets are dropped.
const sweepAt = 10_000

func newLimiter(limit int, period time.Duration) *limiter {
	return &limiter{limit: limit, period: period, step: max(period/time.Duration(limit), 1), full: map[string]time.Time{}}
}

// allowance is what a request was told of the limit.
type allowance struct {
	allowed   bool
	remaining int
	reset     time.Time     // when the bucket is full again
	wait      time.Duration // until the next request is allowed, when this one is not
}

// take counts one request of the account.
func (l *limiter) take(account string, now time.Time) allowance {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.full) >= sweepAt {
		l.sweep(now)
	}
	full := l.full[account]
	if full.Before(now) {
		full = now
	}
	next := full.Add(l.step)
	if over := next.Sub(now) - l.period; over > 0 {
		return allowance{reset: full, wait: over}
	}
	l.full[account] = next
	return allowance{allowed: true, remaining: int((l.period - next.Sub(now)) / l.step), reset: next}
}

func (l *limiter) sweep(now time.Time) {
	for account, full := range l.full {
		if full.Before(now) {
			delete(l.full, account)
		}
	}
}

// headers tells the client where it stands.
func (l *limiter) headers(h http.Header, a allowance) {
	h.Set("X-Ratelimit-Limit", strconv.Itoa(l.limit))
	h.Set("X-Ratelimit-Remaining", strconv.Itoa(a.remaining))
	h.Set("X-Ratelimit-Reset", strconv.FormatInt(ceil(a.reset).Unix(), 10))
	if !a.allowed {
		h.Set("Retry-After", strconv.FormatInt(int64(ceilSeconds(a.wait)), 10))
	}
}

func ceil(t time.Time) time.Time { return t.Add(time.Second - 1).Truncate(time.Second) }

func ceilSeconds(d time.Duration) time.Duration { return (d + time.Second - 1) / time.Second }
