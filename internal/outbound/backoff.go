package outbound

import "time"

// The form of every schedule.
const (
	growth = 3   // each wait is this many times the one before
	jitter = 0.2 // of a wait, either way
)

// Backoff is how long to wait between attempts: Base × 3ⁿ ± 20 %, at most Most.
type Backoff struct {
	Base, Most time.Duration
	Random     func() float64 // from 0 to below 1
}

// After is the wait after the nth attempt.
func (b Backoff) After(attempt int) time.Duration {
	nominal := min(b.Base, b.Most)
	for n := 1; n < attempt && nominal < b.Most; n++ {
		nominal = min(nominal*growth, b.Most)
	}
	factor := 1 - jitter + 2*jitter*b.Random()
	return min(time.Duration(float64(nominal)*factor), b.Most)
}
