package traffic

import (
	"fmt"
	"strings"
	"sync"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/guard"
	"github.com/savepage/savepage/internal/page/address"
	"github.com/savepage/savepage/internal/page/session"
)

const (
	maxFaults = 256 // failed requests that are remembered
	maxNamed  = 10  // requests that the report names
)

// record is what became of requests that brought nothing.
type record struct {
	noted    sync.Mutex
	faults   []fault
	failed   int
	refused  map[string]bool // ids of requests that a rule has refused
	refusals []refusal       // the first of them
	unmade   int             // how many a rule has refused
	texts    texts
}

// fault is a request that failed.
type fault struct {
	url  string
	what string // Chromium's code, the status, or a few words
}

// refusal is a request that a rule has refused.
type refusal struct {
	url, option string
	shown       bool // a picture or a frame
}

// unwanted reports whether the page is to look as if it had never asked.
func (r refusal) unwanted() bool {
	switch r.option {
	case "block_ads", "block_trackers", "block_chats":
		return true
	default:
		return false
	}
}

// keep returns what may be kept of a text.
func (c *record) keep(text string) string {
	c.noted.Lock()
	defer c.noted.Unlock()
	return c.texts.keep(text)
}

// fault notes a request that failed.
func (c *record) fault(url, what string) {
	c.noted.Lock()
	defer c.noted.Unlock()
	c.failed++
	if len(c.faults) < maxFaults {
		c.faults = append(c.faults, fault{c.texts.keep(url), what})
	}
}

// Refuse notes a request that is not made, with the option that refuses it; shown says that it is for a picture or a
// frame. The id may be empty.
func (c *record) Refuse(id, url, option string, shown bool) {
	c.noted.Lock()
	defer c.noted.Unlock()
	c.unmade++
	if len(c.refusals) < session.MaxTracked {
		c.refusals = append(c.refusals, refusal{c.texts.keep(url), option, shown})
	}
	if id != "" && len(c.refused) < session.MaxTracked {
		c.refused[id] = true
	}
}

// refuses reports whether a rule has refused the request with an id.
func (c *record) refuses(id string) bool {
	c.noted.Lock()
	defer c.noted.Unlock()
	return c.refused[id]
}

// Undrawn are the pictures and frames that were refused: unwanted ones, which leave no trace, and the others.
func (c *record) Undrawn() (unwanted, others []string) {
	c.noted.Lock()
	defer c.noted.Unlock()
	for _, one := range c.refusals {
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
func (c *record) Refused() int {
	c.noted.Lock()
	defer c.noted.Unlock()
	return c.unmade
}

// report counts and names what failed or was refused. What the guard refused is counted by its own record, once: the browser
// sees the same as a failure.
func (c *record) report(events []guard.Event) savepage.RequestReport {
	c.noted.Lock()
	defer c.noted.Unlock()
	blocked, hosts, names := blockedBy(events)
	broken := brokenBy(events)
	all := savepage.RequestReport{Blocked: blocked + c.unmade, Failed: c.failed, Named: names}
	for _, one := range c.refusals[:min(len(c.refusals), maxNamed)] {
		all.Named = append(all.Named, fmt.Sprintf("blocked: %s (%s)", address.Named(one.url), one.option))
	}
	for _, f := range c.faults {
		at := Server(f.url)
		if hosts[at] {
			all.Failed--
			continue
		}
		if why, known := broken[at]; known && hungUp(f.what) {
			f.what = why
		}
		all.Named = append(all.Named, fmt.Sprintf("failed: %s (%s)", address.Named(f.url), f.what))
	}
	return all
}

// hungUp reports an error of the browser that says only that our proxy has brought no answer: the proxy knows why.
func hungUp(netError string) bool {
	switch netError {
	case "net::ERR_EMPTY_RESPONSE", "net::ERR_TUNNEL_CONNECTION_FAILED", "net::ERR_CONNECTION_CLOSED", "net::ERR_CONNECTION_RESET":
		return true
	default:
		return false
	}
}

// Server is where a URL is fetched from, as "host:port".
func Server(url string) string {
	host, port := address.Authority(url)
	return fmt.Sprintf("%s:%d", host, port)
}

// brokenBy are the reasons for which connections failed, by host and port.
func brokenBy(events []guard.Event) map[string]string {
	reasons := map[string]string{}
	for _, e := range events {
		switch e.Kind {
		case guard.NotResolved, guard.Refused, guard.Timeout, guard.NoWayOut:
			reasons[fmt.Sprintf("%s:%d", e.Host, e.Port)] = strings.TrimSuffix(e.Detail, ".")
		default:
		}
	}
	return reasons
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
