package browser

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/savepage/savepage"
)

// keep sees to it that there is a browser, and replaces it when it has died or served long enough, until Close.
func (p *Pool) keep() {
	var deaths retries
	age := time.NewTimer(p.cfg.RecycleAge)
	defer age.Stop()
	for {
		select {
		case <-p.closing:
			return
		case <-p.wake:
		case <-age.C:
		}
		p.replace(&deaths)
		age.Reset(p.cfg.RecycleAge)
	}
}

// replace starts a new browser if there is none or the current one is due. It tries until it succeeds or the pool closes.
func (p *Pool) replace(deaths *retries) {
	failed := false
	for {
		why, dead := p.wanted()
		if why == "" || (dead || failed) && !deaths.wait(p.closing) {
			return
		}
		p.log.Info("starting a browser", "reason", why)
		err := p.launch(context.Background())
		if failed = err != nil; failed {
			p.log.Error("start a browser", "error", err)
			p.giveUp()
		}
	}
}

// giveUp ends the wait of everybody when there is no browser and none could be started.
func (p *Pool) giveUp() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.current == nil {
		p.refuse(savepage.Errorf(savepage.CodeBrowserLost, "no browser can be started"))
	}
}

// wanted says why a new browser is needed, if it is, and whether there is none.
func (p *Pool) wanted() (why string, dead bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.closed:
		return "", false
	case p.current == nil:
		return "there is none", true
	default:
		return p.due(p.current), false
	}
}

// due says why a browser is to be replaced, if it is. The pool is locked.
func (p *Pool) due(b *chromium) string {
	switch {
	case b.taken >= p.cfg.RecycleAfter:
		return "number of captures"
	case b.taken > 0 && time.Since(b.born) >= p.cfg.RecycleAge:
		return "age"
	default:
		return b.worn
	}
}

// launch starts a browser, tries it with a first page and makes it the current one. The former one ends with its last tab.
func (p *Pool) launch(ctx context.Context) error {
	began := time.Now()
	ctx, cancel := p.untilClose(ctx)
	defer cancel()
	b, err := startChromium(ctx, p.path, p.cfg, p.log)
	if err != nil {
		return err
	}
	t, err := p.open(ctx, b)
	if err == nil && p.cfg.Sandbox != Off {
		err = b.checkSandbox(p.path)
	}
	if err != nil {
		b.stop()
		if t != nil {
			err = errors.Join(err, t.identity.Close())
		}
		return fmt.Errorf("open a first page: %w", err)
	}
	p.log.Info("browser started", "pid", b.process.pid, "uid", b.process.uid, "path", p.path,
		"sandbox", string(p.cfg.Sandbox), "took", time.Since(began))
	return p.install(b, t)
}

// untilClose returns a context for a start, which also ends when the pool closes.
func (p *Pool) untilClose(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(ctx, startWithin)
	stop := make(chan struct{})
	p.work.Go(func() {
		select {
		case <-p.closing:
			cancel()
		case <-stop:
		}
	})
	return ctx, func() { close(stop); cancel() }
}

// install makes a browser the current one.
func (p *Pool) install(b *chromium, first *Tab) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		b.stop()
		return errors.Join(errClosed(), first.identity.Close())
	}
	former := p.current
	p.current = b
	p.making = 0
	p.browsers = append(p.browsers, b)
	p.work.Go(func() { p.tend(b) })
	p.work.Go(func() { p.guardMemory(b) })
	if former != nil {
		p.retire(former)
	}
	b.live++
	p.deliver(first)
	p.fill()
	return nil
}

// retire lets a browser end with its last tab. The pool is locked.
func (p *Pool) retire(b *chromium) {
	p.restarts++
	b.retired = p.due(b)
	p.dropReady()
	p.endIfIdle(b)
}

// endIfIdle ends a retired browser that has no tab left. The pool is locked.
func (p *Pool) endIfIdle(b *chromium) {
	if b.retired != "" && b.live == 0 {
		b.process.kill()
	}
}

// tend waits for a browser's end, has it replaced at once, and clears up.
func (p *Pool) tend(b *chromium) {
	b.awaitLoss()
	p.lose(b)
	b.stop()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.browsers = slices.DeleteFunc(p.browsers, func(other *chromium) bool { return other == b })
	p.log.Info("browser ended", "pid", b.process.pid, "captures", b.taken, "retired", b.retired)
}

