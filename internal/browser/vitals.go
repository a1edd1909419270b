package browser

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"
)

const (
	lookEvery   = 500 * time.Millisecond // between two looks at a browser's processes
	looksFirst  = 20                     // after the start: the shared processes begin
	looksIdle   = 20 * lookEvery         // the same later, while no page is in use: each reads of every process of the machine
	looksFrozen = 3                      // in a row at a process that the kernel has stopped, until it counts as frozen
	looksZygote = 2                      // at a zygote of a zygote until it is known: a page that has just been forked may look like one
)

// vitals watches the processes that all pages of a browser share: the browser's own, its network service, its GPU process
// and the zygotes that pages are forked from. Without one of them pages fail or wait for ever, whoever restarts it; only a
// new browser is sound. Any other process that a signal has stopped, a page's for one, is ended by itself: no page can do that
// to itself, and its capture is tried again.
type vitals struct {
	browser *chromium
	pool    *Pool // set before run
	log     *slog.Logger
	probe   *probe
	pulse   *pulse
	pace    *pace

	mu     sync.Mutex
	seen   map[int]int    // looks at each zygote that is not known
	shared map[int]string // what the known ones are, by id
	frozen map[int]int    // looks in a row at any process while it was stopped
	sick   string         // what is wrong with the browser; empty while nothing is
	worn   bool           // its pages give it too much to do
}

func newVitals(b *chromium, log *slog.Logger) *vitals {
	v := &vitals{
		browser: b, log: log, pace: newPace(b, lookEvery, looksIdle),
		seen: map[int]int{}, shared: map[int]string{b.process.pid: "browser"}, frozen: map[int]int{},
	}
	v.probe = &probe{browser: b, pids: v.pids, page: v.page, waits: v.waits, log: log}
	v.pulse = newPulse(v, func(why string) { v.end(why, true) })
	return v
}

// run watches until the browser has died, and ends a sick one. A browser is asked only while pages are in use and no picture was
// made for a while: asking costs what a small page costs.
func (v *vitals) run() {
	for n := 0; v.pace.next(n > looksFirst && !v.inUse()); n++ {
		if v.browser.process.ending() {
			continue
		}
		why, worn := v.look(), false
		if why == "" && v.suspect() {
			why, worn = v.probe.ask()
		}
		if why != "" && !v.browser.process.ending() { // it may have been killed between the look and here
			v.end(why, worn)
			return
		}
	}
}

func (v *vitals) inUse() bool {
	v.pool.mu.Lock()
	defer v.pool.mu.Unlock()
	return v.browser.inUse > 0
}

// suspect reports that pages are in use and that no picture was made for a while.
func (v *vitals) suspect() bool {
	v.pool.mu.Lock()
	defer v.pool.mu.Unlock()
	return v.browser.inUse > 0 && time.Since(v.browser.well) > suspectAfter
}

// page makes a page that no capture gets, and closes it after use.
func (v *vitals) page(ctx context.Context, use func(page *Tab)) error {
	p, b := v.pool, v.browser
	p.mu.Lock()
	b.live++
	p.mu.Unlock()
	t, err := p.open(ctx, b, "")
	if err == nil {
		t.pool = p
		use(t)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil {
		b.live--
		b.endIfIdle()
		return err
	}
	p.discard(t)
	return nil
}

// waits says what the main thread of each of the browser's processes waits for, for whoever has to find out why it stood still.
func (v *vitals) waits() []string {
	var all []string
	for _, pid := range groupMembers(v.browser.process.pid) {
		name := "other"
		v.mu.Lock()
		if known := v.shared[pid]; known != "" {
			name = known
		}
		v.mu.Unlock()
		if isRenderer(pid) {
			name = "page"
		}
		all = append(all, fmt.Sprintf("%s %d: %s", name, pid, waitsFor(pid)))
	}
	return all
}

// fault is what is wrong with the browser; empty for nothing that was found.
func (v *vitals) fault() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.sick
}

// end kills a sick browser. Its captures are lost to them through no fault of their own, unless it is worn by what they do.
func (v *vitals) end(why string, worn bool) {
	v.mu.Lock()
	known := v.sick != ""
	v.sick, v.worn = cmp.Or(v.sick, why), v.worn || worn && !known
	v.mu.Unlock()
	if known {
		return
	}
	v.log.Warn("browser is sick: killed", "pid", v.browser.process.pid, "reason", why)
	v.browser.process.kill()
}

// look reads the browser's processes and returns what is wrong with them, empty for nothing.
func (v *vitals) look() string {
	all := family(v.browser.process.pid)
	v.mu.Lock()
	defer v.mu.Unlock()
	for pid, name := range v.shared {
		p := all[pid]
		switch {
		case p.ended():
			return "the " + name + " process " + p.fate()
		case p.stopped():
			v.frozen[pid]++
		default:
			delete(v.frozen, pid)
		}
		if v.frozen[pid] >= looksFrozen {
			return "the " + name + " process " + p.fate()
		}
	}
	v.learn(all)
	v.endFrozen(all)
	return ""
}

// endFrozen kills the processes that are stopped and that not every page depends on.
func (v *vitals) endFrozen(all map[int]member) {
	for pid, p := range all {
		switch {
		case v.shared[pid] != "":
		case !p.stopped():
			delete(v.frozen, pid)
		default:
			if v.frozen[pid]++; v.frozen[pid] >= looksFrozen {
				v.log.Warn("process of a browser is stopped: killed", "pid", v.browser.process.pid, "process", pid)
				killProcess(pid)
			}
		}
	}
	for pid := range v.frozen {
		if _, lives := all[pid]; !lives {
			delete(v.frozen, pid)
		}
	}
}

// learn notes shared processes that have begun.
func (v *vitals) learn(all map[int]member) {
	for pid, p := range all {
		name, sure := p.shared(all, v.browser.process.pid)
		if name == "" || v.shared[pid] != "" {
			continue
		}
		if v.seen[pid]++; sure || v.seen[pid] >= looksZygote {
			v.shared[pid] = name
		}
	}
	for pid := range v.seen {
		if _, lives := all[pid]; !lives {
			delete(v.seen, pid)
		}
	}
}

// sound looks whether every shared process that is known still lives and runs, and ends the browser when one does not.
func (v *vitals) sound() bool { return v.holds(member.idle) }

// lives is sound, but for processes that are stopped: they may go on.
func (v *vitals) lives() bool { return v.holds(member.ended) }

// holds looks whether no shared process is so, and ends the browser when one is.
func (v *vitals) holds(is func(member) bool) bool {
	why, known := v.first(is)
	if why != "" && !known {
		v.end(why, false)
	}
	return why == ""
}

// first returns what is wrong with the browser, empty for nothing, and whether that was known before.
func (v *vitals) first(is func(member) bool) (why string, known bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.sick != "" {
		return v.sick, true
	}
	for pid, name := range v.shared {
		m := member{state: "X"}
		if fields := status(pid); fields != nil {
			m.state = fields[0]
		}
		if is(m) {
			return "the " + name + " process " + m.fate(), false
		}
	}
	return "", false
}

// isWorn reports that the browser was ended because its pages gave it too much to do.
func (v *vitals) isWorn() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.worn
}

// pids are the ids of the shared processes of a name that are known, and for "page" those of the pages.
func (v *vitals) pids(name string) []int {
	if name == "page" {
		return slices.DeleteFunc(groupMembers(v.browser.process.pid), func(pid int) bool { return !isRenderer(pid) })
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	var list []int
	for pid, is := range v.shared {
		if is == name {
			list = append(list, pid)
		}
	}
	return list
}
