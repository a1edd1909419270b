package browser

import (
	"cmp"
	"log/slog"
	"slices"
	"time"
)

// watchEvery is the time between two looks at the memory of a browser whose pages are in use.
const watchEvery = 200 * time.Millisecond

// looksApart is how many looks a browser has to give back the memory of a page that was ended, before another page is.
const looksApart = 5

// memoryGuard watches a browser's memory, and what its pages use of the processor, while they are in use. It kills page
// processes that hold too much, and the busiest one when the browser itself holds too much: what pages hand to the browser is
// the browser's memory, and no measure of the browser says whose it is.
type memoryGuard struct {
	browser *chromium
	maxTab  int64 // bytes of resident memory of a page's process
	maxOwn  int64 // the same of any other process
	log     *slog.Logger
	inUse   func(total int64) bool // is given the private memory of all processes, and reports whether pages are in use

	rest     int // looks until another page may be ended for the browser's memory
	yielding yielding
}

// run watches until the browser has died.
func (g *memoryGuard) run() {
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
func (g *memoryGuard) watchPages(tick <-chan time.Time) bool {
	for {
		select {
		case <-g.browser.lost:
			return false
		case <-tick:
		}
		total := g.look()
		if !g.inUse(total) {
			return true
		}
	}
}

// look kills what holds too much, and returns the private memory of all processes.
func (g *memoryGuard) look() (total int64) {
	var pages []int
	var heaviest int
	var most int64
	for _, pid := range groupMembers(g.browser.process.pid) {
		resident, private := memory(pid)
		total += private
		switch renderer := isRenderer(pid); {
		case renderer && resident > g.maxTab:
			g.kill(pid, "its own", resident)
		case renderer:
			pages = append(pages, pid)
		case resident > most:
			heaviest, most = pid, resident
		}
	}
	g.yielding.look(pages)
	g.rest = max(0, g.rest-1)
	if most > g.maxOwn && g.rest == 0 && len(pages) > 0 {
		g.log.Warn("browser holds much memory", "pid", g.browser.process.pid, "process", heaviest, "resident", most, "limit", g.maxOwn)
		g.kill(busiest(pages), "the browser's", most)
		g.rest = looksApart
	}
	return total
}

// kill ends a page's process. whose is the memory that is too much.
func (g *memoryGuard) kill(pid int, whose string, resident int64) {
	g.browser.overfull.Store(true)
	killProcess(pid)
	g.log.Warn("page process killed", "pid", g.browser.process.pid, "process", pid, "memory", whose, "resident", resident)
}

// busiest is the process that has used most processor time.
func busiest(pids []int) int {
	return slices.MaxFunc(pids, func(a, b int) int { return cmp.Compare(processorTime(a), processorTime(b)) })
}
