package settle

import (
	"context"
	"slices"
	"time"
)

// Token is the event that the page's timers answer to; empty when they are not followed.
func (w *Waiter) Token() string { return w.token }

// Due is what a page says that it is about to do.
type Due struct {
	Timers *timers `json:"timers"` // nil where they are not followed
	Later  *later  `json:"later"`
	Ended  int     `json:"ended"` // animations of its drawings were brought to their end
}

// swapped is within what time a page takes the place of a drawing whose animation has ended.
const swapped = time.Second

// IsDue reports whether the page, that has said this now, or a worker of it is about to do something that belongs to what it
// shows: by the measure of settling, but by nothing that the page has said before.
func (w *Waiter) IsDue(ctx context.Context, said Due) (bool, error) {
	if said.Timers == nil {
		return false, nil
	}
	if len(said.Timers.Workers) > 0 {
		if err := w.workers.ask(ctx); err != nil {
			return false, err
		}
	}
	next := aheadOf(w)
	next.seen.Later = said.Later
	quiet := min(w.Network.Quiet(), said.Timers.silence())
	soon := func(ms float64) bool { return milli(ms) <= swapped }
	switch {
	case said.Timers.missing(quiet) > 0: // whoever asks again and again has a timer for the next time
		_, repeats := w.Network.Unsure()
		return !repeats && said.Timers.Later == 0, nil
	case said.Ended > 0 && slices.ContainsFunc(said.Timers.Left, soon):
		return true, nil
	default:
		return w.workers.atWork(said.Timers) > 0 || said.Timers.Beyond && quiet < idle || next.toCome() > 0, nil
	}
}
