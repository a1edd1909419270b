package browser

import (
	"log/slog"
	"time"
)

// watchEvery is the time between two looks at the memory of a browser whose pages are in use.
const watchEvery = 200 * time.Millisecond

// memoryGuard watches a browser's memory while its pages are in use, and kills page processes that hold too much.
type memoryGuard struct {
	browser *chromium
	maxTab  int64 // bytes of resident memory of a page's process
	log     *slog.Logger
	inUse   func(total int64) bool // is given the private memory of all processes, and reports whether pages are in use
}

// run watches until the browser has died.
func (g memoryGuard) run() {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		tick.Stop()
		select {
		case <-g.browser.lost:
			return
		case <-g.browser.work:
		}
		tick.Reset(watchEvery)
		if !g.watchPages(tick.C) {
			return
		}
	}
}

// watchPages looks at the memory until no page is in use. It reports false when the browser has died.
func (g memoryGuard) watchPages(tick <-chan time.Time) bool {
	for {
		select {
		case <-g.browser.lost:
			return false
		case <-tick:
		}
		total, killed := g.browser.measure(g.maxTab)
		if killed > 0 {
			g.log.Warn("page process killed for its memory", "pid", g.browser.process.pid, "processes", killed, "limit", g.maxTab)
		}
		if !g.inUse(total) {
			return true
		}
	}
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
