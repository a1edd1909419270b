package browser

import (
	"context"
	"errors"
	"sync"
)

// maxApart is how many browsers for one capture each run at once. Each holds about 100 MB before its page begins.
const maxApart = 4

// apart starts a browser for one capture: what its page does to the browser harms no other. Its tabs share the slots of the
// other pages.
type apart struct {
	life

	launcher launcher
	slots    chan struct{}
	turns    chan struct{} // one element for each browser

	mu      sync.Mutex
	closed  bool
	running map[*Pool]bool
}

func newApart(like launcher, slots chan struct{}) *apart {
	like.cfg.Warm = 0
	like.log = like.log.With("browser", "apart")
	return &apart{
		life: life{closing: make(chan struct{})}, launcher: like, slots: slots, turns: make(chan struct{}, maxApart),
		running: map[*Pool]bool{},
	}
}

// take starts a browser and returns its one tab. The browser ends with the tab.
func (a *apart) take(ctx context.Context, moving bool) (*Tab, error) {
	select {
	case a.turns <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-a.closing:
		return nil, errClosed()
	}
	pool, err := a.start(moving)
	if err != nil {
		<-a.turns
		return nil, err
	}
	t, err := pool.Take(ctx)
	if err != nil {
		a.end(pool)
		return nil, err
	}
	t.left = func() { a.end(pool) }
	return t, nil
}

func (a *apart) start(moving bool) (*Pool, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return nil, errClosed()
	}
	from := a.launcher
	from.cfg.moving = moving
	pool := newPool(from, a.slots)
	a.running[pool] = true
	pool.work.Go(pool.keeper.keep)
	signal(pool.keeper.wake)
	return pool, nil
}

// end ends a browser in the background.
func (a *apart) end(pool *Pool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return // close ends it
	}
	a.work.Go(func() {
		_ = pool.Close() // no tab of it is in use: there is no proxy to close
		a.mu.Lock()
		delete(a.running, pool)
		a.mu.Unlock()
		<-a.turns
	})
}

// browsers counts those that run.
func (a *apart) browsers() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	n := 0
	for pool := range a.running {
		n += pool.Stats().Browsers
	}
	return n
}

// close ends every browser and refuses to start another.
func (a *apart) close() error {
	a.mu.Lock()
	a.closed = true
	close(a.closing)
	running := a.running
	a.running = nil
	a.mu.Unlock()
	a.work.Wait()
	var errs []error
	for pool := range running {
		errs = append(errs, pool.Close())
	}
	return errors.Join(errs...)
}
