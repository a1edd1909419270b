package ledger

import (
	"time"

	"github.com/savepage/savepage"
)

// Class says how soon a capture is wanted.
type Class int

// The classes, those that go first before the others.
const (
	Interactive Class = iota // a client waits
	Async                    // a client gets the result later
	Batch                    // it came with many others
)

// ClassOf returns the class of a capture.
func ClassOf(c savepage.Capture) Class {
	switch {
	case c.Interactive:
		return Interactive
	case c.BatchID != "":
		return Batch
	default:
		return Async
	}
}

// A job waits at a place: a moment that orders the queue and lies in the past, so that the job is due at once. Each capture
// that an account has waiting moves its next one placeStep further back. The step must not be much shorter than one
// capture takes: then a newcomer's first capture would land behind an old backlog.
const (
	placeWindow = 12 * time.Hour
	placeStep   = 5 * time.Second
	placeLast   = time.Minute      // no place is nearer to now than this
	headStart   = time.Minute      // by which a capture with a waiting client goes ahead; what is older still goes first
	batchDelay  = 10 * time.Minute // by which one of a batch stands back: others that come later than that no longer pass it
)

// Place is the place in the queue of a capture that arrives now, when waiting others of its account go before it: those of
// its class, and for one of a batch also those that are not.
func Place(now time.Time, waiting int64, class Class) time.Time {
	back := time.Duration(min(waiting, int64(placeWindow/placeStep))) * placeStep
	switch class {
	case Interactive:
		return now.Add(-placeWindow - headStart + min(back, placeWindow-placeLast))
	case Batch:
		back += batchDelay
	case Async:
	}
	return now.Add(-placeWindow + min(back, placeWindow-placeLast))
}

// PlaceAgain is the place of a capture that has had its turn before: the time at which its wait is over, or among the first
// when there is none.
func PlaceAgain(now time.Time, wait time.Duration) time.Time {
	if wait > 0 {
		return now.Add(wait)
	}
	return Place(now, 0, Async)
}

// Waiting counts the waiting captures of an account, by Class.
type Waiting [3]int64

// WaitingOne counts a single capture.
func WaitingOne(class Class) Waiting {
	var w Waiting
	w[class] = 1
	return w
}

// Arrivals are the captures of one account that arrive in one transaction.
type Arrivals struct {
	Added  Waiting // how many arrive
	before Waiting // how many wait before the next one
}

// CountArrivals counts captures by their accounts.
func CountArrivals(captures []savepage.Capture) map[string]*Arrivals {
	accounts := map[string]*Arrivals{}
	for _, c := range captures {
		a := accounts[c.Account]
		if a == nil {
			a = &Arrivals{}
			accounts[c.Account] = a
		}
		a.Added[ClassOf(c)]++
	}
	return accounts
}

// Counted takes what the account has waiting when all that arrive are counted.
func (a *Arrivals) Counted(total Waiting) {
	for class, n := range total {
		a.before[class] = n - a.Added[class]
	}
}

// Place is the place of the account's next capture, of a class. Counted comes first.
func (a *Arrivals) Place(now time.Time, class Class) time.Time {
	ahead := a.before[class]
	a.before[class]++
	if class == Batch {
		ahead += a.before[Async]
	}
	return Place(now, ahead, class)
}
