package browser

import (
	"cmp"
	"slices"
	"sync"
	"time"
)

// Running is a browser that runs.
type Running struct {
	PID      int
	Since    time.Time
	Kind     string // "apart": it has one page, "moving": pictures move in it; else empty
	Pages    int    // that captures use
	Captures int    // that have used it
	Memory   int64  // bytes that its processes hold and share with no other
	Ending   string // why it ends with its last page; empty while it does not
}

// Replaced is a browser that was replaced, or that has died.
type Replaced struct {
	At     time.Time
	PID    int
	Reason string
}

// maxReplaced is how many of the browsers that were replaced are remembered.
const maxReplaced = 10

// journal remembers the browsers that were replaced last. A nil one remembers nothing.
type journal struct {
	mu  sync.Mutex
	all []Replaced // oldest first
}

func (j *journal) note(b *chromium, reason string) {
	if j == nil {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.all = append(j.all, Replaced{At: time.Now(), PID: b.process.pid, Reason: reason})
	j.all = j.all[max(0, len(j.all)-maxReplaced):]
}

// newest returns what is remembered, newest first.
func (j *journal) newest() []Replaced {
	j.mu.Lock()
	defer j.mu.Unlock()
	all := slices.Clone(j.all)
	slices.Reverse(all)
	return all
}

// Roster returns the browsers that run, oldest first, and those that were replaced last, newest first: at most ten. It reads the
// memory of each browser from the system.
func (p *Pool) Roster() ([]Running, []Replaced) {
	all := runningIn(p)
	if p.aside != nil {
		all = append(all, p.aside.all()...)
	}
	for i, one := range all {
		for _, pid := range groupMembers(one.PID) {
			_, private := memory(pid)
			all[i].Memory += private
		}
	}
	slices.SortFunc(all, func(a, b Running) int { return cmp.Or(a.Since.Compare(b.Since), a.PID-b.PID) })
	return all, p.replaced.newest()
}

// runningIn are a pool's own browsers, without their memory.
func runningIn(p *Pool) []Running {
	kind := ""
	switch {
	case p.cfg.alone:
		kind = "apart"
	case p.cfg.moving:
		kind = "moving"
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	all := make([]Running, len(p.browsers))
	for i, b := range p.browsers {
		all[i] = Running{PID: b.process.pid, Since: b.born, Kind: kind, Pages: b.inUse, Captures: b.taken, Ending: b.ending}
	}
	return all
}

// all are the browsers beside the pool's own.
func (a *aside) all() []Running {
	a.mu.Lock()
	defer a.mu.Unlock()
	var all []Running
	for one := range a.running {
		all = append(all, runningIn(one.pool)...)
	}
	return all
}
