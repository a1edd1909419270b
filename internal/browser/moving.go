package browser

import (
	"context"
	"sync"
	"time"
)

// moving is the browser whose pictures move, with a pool of its own: whether they do can only be said for all pages of a
// browser. Its tabs share the slots of the other pages.
type moving struct {
	life

	launcher launcher
	slots    chan struct{}

	mu       sync.Mutex
	closed   bool
	pool     *Pool // nil while it is not needed
	users    int   // calls of take that have not failed, and whose tabs are not closed
	used     bool  // since endUnused looked last
	restarts int   // of pools that have ended
}

func newMoving(like launcher, slots chan struct{}) *moving {
	like.cfg.moving, like.cfg.Warm = true, 0
	like.log = like.log.With("pictures", "move")
	return &moving{life: life{closing: make(chan struct{})}, launcher: like, slots: slots}
}

func (m *moving) take(ctx context.Context) (*Tab, error) {
	m.mu.Lock()
	if m.closed {
		m.mu.Unlock()
		return nil, errClosed()
	}
	if m.pool == nil {
		m.start()
	}
	pool := m.pool
	m.users++
	m.used = true
	m.mu.Unlock()
	t, err := pool.Take(ctx)
	if err != nil {
		m.leave()
		return nil, err
	}
	t.left = m.leave
	return t, nil
}

func (m *moving) leave() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.users--
}

// start has the browser started, by its own keeper: a caller of take waits for it as for one that has died. It is locked
// and not closed.
func (m *moving) start() {
	pool := newPool(m.launcher, m.slots)
	m.pool = pool
	pool.work.Go(pool.keeper.keep)
	signal(pool.keeper.wake)
	m.work.Go(func() { m.endUnused(pool) })
}

// endUnused closes the pool when it was not used between two looks.
func (m *moving) endUnused(pool *Pool) {
	tick := time.NewTicker(m.launcher.cfg.MovingIdle)
	defer tick.Stop()
	for {
		select {
		case <-m.closing:
			return
		case <-tick.C:
		}
		if m.dropUnused() {
			_ = pool.Close() // no tab of it is in use: there is no proxy to close
			return
		}
	}
}

func (m *moving) dropUnused() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	unused := m.pool != nil && m.users == 0 && !m.used
	m.used = false
	if unused {
		m.restarts += m.pool.Stats().Restarts
		m.pool = nil
	}
	return unused
}

func (m *moving) stats() Stats {
	m.mu.Lock()
	defer m.mu.Unlock()
	var s Stats
	if m.pool != nil {
		s = m.pool.Stats()
	}
	s.Restarts += m.restarts
	return s
}

// close ends the browser, if it runs, and refuses to start another.
func (m *moving) close() error {
	m.mu.Lock()
	m.closed = true
	close(m.closing)
	pool := m.pool
	m.pool = nil
	m.mu.Unlock()
	var err error
	if pool != nil {
		err = pool.Close()
	}
	m.work.Wait()
	return err
}
