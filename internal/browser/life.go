package browser

import (
	"context"
	"sync"
	"time"
)

// life is how long a pool lives, and the goroutines that end with it.
type life struct {
	work    sync.WaitGroup
	closing chan struct{} // closed when the pool closes
}

// later runs fn on a goroutine of its own, whatever becomes of the call that it follows from. The pool is locked and not
// closed: Close, which ends the browsers and so every wait for one, waits for fn.
//
//nolint:contextcheck,nolintlint // a context of its own is its purpose; nolintlint does not see the effect on the callers
func (l *life) later(within time.Duration, fn func(ctx context.Context)) {
	l.work.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), within)
		defer cancel()
		fn(ctx)
	})
}

// bound returns a context that ends after a time, and also when the pool closes.
func (l *life) bound(ctx context.Context, within time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(ctx, within)
	stop := make(chan struct{})
	l.work.Go(func() {
		select {
		case <-l.closing:
			cancel()
		case <-stop:
		}
	})
	return ctx, func() { close(stop); cancel() }
}
