package page

import (
	"context"
	"time"

	"github.com/savepage/savepage"
)

// appear waits until an element that matches wait_for_selector is visible, and until the page shows wait_for_text.
func (a *actions) appear(ctx context.Context) error {
	waited := false
	if a.o.WaitForSelector != "" {
		late, err := a.runner.Await(ctx, a.o.WaitForSelector)
		if err != nil {
			return err
		}
		waited = late
	}
	if a.o.WaitForText != "" {
		late, err := a.runner.AwaitText(ctx, a.o.WaitForText)
		if err != nil {
			return err
		}
		waited = waited || late
	}
	switch {
	case !waited:
		return nil
	case a.o.WaitUntil == savepage.WaitSettled:
		return a.waiter.Settled(ctx) // what came with the element may load more
	default:
		return a.waiter.Look(ctx, 0)
	}
}

// delay has the whole page load, where it is wanted, and waits as long as the client says: for what that has woken too.
func (a *actions) delay(ctx context.Context) error {
	if a.o.Delay == 0 {
		return nil
	}
	if a.o.Fullpage || a.o.Format.Info().Paged {
		a.notes.Await("the whole page")
		if _, _, err := a.whole.LoadAll(ctx); err != nil {
			return err
		}
	}
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
