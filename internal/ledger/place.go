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
	Async                    // a client is told later
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