// lose takes a dead browser out of use.
func (p *Pool) lose(b *chromium) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.current != b {
		return
	}
	p.log.Warn("browser died", "pid", b.process.pid, "pages", b.inUse, "captures", b.taken)
	p.current = nil
	p.making = 0
	p.restarts++
	p.dropReady()
	signal(p.wake)
}

// dropReady disposes of what was made ahead. The pool is locked.
func (p *Pool) dropReady() {
	for _, t := range p.ready {
		p.discard(t)
	}
	p.ready = nil
}

// fill makes as many tabs as are missing. The pool is locked.
func (p *Pool) fill() {
	b := p.current
	if b == nil || p.closed {
		return
	}
	for p.making < p.cfg.Warm+len(p.waiting)-len(p.ready) {
		p.making++
		b.live++
		p.later(openWithin, func(ctx context.Context) { p.make(ctx, b) })
	}
}

// later runs fn on a goroutine of its own, whatever becomes of the call that it follows from. The pool is locked and not
// closed: Close, which ends the browsers and so every wait for one, waits for fn.
//
//nolint:contextcheck,nolintlint // a context of its own is its purpose; nolintlint does not see the effect on the callers
func (p *Pool) later(within time.Duration, fn func(ctx context.Context)) {
	p.work.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), within)
		defer cancel()
		fn(ctx)
	})
}

func (p *Pool) make(ctx context.Context, b *chromium) {
	t, err := p.open(ctx, b)
	hangs := isTimeout(err) && !b.answers(ctx)
	p.mu.Lock()
	defer p.mu.Unlock()
	if b == p.current {
		p.making--
	}
	if err != nil {
		p.notMade(b, err, hangs)
		return
	}
	b.failed = 0
	p.deliver(t)
}

// notMade decides what follows from a tab that could not be made. The pool is locked.
func (p *Pool) notMade(b *chromium, err error, hangs bool) {
	b.live--
	b.failed++
	if p.closed || isLost(b) {
		return // whoever waits gets a tab of the next browser
	}
	p.log.Warn("open a page", "pid", b.process.pid, "error", err)
	if hangs {
		p.log.Warn("browser hangs: killed", "pid", b.process.pid)
		b.process.kill()
		return
	}
	if b.failed >= maxFailed {
		p.wear(b, "pages can not be opened")
	}
	if len(p.waiting) > 0 {
		first := p.waiting[0]
		p.waiting = slices.Delete(p.waiting, 0, 1)
		first <- offer{err: fmt.Errorf("open a page: %w", err)}
	}
	p.endIfIdle(b)
}

const maxFailed = 3 // tabs in a row before a browser that still answers is replaced

// wear has a browser replaced. Its pages are not disturbed. The pool is locked.
func (p *Pool) wear(b *chromium, why string) {
	if b.worn == "" {
		b.worn = why
		signal(p.wake)
	}
}

// isLost reports whether the browser's pipe has ended, which an open call learns before lost is closed.
func isLost(b *chromium) bool {
	select {
	case <-b.conn().Done():
		return true
	default:
		return false
	}
}

// open makes one tab.
func (p *Pool) open(ctx context.Context, b *chromium) (*Tab, error) {
	identity, err := p.policy.NewIdentity(p.cfg.Budget) //nolint:contextcheck // the proxy lives as long as the tab
	if err != nil {
		return nil, fmt.Errorf("open the capture's proxy: %w", err)
	}
	t, err := openTab(ctx, b, identity)
	if err != nil {
		return nil, errors.Join(err, identity.Close())
	}
	t.pool = p
	return t, nil
}

// discard disposes of a tab in the background. The pool is locked.
func (p *Pool) discard(t *Tab) {
	if p.closed {
		_ = t.identity.Close() // its browser is dead; there is nothing else to end
		return
	}
	p.later(disposeWithin, func(ctx context.Context) {
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
			p.wear(b, "a page could not be ended")
		}
		p.endIfIdle(b)
	})
}

// retries paces the starts of browsers that keep dying: the first follows at once.
type retries struct {
	last  time.Time
	delay time.Duration
}

const (
	firstDelay = 100 * time.Millisecond
	mostDelay  = 5 * time.Second
	longLife   = 30 * time.Second // a browser that lived so long clears the count
)

// wait returns when the next start may be made. It reports false when the pool closes.
func (r *retries) wait(closing <-chan struct{}) bool {
	if r.last.IsZero() || time.Since(r.last) > longLife {
		r.delay = 0
	}
	select {
	case <-closing:
		return false
	case <-time.After(r.delay):
	}
	r.last = time.Now()
	r.delay = min(max(2*r.delay, firstDelay), mostDelay)
	return true
}
