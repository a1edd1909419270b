package ledger

import (
	"net/http"
	"time"

	"github.com/savepage/savepage"
)

// When a breaker opens, and how long it stays open before the receiver is tried with one delivery: a first wait that
// doubles with each try in vain, up to probeGrowth times the first.
const (
	breakerFailures = 5
	probeWait       = 5 * time.Second
	probeGrowth     = 12
)

// A receiver that refuses what it gets may refuse only some of it. So what was never tried goes on, one at a time: so many
// in a row at once, and from then on one after each pause.
const (
	refusedInRow = 100
	refusedPause = time.Second
)

// Breaker remembers how a receiver has answered. While it is open its deliveries wait without using attempts, but for one
// at a time that tries whether it is back. A receiver that answers, and refuses, gets what was never tried all the same.
// The zero value is closed.
type Breaker struct {
	Failures int           // in a row
	Away     int           // of those, the last ones in a row that say nothing of what was sent: no answer, or 429
	OpenedAt time.Time     // zero while it is closed
	ProbeAt  time.Time     // while it is open: when the receiver may be tried next
	Wait     time.Duration // while it is open: between the last try and ProbeAt
}

// Open reports whether deliveries that were tried before wait for the receiver.
func (b *Breaker) Open() bool { return !b.OpenedAt.IsZero() }

// Silent reports whether all deliveries wait for the receiver: it does not answer, or asks for a rest.
func (b *Breaker) Silent() bool { return b.Open() && b.Away >= breakerFailures }

// pause is how long what was never tried waits after an attempt.
func (b *Breaker) pause() time.Duration {
	if b.Failures < refusedInRow {
		return 0
	}
	return refusedPause
}

// Change is what an attempt did to a breaker.
type Change int

// The changes of a breaker.
const (
	Unchanged Change = iota
	Opened
	Delayed // it was open, and the next try is later
	Closed
)

// failed counts an attempt that speaks against the receiver. probe says that it was the one that an open breaker let
// through: those that were on their way before it opened change nothing.
func (b *Breaker) failed(now time.Time, first time.Duration, said opinion, probe bool) Change {
	b.Failures++
	b.Away++
	if said == saysRefused {
		b.Away = 0
	}
	switch {
	case !b.Open() && b.Failures >= breakerFailures:
		b.OpenedAt, b.Wait = now, first
		b.ProbeAt = now.Add(b.Wait)
		return Opened
	case b.Open() && probe:
		b.Wait = min(2*b.Wait, probeGrowth*first)
		b.ProbeAt = now.Add(b.Wait)
		return Delayed
	default:
		return Unchanged
	}
}

// answered says that the receiver lives.
func (b *Breaker) answered() Change {
	wasOpen := b.Open()
	*b = Breaker{}
	if wasOpen {
		return Closed
	}
	return Unchanged
}

// opinion is what an attempt says of its receiver.
type opinion int

const (
	saysNothing opinion = iota // it was not sent
	saysAlive
	saysRefused // it answers, and could not take this one
	saysAway    // it does not answer, or asks for a rest
)

// judge takes every answer for a sign of life but 429 and 5xx: a 404 is about one address, not about the host. A 5xx may
// be about the one event that could not be taken.
func judge(a savepage.Attempt) opinion {
	switch a.Outcome {
	case savepage.AttemptBlocked:
		return saysNothing
	case savepage.AttemptDelivered:
		return saysAlive
	case savepage.AttemptStatus:
		switch {
		case a.Status == http.StatusTooManyRequests:
			return saysAway
		case a.Status >= http.StatusInternalServerError:
			return saysRefused
		default:
			return saysAlive
		}
	default:
		return saysAway
	}
}
