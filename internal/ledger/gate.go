package ledger

import (
	"maps"
	"time"
)

// Gate is the lanes of a process to which hosts are given, and from which they are taken.
type Gate struct{ *Lanes }

// Shut sends nothing more to a host, and reports whether nothing is on its way to it and nothing waits for its record.
func (l Gate) Shut(host string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.shut[host] = true
	for r, one := range l.lanes {
		if r.Host == host && (len(one.held) > 0 || one.reading()) {
			return false
		}
	}
	return true
}

// Open sends to a host again that was shut.
func (l Gate) Open(host string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.shut, host)
	l.ring()
}

// Drop forgets what is owed to hosts, and opens them: another process sends to them from now on. What is on its way stays known
// until it is recorded.
func (l Gate) Drop(gone func(host string) bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for r, one := range l.lanes {
		if !gone(r.Host) {
			continue
		}
		one.urgent, one.breaker = nil, Breaker{}
		clear(one.again)
		for kind := range one.shelves {
			one.shelves[kind].ids, one.shelves[kind].due = nil, time.Time{}
		}
		l.arrange(one)
		l.dropIdle(one)
	}
	maps.DeleteFunc(l.shut, func(host string, _ bool) bool { return gone(host) })
}
