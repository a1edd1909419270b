package browser

import (
	"context"
	"time"
)

// moving is the browser whose pictures move, with a pool of its own: whether they do can only be said for all pages of a
// browser. Its tabs take their places from the pool that it belongs to. The lock of that one guards the rest.
type moving struct {
	pool  *Pool
	users int  // calls of TakeMoving that have not failed, and whose tabs are not closed
	used  bool // since somebody looked last
}

// TakeMoving is Take for a page on which GIF, APNG, WebP and SVG pictures move. Its browser is started when it is needed
// and ends when it was not used for a while.
func (p *Pool) TakeMoving(ctx context.Context) (*Tab, error) {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil, errClosed()
	}
	if p.moving == nil {
		p.startMoving()
	}
	m := p.moving
	m.users++
	m.used = true
	p.mu.Unlock()
	t, err := m.pool.Take(ctx)
	if err != nil {
		p.leave(m)
		return nil, err
	}
	t.left = func() { p.leave(m) }
	return t, nil
}

func (p *Pool) leave(m *moving) {
	p.mu.Lock()
	defer p.mu.Unlock()
	m.users--
}

// startMoving has the browser started, by its own keeper: who takes a tab waits for it as for one that has died. The pool
// is locked and not closed.
func (p *Pool) startMoving() {
	cfg := p.cfg
	cfg.moving, cfg.Warm = true, 0
	m := &moving{pool: newPool(p.path, cfg, p.policy, p.log.With("pictures", "move"), p.places)}
	p.moving = m
	m.pool.work.Go(m.pool.keep)
	signal(m.pool.wake)
	p.work.Go(func() { p.endUnused(m) })
}

// endUnused closes the browser whose pictures move when nobody has used it between two looks.
func (p *Pool) endUnused(m *moving) {
	tick := time.NewTicker(p.cfg.MovingIdle)
	defer tick.Stop()
	for {
		select {
		case <-p.closing:
			return
		case <-tick.C:
		}
		if p.dropUnused(m) {
			_ = m.pool.Close() // no tab of it is in use: there is no proxy to close
			return
		}
	}
}

func (p *Pool) dropUnused(m *moving) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	unused := p.moving == m && m.users == 0 && !m.used
	m.used = false
	if unused {
		p.moving = nil
		p.restarts += m.pool.Stats().Restarts
	}
	return unused
}
