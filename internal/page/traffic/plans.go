package traffic

import (
	"net/url"
	"strconv"
	"strings"
	"time"
)

// planned is how far ahead the next address of a page may be that is waited for: what comes later is a page of its own.
const planned = 2 * time.Second

// overdue is how late a document may be that was to come by itself.
const overdue = 3 * time.Second

// refresh is what a document says about the one that is to follow it, in its header or a meta element (HTML, "shared
// declarative refresh steps").
type refresh struct {
	after time.Duration
	to    string // as the document writes it; empty for itself
}

// readRefresh reads "2; url=/next". It reports false when it says nothing.
func readRefresh(text string) (refresh, bool) {
	text = strings.TrimSpace(text)
	end := strings.IndexFunc(text, func(c rune) bool { return c != '.' && (c < '0' || c > '9') })
	if end < 0 {
		end = len(text)
	}
	seconds, _, _ := strings.Cut(text[:end], ".")
	n, err := strconv.Atoi(seconds)
	if err != nil && (seconds != "" || end == 0) {
		return refresh{}, false
	}
	rest := strings.TrimLeft(text[end:], ";, \t\r\n")
	if len(rest) >= 3 && strings.EqualFold(rest[:3], "url") {
		if after, is := strings.CutPrefix(strings.TrimLeft(rest[3:], " \t"), "="); is {
			rest = strings.TrimLeft(after, " \t")
		}
	}
	if rest != "" && (rest[0] == '\'' || rest[0] == '"') {
		rest, _, _ = strings.Cut(rest[1:], rest[:1])
	}
	return refresh{after: time.Duration(n) * time.Second, to: rest}, true
}

// Planned is the time until the document goes to another by itself, when it does so soon; meta is the content of its meta
// element, empty when it has none. It reports false for an address that the page has been at: such a page goes round.
func (n *Navigation) Planned(meta string) (left time.Duration, is bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if meta == "" {
		meta = n.refresh
	}
	plan, says := readRefresh(meta)
	if !says || plan.after > planned || n.loadedAt.IsZero() {
		return 0, false
	}
	to := n.url
	if base, err := url.Parse(n.url); err == nil {
		if target, err := base.Parse(plan.to); err == nil {
			to = target.String()
		}
	}
	if been := n.been[to]; been > 1 || been == 1 && to != n.url { // itself once: it may have set a cookie
		return 0, false
	}
	left = plan.after - time.Since(n.loadedAt)
	return max(left, 0), left > -overdue
}

// Been is how many documents the page has had, and whether it has been at the address of this one before.
func (n *Navigation) Been() (documents int, here bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.commits, n.been[n.url] > 1
}

// Stay ends the way to another document: it is not waited for any longer.
func (n *Navigation) Stay() {
	n.mu.Lock()
	n.leaving = false
	url := n.url
	n.mu.Unlock()
	n.requests.drop(url)
}

// LeavingFor is how long ago the main frame set out for another document.
func (n *Navigation) LeavingFor() time.Duration {
	n.mu.Lock()
	defer n.mu.Unlock()
	return time.Since(n.left)
}

// leave notes that the main frame sets out for another document. The lock is held.
func (n *Navigation) leave() {
	if !n.leaving {
		n.left = time.Now()
	}
	n.leaving = true
}
