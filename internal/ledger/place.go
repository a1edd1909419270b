package ledger

import "time"

// A job waits at a place: a moment that orders the queue and lies in the past, so that the job is due at once. Each capture
// that an account has waiting moves its next one placeStep further back. The step must not be much shorter than one
// capture takes: then a newcomer's first capture would land behind an old backlog.
const (
	placeWindow = 12 * time.Hour
	placeStep   = 5 * time.Second
	placeLast   = time.Minute // no place is nearer to now than this
	headStart   = time.Minute // by which a capture with a waiting client goes ahead; what is older still goes first
)

// Place is the place in the queue of a capture that arrives now, when waiting others of its account and kind are queued.
func Place(now time.Time, waiting int64, interactive bool) time.Time {
	place := now.Add(-placeWindow)
	if interactive {
		place = place.Add(-headStart)
	}
	return place.Add(min(time.Duration(waiting)*placeStep, placeWindow-placeLast))
}
