package api

import (
	"net/http"
	"strconv"
	"sync"
	"time"
)

// limiter counts requests by account with the generic cell rate algorithm: a full bucket holds as many requests as the
// account's limit and refills within the period. One time for each account is all that it keeps.
type limiter struct {
	period time.Duration

	mu   sync.Mutex
	full map[string]time.Time // when the account's bucket is full again; those in the past need no entry
}

// sweepAt is how many accounts are kept before those with full buckets are dropped.
const sweepAt = 10_000

func newLimiter(period time.Duration) *limiter {
	return &limiter{period: period, full: map[string]time.Time{}}
}

// allowance is how a request stands against its account's limit.
type allowance struct {
	allowed   bool
	limit     int
	remaining int
	reset     time.Time     // when the bucket is full again
	wait      time.Duration // until the next request is allowed, when this one is not
}

// take counts one request of the account. The limit is at least 1.
func (l *limiter) take(account string, limit int, now time.Time) allowance {
	step := max(l.period/time.Duration(max(limit, 1)), 1) // that one request costs
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.full) >= sweepAt {
		l.sweep(now)
	}
	full := l.full[account]
	if full.Before(now) {
		full = now
	}
	next := full.Add(step)
	if over := next.Sub(now) - l.period; over > 0 {
		return allowance{limit: limit, reset: full, wait: over}
	}
	l.full[account] = next
	return allowance{allowed: true, limit: limit, remaining: int((l.period - next.Sub(now)) / step), reset: next}
}

// look returns how the account stands without counting a request.
func (l *limiter) look(account string, limit int, now time.Time) allowance {
	step := max(l.period/time.Duration(max(limit, 1)), 1)
	l.mu.Lock()
	defer l.mu.Unlock()
	full := l.full[account]
	if full.Before(now) {
		full = now
	}
	return allowance{allowed: true, limit: limit, remaining: int((l.period - full.Sub(now)) / step), reset: full}
}

func (l *limiter) sweep(now time.Time) {
	for account, full := range l.full {
		if full.Before(now) {
			delete(l.full, account)
		}
	}
}

// headers sets what every answer to a key says of the limit.
func (a allowance) headers(h http.Header) {
	h.Set("X-Ratelimit-Limit", strconv.Itoa(a.limit))
	h.Set("X-Ratelimit-Remaining", strconv.Itoa(a.remaining))
	h.Set("X-Ratelimit-Reset", strconv.FormatInt(ceil(a.reset).Unix(), 10))
	if !a.allowed {
		h.Set("Retry-After", strconv.FormatInt(int64(ceilSeconds(a.wait)), 10))
	}
}

func ceil(t time.Time) time.Time { return t.Add(time.Second - 1).Truncate(time.Second) }

func ceilSeconds(d time.Duration) time.Duration { return (d + time.Second - 1) / time.Second }

// places counts what an account has under way at once. The zero value is ready.
type places struct {
	mu   sync.Mutex
	busy map[string]int // by account; none is zero
}

// enter takes one of the account's places, which the function it returns gives back; nil when the limit is reached.
func (p *places) enter(account string, limit int) (leave func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.busy[account] >= limit {
		return nil
	}
	if p.busy == nil {
		p.busy = map[string]int{}
	}
	p.busy[account]++
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.busy[account]--; p.busy[account] == 0 {
			delete(p.busy, account)
		}
	}
}
