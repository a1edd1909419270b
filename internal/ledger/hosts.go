package ledger

import (
	"sync"
	"time"
)

// How long a delivery steps aside when its receiver is busy. Those that step aside come back one by one, hostSpacing
// apart, so that a receiver with thousands of them does not keep the queue busy.
const (
	hostPause    = 50 * time.Millisecond
	hostSpacing  = 10 * time.Millisecond
	hostPauseMax = 30 * time.Second
)

// Hosts limits how many deliveries are on their way to one receiver at once, so that a slow one does not hold all workers.
type Hosts struct {
	limit int
	mu    sync.Mutex
	hosts map[string]*host
}

type host struct {
	busy int
	next time.Time // when the next one that steps aside may come back
}

// NewHosts makes a limit of so many at once for each receiver.
func NewHosts(limit int) *Hosts { return &Hosts{limit: limit, hosts: map[string]*host{}} }

// Enter takes a place at the receiver. Without a free one it returns a nil function and how long to step aside; otherwise
// the function gives the place back.
func (h *Hosts) Enter(name string, now time.Time) (leave func(), aside time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	one := h.hosts[name]
	if one == nil {
		one = &host{}
		h.hosts[name] = one
	}
	if one.busy >= h.limit {
		return nil, one.pause(now)
	}
	one.busy++
	return func() { h.leave(name) }, 0
}

func (o *host) pause(now time.Time) time.Duration {
	at := now.Add(hostPause)
	if o.next.After(at) {
		at = o.next
	}
	if latest := now.Add(hostPauseMax); at.After(latest) {
		at = latest
	}
	o.next = at.Add(hostSpacing)
	return at.Sub(now)
}

func (h *Hosts) leave(name string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	one := h.hosts[name]
	one.busy--
	if one.busy == 0 {
		delete(h.hosts, name)
	}
}
