package browser

import (
	"cmp"
	"context"
	"errors"
	"slices"
)

// launch starts a browser and makes it the current one. The former one ends with its last tab.
func (p *Pool) launch(ctx context.Context) error {
	ctx, cancel := p.bound(ctx, startWithin)
	defer cancel()
	b, first, err := p.launcher.launch(ctx)
	if err != nil {
		return err
	}
	first.pool = p
	return p.install(b, first)
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
	p.current, p.asleep = b, false
	p.making = 0
	p.browsers = append(p.browsers, b)
	p.work.Go(func() { p.tend(b) })
	watch := &memoryGuard{
		browser: b, maxTab: p.cfg.MaxTabRSS, maxOwn: p.cfg.MaxOwnRSS, log: p.log, inUse: func(total int64) bool { return p.inUse(b, total) },
	}
	p.work.Go(watch.run)
	b.vitals.pool = p
	if !p.cfg.alone { // else the page keeps nobody waiting but itself
		b.vitals.probe.kept = b.vitals.pulse.keep
		p.work.Go(b.vitals.pulse.run)
	}
	p.work.Go(b.vitals.run)
	if former != nil {
		p.phaseOut(former)
	}
	b.live++
	p.deliver(first)
	p.fill()
	return nil
}

// phaseOut lets a browser end with its last tab. The pool is locked.
func (p *Pool) phaseOut(b *chromium) {
	p.restarts++
	b.ending = b.due(p.cfg)
	p.replaced.note(b, b.ending)
	p.discard(p.ready...)
	p.ready = nil
	b.endIfIdle()
}

// retire has a browser replaced. Its pages are not disturbed. The pool is locked.
func (p *Pool) retire(b *chromium, why string) {
	if b.retired == "" {
		b.retired = why
		signal(p.keeper.wake)
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
	p.log.Info("browser ended", "pid", b.process.pid, "exit", b.process.exit, "captures", b.taken, "retired", b.ending)
}

// lose takes a dead browser out of use.
func (p *Pool) lose(b *chromium) {
	why := cmp.Or(b.vitals.fault(), "its process ended")
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.current != b {
		return
	}
	p.log.Warn("browser died", "pid", b.process.pid, "pages", b.inUse, "captures", b.taken)
	p.replaced.note(b, why)
	p.current = nil
	p.making = 0
	p.restarts++
	p.served = b.served > 0
	p.discard(p.ready...)
	p.ready = nil
	signal(p.keeper.wake)
}

// inUse reports whether pages of a browser are in use, and retires it when its processes hold too much memory.
func (p *Pool) inUse(b *chromium, memory int64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if memory > p.cfg.MaxRSS {
		p.retire(b, "memory")
	}
	return b.inUse > 0
}
