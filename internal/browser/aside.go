package browser

import (
	"context"
	"errors"
	"sync"
	"time"
)

// aside has the browsers beside a pool's own, each with a pool that shares the slots: the one whose pictures move, because
// whether they do can only be said for all pages of a browser, and one for each capture that is to have a browser to itself,
// because what its page does to the browser then harms no other. There are no more of these than slots: a page that keeps its
// browser for long keeps no other capture from having one. Each holds about 100 MB before its page begins.
type aside struct {
	life

	launcher launcher
	slots    chan struct{}

	mu       sync.Mutex
	closed   bool
	moving   *side // nil while it is not needed
	running  map[*side]bool
	restarts int // of those whose pictures moved and that have ended
}

// side is one of them.
type side struct {
	pool  *Pool
	users int  // calls of take that are under way, and tabs that are not closed
	used  bool // since endUnused looked last
}

func newAside(like launcher, slots chan struct{}) *aside {
	like.cfg.Warm, like.cfg.Idle = 0, 0
	return &aside{life: life{closing: make(chan struct{})}, launcher: like, slots: slots, running: map[*side]bool{}}
}

// takeMoving returns a tab of the browser whose pictures move. The browser ends when it has not been used for a while.
func (a *aside) takeMoving(ctx context.Context) (*Tab, error) {
	one, err := a.enter(func() *side {
		if a.moving == nil {
			from := a.launcher
			from.cfg.moving = true
			from.log = from.log.With("pictures", "move")
			a.moving = a.start(from)
			one := a.moving
			a.work.Go(func() { a.endUnused(one) })
		}
		return a.moving
	})
	if err != nil {
		return nil, err
	}
	return one.take(ctx, func() { a.leave(one) })
}

// takeAlone starts a browser and returns its one tab. The browser ends with the tab.
func (a *aside) takeAlone(ctx context.Context, moving bool) (*Tab, error) {
	from := a.launcher
	from.cfg.moving, from.cfg.alone, from.replaced = moving, true, nil
	from.log = from.log.With("browser", "apart")
	one, err := a.enter(func() *side { return a.start(from) })
	if err != nil {
		return nil, err
	}
	return one.take(ctx, func() { a.end(one) })
}

// enter counts a user of the browser that find returns, which is called locked.
func (a *aside) enter(find func() *side) (*side, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return nil, errClosed()
	}
	one := find()
	one.users++
	one.used = true
	return one, nil
}

func (a *aside) leave(one *side) {
	a.mu.Lock()
	defer a.mu.Unlock()
	one.users--
}

// start has a browser started, by its own keeper: a caller of take waits for it as for one that has died. It is locked and not
// closed.
func (a *aside) start(from launcher) *side {
	one := &side{pool: newPool(from, a.slots)}
	a.running[one] = true
	one.pool.work.Go(one.pool.keeper.keep)
	signal(one.pool.keeper.wake)
	return one
}

// take returns a tab of the browser. left is called when the tab was closed, or there is none.
func (s *side) take(ctx context.Context, left func()) (*Tab, error) {
	t, err := s.pool.Take(ctx)
	if err != nil {
		left()
		return nil, err
	}
	t.left = left
	return t, nil
}

// end ends a browser in the background. No tab of it is in use.
func (a *aside) end(one *side) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return // close ends it
	}
	a.work.Go(func() {
		_ = one.pool.Close() // there is no proxy to close
		a.mu.Lock()
		defer a.mu.Unlock()
		delete(a.running, one)
	})
}

// endUnused ends the browser whose pictures move when it was not used between two looks.
func (a *aside) endUnused(one *side) {
	tick := time.NewTicker(a.launcher.cfg.MovingIdle)
	defer tick.Stop()
	for {
		select {
		case <-a.closing:
			return
		case <-tick.C:
		}
		if a.drop(one) {
			a.end(one)
			return
		}
	}
}

// drop takes the browser whose pictures move out of use, if it was not used lately.
func (a *aside) drop(one *side) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	unused := one.users == 0 && !one.used
	one.used = false
	if unused {
		a.restarts += one.pool.Stats().Restarts
		a.moving = nil
	}
	return unused
}

// stats sums up those that run.
func (a *aside) stats() Stats {
	a.mu.Lock()
	defer a.mu.Unlock()
	all := Stats{Restarts: a.restarts}
	for one := range a.running {
		s := one.pool.Stats()
		all.Browsers, all.Waiting = all.Browsers+s.Browsers, all.Waiting+s.Waiting
	}
	if a.moving != nil {
		all.Restarts += a.moving.pool.Stats().Restarts
	}
	return all
}

// close ends every browser and refuses to start another.
func (a *aside) close() error {
	a.mu.Lock()
	a.closed = true
	close(a.closing)
	a.moving = nil
	a.mu.Unlock()
	a.work.Wait()
	var errs []error
	for one := range a.running { // nothing changes it any more
		errs = append(errs, one.pool.Close())
	}
	return errors.Join(errs...)
}
