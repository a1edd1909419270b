package browser

import (
	"context"
	"runtime/debug"
	"time"

	"github.com/savepage/savepage"
)

// keeper makes sure that a pool has a browser, and replaces one that has died or served long enough.
type keeper struct {
	pool   *Pool
	wake   chan struct{} // holds a token when there is something to do
	deaths retries
	seen   program // that the last look found
}

// keep works until the pool closes.
func (k *keeper) keep() {
	p := k.pool
	looks := time.NewTicker(p.cfg.keepEvery) // at its age and at its program
	defer looks.Stop()
	for {
		select {
		case <-p.closing:
			return
		case <-k.wake:
		case <-looks.C:
			k.updated()
			if k.rest() {
				debug.FreeOSMemory() // nothing is rendered now
			}
		}
		k.replace()
	}
}

// replace starts a new browser if there is none or the current one is due. It tries until it succeeds or the pool closes.
func (k *keeper) replace() {
	p := k.pool
	failed := false
	for {
		why, dead, served := k.wanted()
		if served {
			k.deaths = retries{}
		}
		if why == "" || (dead || failed) && !k.deaths.wait(p.closing) {
			return
		}
		p.log.Info("starting a browser", "reason", why)
		err := p.launch(context.Background())
		if failed = err != nil; failed {
			p.log.Error("browser start failed", "error", err)
			k.giveUp()
		}
	}
}

// wanted returns why a new browser is needed, empty if it is not, whether none runs, and whether the one that died had been of
// use.
func (k *keeper) wanted() (why string, dead, served bool) {
	p := k.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.closed:
		return "", false, false
	case p.current == nil && p.asleep && len(p.waiting) == 0:
		return "", false, false
	case p.current == nil && p.asleep:
		return "it is needed", false, false
	case p.current == nil:
		served, p.served = p.served, false
		return "none is running", true, served
	default:
		return p.current.due(p.cfg), false, false
	}
}

// giveUp ends the wait of all callers when no browser runs and none could be started.
func (k *keeper) giveUp() {
	p := k.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asleep = false // from now on it is one that is missing
	if p.current == nil {
		p.waiting.refuse(savepage.Errorf(savepage.CodeBrowserLost, "no browser can be started"))
	}
}

// rest ends a browser that nobody has used for as long as an idle one is kept, and reports whether it has. The next caller of
// Take has one started.
func (k *keeper) rest() bool {
	p := k.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	b := p.current
	if p.cfg.Idle == 0 || b == nil || b.inUse > 0 || len(p.waiting) > 0 || time.Since(b.lastUsed()) < p.cfg.Idle {
		return false
	}
	p.log.Info("the browser ends until it is needed", "pid", b.process.pid, "unused", time.Since(b.lastUsed()))
	p.asleep = true
	p.current, p.making = nil, 0
	b.ending = "nobody uses it"
	p.discard(p.ready...)
	p.ready = nil
	b.endIfIdle()
	return true
}

// retries paces the starts of browsers that keep dying before they were of use: the first follows at once.
type retries struct {
	last  time.Time
	delay time.Duration
}

const (
	firstDelay = 100 * time.Millisecond
	maxDelay   = 2 * time.Second  // with a start of less than three: the next browser is there after 5
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
	r.delay = min(max(2*r.delay, firstDelay), maxDelay)
	return true
}
