package page

import (
	"context"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/page/note"
)

// searchTime is how long the page looks for an element before it is asked again.
const searchTime = 500 * time.Millisecond

// appear waits until an element that matches wait_for_selector is visible.
func (a *actions) appear(ctx context.Context) error {
	a.notes.Await("the selector " + note.Quoted(a.o.WaitForSelector) + " to be visible")
	waited := 0
	for ; ; waited++ {
		found, err := a.find(ctx, a.o.WaitForSelector, a.searching(waited))
		if err != nil {
			return err
		}
		if found != nil {
			break
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if a.clock != nil {
			if err := a.clock.Pass(ctx, searchTime); err != nil {
				return err
			}
		}
	}
	if waited == 0 {
		return nil
	}
	if a.o.WaitUntil == savepage.WaitSettled {
		return a.waiter.Settled(ctx) // what came with the element may load more
	}
	return a.waiter.Look(ctx, 0)
}

// searching is how long the page itself looks for an element: not at all at first, nor where its time passes faster.
func (a *actions) searching(waited int) time.Duration {
	if waited == 0 || a.clock != nil {
		return 0
	}
	return searchTime
}

func (a *actions) delay(ctx context.Context) error {
	a.notes.Await("the delay")
	if a.clock != nil {
		if err := a.clock.Pass(ctx, savepage.Milliseconds(a.o.Delay)); err != nil {
			return err
		}
		return a.waiter.Look(ctx, 0)
	}
	timer := time.NewTimer(savepage.Milliseconds(a.o.Delay))
	defer timer.Stop()
	select {
	case <-timer.C:
		return a.waiter.Rest(ctx)
	case <-ctx.Done():
		return ctx.Err()
	}
}
