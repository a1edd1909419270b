package browser

import "time"

// watchEvery is the time between two looks at the memory of a browser whose pages are in use.
const watchEvery = 200 * time.Millisecond

// guardMemory watches a browser's memory while its pages are in use.
func (p *Pool) guardMemory(b *chromium) {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		tick.Stop()
		select {
		case <-b.lost:
			return
		case <-b.work:
		}
		tick.Reset(watchEvery)
		if !p.watchPages(b, tick.C) {
			return
		}
	}
}

// watchPages looks at the memory until no page is in use. It reports false when the browser has died.
func (p *Pool) watchPages(b *chromium, tick <-chan time.Time) bool {
	for {
		select {
		case <-b.lost:
			return false
		case <-tick:
		}
		total, killed := b.measure(p.cfg.MaxTabRSS)
		if killed > 0 {
			p.log.Warn("page process killed for its memory", "pid", b.process.pid, "processes", killed, "limit", p.cfg.MaxTabRSS)
		}
		if !p.stillInUse(b, total) {
			return true
		}
	}
}

func (p *Pool) stillInUse(b *chromium, total int64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if total > p.cfg.MaxRSS {
		p.wear(b, "memory")
	}
	return b.inUse > 0
}

// measure kills every page process that holds more than maxTab bytes, and returns the private memory of all processes.
func (b *chromium) measure(maxTab int64) (total int64, killed int) {
	for _, pid := range groupMembers(b.process.pid) {
		resident, private := memory(pid)
		total += private
		if resident > maxTab && isRenderer(pid) {
			killProcess(pid)
			killed++
		}
	}
	return total, killed
}
