package browser

import "time"

// pace is how often something looks at a browser: seldom while no page is in use.
type pace struct {
	every, idle time.Duration
	lost        <-chan struct{}
	taken       <-chan struct{} // holds a token when a page was taken
	tick        *time.Ticker
	slow        bool
}

// newPace is called before pages are taken.
func newPace(b *chromium, every, idle time.Duration) *pace {
	taken := make(chan struct{}, 1)
	b.watched = append(b.watched, taken)
	return &pace{every: every, idle: idle, lost: b.lost, taken: taken}
}

// next waits until it is time for a look. unused says that no page was in use at the last one. It reports false when the browser
// has died.
func (p *pace) next(unused bool) bool {
	if p.tick == nil {
		p.tick = time.NewTicker(p.every)
	}
	p.set(unused)
	for {
		select {
		case <-p.lost:
			p.tick.Stop()
			return false
		case <-p.taken:
			p.set(false)
		case <-p.tick.C:
			return true
		}
	}
}

func (p *pace) set(slow bool) {
	if slow == p.slow {
		return
	}
	if p.slow = slow; slow {
		p.tick.Reset(p.idle)
	} else {
		p.tick.Reset(p.every)
	}
}
