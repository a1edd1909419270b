package traffic

import (
	"fmt"
	"strings"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/guard"
	"github.com/savepage/savepage/internal/page/address"
)

const maxNamed = 10 // requests that the report names

// Waiting counts the open requests that settling waits for.
func (r *Requests) Waiting() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for _, one := range r.open {
		if one.waited {
			n++
		}
	}
	return n
}

// Quiet is the time since the last event of the network.
func (r *Requests) Quiet() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return time.Since(r.active)
}

// QuietAt is what Quiet was when the page or a worker was asked. What they answered is as old: on a busy machine it may be
// read much later.
func (r *Requests) QuietAt(asked time.Time) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return max(0, asked.Sub(r.active))
}

// ResetQuiet notes that the page was given cause to do something: quiet is counted from here.
func (r *Requests) ResetQuiet() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.active = time.Now()
}

// SetGrowing notes whether what the page asks for again brings more of it.
func (r *Requests) SetGrowing(is bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.growing = is
}

// Scripts counts the requests for scripts.
func (r *Requests) Scripts() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.scripts
}

// Asks reports whether a request for the URL is open.
func (r *Requests) Asks(url string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, one := range r.open {
		if same(one.url, url) {
			return true
		}
	}
	return false
}

// Open names at most n open requests that are waited for, oldest first.
func (r *Requests) Open(n int) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var names []string
	for _, one := range oldest(r.open) {
		if one.waited && len(names) < n {
			names = append(names, address.Named(one.url))
		}
	}
	return names
}

// OpenList is up to three open requests for the end of a message.
func (r *Requests) OpenList() string {
	names := r.Open(3)
	if len(names) == 0 {
		return ""
	}
	return " (open: " + strings.Join(names, ", ") + ")"
}

// Undrawn are the pictures and frames that were refused: unwanted ones, which leave no trace, and the others.
func (r *Requests) Undrawn() (unwanted, others []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, one := range r.refusals {
		switch {
		case !one.shown:
		case one.unwanted():
			unwanted = append(unwanted, one.url)
		default:
			others = append(others, one.url)
		}
	}
	return unwanted, others
}

// Refused counts the requests that options of the capture keep from the page.
func (r *Requests) Refused() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.unmade
}

// Report counts what became of the page's requests. What the guard refused is counted by its own record, once: the browser
// sees the same as a failure.
func (r *Requests) Report(events []guard.Event) savepage.RequestReport {
	r.mu.Lock()
	defer r.mu.Unlock()
	blocked, hosts, names := blockedBy(events)
	all := savepage.RequestReport{Total: r.total, Blocked: blocked + r.unmade, Failed: r.failed, Named: names}
	for _, one := range r.refusals[:min(len(r.refusals), maxNamed)] {
		all.Named = append(all.Named, fmt.Sprintf("blocked: %s (%s)", address.Named(one.url), one.option))
	}
	for _, f := range r.faults {
		host, port := address.Authority(f.url)
		if hosts[fmt.Sprintf("%s:%d", host, port)] {
			all.Failed--
			continue
		}
		all.Named = append(all.Named, fmt.Sprintf("failed: %s (%s)", address.Named(f.url), f.what))
	}
	open := oldest(r.open)
	all.Pending = len(open)
	for _, one := range open {
		all.Named = append(all.Named, "pending: "+address.Named(one.url))
	}
	all.Named = all.Named[:min(len(all.Named), maxNamed)]
	return all
}

// blockedBy counts the connections that the guard has refused, and names each host once.
func blockedBy(events []guard.Event) (blocked int, hosts map[string]bool, names []string) {
	hosts = map[string]bool{}
	for _, e := range events {
		switch e.Kind {
		case guard.Filtered, guard.Blocked, guard.OverBudget:
		default:
			continue
		}
		if e.Host == guard.Nowhere { // a refused socket, which is counted by its own address
			continue
		}
		blocked++
		at := fmt.Sprintf("%s:%d", e.Host, e.Port)
		if !hosts[at] {
			hosts[at] = true
			names = append(names, "blocked: "+at)
		}
	}
	return blocked, hosts, names
}
