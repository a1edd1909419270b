package settle

import (
	"context"
	"time"

	"github.com/savepage/savepage/internal/page/budget"
)

const (
	// loadPatience is for how long the page's load event is waited for while nothing comes; longer with a long timeout.
	loadPatience = 8 * time.Second
	// morePatience is the same, once something was given up: who waits for one thing in vain may wait for another.
	morePatience = 2 * time.Second
)

// lastLoad is until when load events are waited for, of all documents that the page goes to.
func lastLoad(b *budget.Budget) time.Time { return time.Now().Add(b.Timeout() * 6 / 10) }

// Load waits for the load event as long as something moves, but not longer than six tenths of the timeout. What is never
// answered is given up.
func (w *Waiter) Load(ctx context.Context) error { return w.load(ctx, lastLoad(w.Budget)) }

func (w *Waiter) load(ctx context.Context, last time.Time) error {
	w.Notes.Await("the load event")
	documents, _ := w.Navigation.Been()
	w.late = documents > 0 && documents == w.lateOf && !w.Navigation.Leaving()
	if w.late {
		return ctx.Err()
	}
	patience := min(w.Budget.Scaled(loadPatience), w.Budget.Timeout()/3)
	for began := time.Now(); ; {
		there, err := loads(ctx, w, min(idle, patience))
		switch {
		case err != nil, there:
			return err
		case time.Now().After(last):
			w.Hangs.Stay(ctx)
			return goOn(ctx, w)
		case w.Hangs.GiveUp(patience):
			patience, began = min(patience, morePatience), time.Now()
		case min(w.Network.Quiet(), time.Since(began)) >= patience && !w.Navigation.Leaving():
			return goOn(ctx, w)
		}
	}
}

// goOn goes on without the load event.
func goOn(ctx context.Context, w *Waiter) error {
	w.late = !w.Navigation.Loaded()
	if w.late {
		w.lateOf, _ = w.Navigation.Been()
		w.Hangs.Unblock(ctx)
	}
	return ctx.Err()
}

// loads waits for the load event for a while. It reports whether the document is there.
func loads(ctx context.Context, w *Waiter, while time.Duration) (there bool, err error) {
	began := time.Now()
	err = w.Events.Until(ctx, func() (bool, time.Duration) {
		there = w.Navigation.Loaded() && !w.Navigation.Leaving()
		left := while - time.Since(began)
		return there || left <= 0, max(left, time.Millisecond)
	})
	return there, err
}
