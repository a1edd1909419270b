// Package budget says how long a render may take, and what of that is left. It waits for nothing itself.
package budget

import (
	"sync/atomic"
	"time"
)

const (
	// overtime is how much longer than its timeout a render may take that takes what is there.
	overtime = 3 * time.Second
	// usual is the timeout up to which a page is given the usual time.
	usual = 40 * time.Second

	maxFind = 2 * time.Second // for an element of a page that is ready
)

// Waits of a page that is shown as it is.
const (
	pastPatience = 500 * time.Millisecond
	pastDrawing  = 2 * time.Second
)

// Budget is the time of one render. It is safe for concurrent use.
type Budget struct {
	timeout time.Duration
	capture bool // the timeout ends the waiting and not the render
	began   time.Time
	past    atomic.Bool
}

// New returns the budget of a render that begins now. With capture the timeout ends the waiting and not the render.
func New(timeout time.Duration, capture bool) *Budget {
	return &Budget{timeout: timeout, capture: capture, began: time.Now()}
}

// Timeout is the time that the client allows.
func (b *Budget) Timeout() time.Duration { return b.timeout }

// Captures reports whether the timeout ends the waiting and not the render.
func (b *Budget) Captures() bool { return b.capture }

// PastDeadline reports whether the time to become ready is over: the page is shown as it is.
func (b *Budget) PastDeadline() bool { return b.past.Load() }

// SetPastDeadline ends the time to become ready.
func (b *Budget) SetPastDeadline() { b.past.Store(true) }

// Limit is how long the render may take.
func (b *Budget) Limit() time.Duration {
	if b.capture {
		return b.timeout + overtime
	}
	return b.timeout
}

// Left is the time until the render ends without a picture.
func (b *Budget) Left() time.Duration { return time.Until(b.began.Add(b.Limit())) }

// End is when the timeout ends.
func (b *Budget) End() time.Time { return b.began.Add(b.timeout) }

// Deadline is when the page has to be ready, so that time for the picture is left.
func (b *Budget) Deadline() time.Time {
	reserve := min(max(b.timeout/5, 500*time.Millisecond), 5*time.Second)
	return b.End().Add(-reserve)
}

// Scaled is a time that a page is given, longer with a long timeout: who gives it more time has cause to.
func (b *Budget) Scaled(d time.Duration) time.Duration {
	return max(d, time.Duration(float64(d)*b.timeout.Seconds()/usual.Seconds()))
}

// Stall is how long something may bring nothing before it is waited for no longer.
func (b *Budget) Stall() time.Duration { return min(b.Scaled(5*time.Second), b.timeout/4) }

// Patience is how long the page may leave a question unanswered before its script is ended, when the answer itself may
// take slack.
func (b *Budget) Patience(slack time.Duration) time.Duration {
	if b.PastDeadline() {
		return min(pastPatience+slack, b.Left()/3)
	}
	return b.Stall() + slack
}

// Drawing is how long the largest picture that is drawn at once may take: 43 ms for each million pixels were measured.
func (b *Budget) Drawing() time.Duration {
	if b.PastDeadline() {
		return pastDrawing
	}
	return b.Stall()
}

// Find is how long an element of a page that is ready is looked for.
func (b *Budget) Find() time.Duration {
	if b.PastDeadline() {
		return 0
	}
	return min(maxFind, b.timeout/4)
}

// Brief bounds the questions to a page that is shown as it is: time for the picture must be left.
func (b *Budget) Brief() time.Duration { return min(pastDrawing, b.Left()/3) }
