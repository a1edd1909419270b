package browser

import (
	"context"
	"fmt"
	"slices"
	"time"
)

const (
	maxFailed = 3                      // tabs in a row before a browser that still answers is replaced
	lullTime  = 100 * time.Millisecond // without the end of a capture, until tabs are made ahead: they would be made at the cost of the next
)

// lull is a time without the end of a capture.
type lull struct{ timer *time.Timer } // nil before the first

// await has then called after it, unless it is called again before. The pool is locked.
func (l *lull) await(then func()) {
	if l.timer != nil {
		l.timer.Reset(lullTime)
		return
	}
	l.timer = time.AfterFunc(lullTime, then)
}

// fill makes as many tabs as are missing. The pool is locked.
func (p *Pool) fill() {
	b := p.current
	if p.asleep && len(p.waiting) > 0 {
		signal(p.keeper.wake)
	}
	if b == nil || p.closed {
		return
	}
	ahead := p.cfg.Warm
	if 2*b.inUse >= p.cfg.cores {
		ahead = 0 // one that is made at its address costs less
	}
	for p.making < ahead+len(p.waiting)-len(p.ready) {
		p.making++
		b.live++
		p.later(openWithin, maker{p, b}.make)
	}
}

// maker makes tabs in a browser of a pool.
type maker struct {
	pool    *Pool
	browser *chromium
}

// make makes a tab for whoever needs one.
func (m maker) make(ctx context.Context) {
	p, b := m.pool, m.browser
	t, err := p.open(ctx, b, "")
	hangs := isTimeout(err) && !b.answers(ctx)
	p.mu.Lock()
	defer p.mu.Unlock()
	if b == p.current {
		p.making--
	}
	if err != nil {
		m.failed(err, hangs)
		return
	}
	t.pool = p
	b.failed = 0
	p.deliver(t)
}

// failed handles a tab that could not be made. The pool is locked.
func (m maker) failed(err error, hangs bool) {
	p, b := m.pool, m.browser
	b.live--
	b.failed++
	if p.closed || b.isLost() {
		return // the callers that wait get tabs of the next browser
	}
	p.log.Warn("open a page", "pid", b.process.pid, "error", err)
	if hangs {
		p.log.Warn("browser hangs: killed", "pid", b.process.pid)
		b.process.kill()
		return
	}
	if b.failed >= maxFailed {
		p.retire(b, "pages cannot be opened")
	}
	p.waiting.serve(offer{err: fmt.Errorf("open a page: %w", err)})
	b.endIfIdle()
}

// hold makes a tab, which is taken, with a page that is held at an address. It returns nil when that cannot be done: who then waits
// for a tab learns why. The browser's live counts the tab already.
func (m maker) hold(ctx context.Context, url string) *Tab {
	p, b := m.pool, m.browser
	t, err := p.open(ctx, b, url)
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil {
		b.live--
		b.endIfIdle()
		return nil
	}
	t.pool = p
	if p.closed || !t.usable() {
		p.discard(t)
		return nil
	}
	p.took(t)
	return t
}

// pop takes the oldest tab that was made ahead and still lives, in a browser that does. The pool is locked.
func (p *Pool) pop() *Tab {
	for len(p.ready) > 0 {
		t := p.ready[0]
		p.ready = slices.Delete(p.ready, 0, 1)
		if t.usable() && t.browser.vitals.lives() {
			return t
		}
		p.discard(t)
	}
	return nil
}

// took counts a tab as taken. The pool is locked.
func (p *Pool) took(t *Tab) {
	b := t.browser
	if b.inUse == 0 {
		b.well = time.Now()
	}
	b.inUse++
	b.taken++
	t.late = b.vitals.pulse.lateness()
	for _, watch := range b.watched {
		signal(watch)
	}
	if b == p.current && b.due(p.cfg) != "" {
		signal(p.keeper.wake)
	}
}

// deliver gives a new tab to the caller that has waited longest, or keeps it. The pool is locked.
func (p *Pool) deliver(t *Tab) {
	switch {
	case !t.usable():
		p.discard(t)
		p.fill()
	case len(p.waiting) > 0:
		p.took(t)
		p.waiting.serve(offer{tab: t})
	case t.browser == p.current && len(p.ready) < p.cfg.Warm:
		p.ready = append(p.ready, t)
	default:
		p.discard(t)
	}
}

// withdraw takes a caller out of the queue. A tab that it was offered meanwhile goes to the next.
func (p *Pool) withdraw(wait chan offer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.waiting.leave(wait) {
		return
	}
	if o := <-wait; o.tab != nil {
		o.tab.browser.inUse--
		p.deliver(o.tab)
	}
}

// discard disposes of tabs in the background. The pool is locked.
func (p *Pool) discard(tabs ...*Tab) {
	for _, t := range tabs {
		if p.closed {
			_ = t.identity.Close() // its browser is dead; there is nothing else to end
			continue
		}
		p.later(disposeWithin, func(ctx context.Context) { p.dispose(ctx, t) })
	}
}

func (p *Pool) dispose(ctx context.Context, t *Tab) {
	err := t.dispose(ctx)
	b := t.browser
	hangs := isTimeout(err) && !b.answers(ctx)
	p.mu.Lock()
	defer p.mu.Unlock()
	b.live--
	switch {
	case hangs:
		p.log.Warn("browser hangs: killed", "pid", b.process.pid)
		b.process.kill()
	case isTimeout(err):
		p.retire(b, "a page could not be closed")
	}
	b.endIfIdle()
}
