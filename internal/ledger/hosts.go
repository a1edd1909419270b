package ledger

import (
	"hash/fnv"
	"maps"
	"slices"
	"sync"
	"time"
)

// Hosts says to which hosts this process sends deliveries, where several share the work: each host has one node at a time, so
// that its breaker, its limit and the order of what it is sent are in one memory. It knows what the records say, and what is to be
// asked of them. The zero value is of a process that is alone: every host is its own. It is safe for concurrent use.
type Hosts struct {
	mu     sync.Mutex
	shared bool
	active bool // deliveries are sent here
	self   string
	nodes  []string // those that deliver, this one included
	mine   map[string]bool
	others map[string]bool              // hosts of other nodes, as far as is known
	wanted map[string]map[Due]time.Time // what is owed to hosts that nobody is known to have
	asked  chan struct{}
}

// Due is a kind of what a receiver is owed.
type Due struct {
	Receiver
	Kind Kind
}

// NewHosts is for a process that shares the work with others. None is its own yet.
func NewHosts() *Hosts {
	h := &Hosts{shared: true, asked: make(chan struct{}, 1)}
	h.clear()
	return h
}

func (h *Hosts) clear() {
	h.mine, h.others, h.wanted = map[string]bool{}, map[string]bool{}, map[string]map[Due]time.Time{}
}

// Mine reports whether deliveries to the host are sent here.
func (h *Hosts) Mine(host string) bool {
	if h == nil || !h.shared {
		return true
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	_, mine := h.mine[host]
	return mine
}

// Want notes that something is owed to a host that is not known to be this node's: if it is to have the host, it asks for it.
func (h *Hosts) Want(d Due, at time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.active || h.others[d.Host] || !h.prefers(d.Host) {
		return
	}
	of := h.wanted[d.Host]
	if of == nil {
		of = map[Due]time.Time{}
		h.wanted[d.Host] = of
	}
	if first, known := of[d]; !known || at.Before(first) {
		of[d] = at
	}
	h.ask()
}

func (h *Hosts) ask() {
	select {
	case h.asked <- struct{}{}:
	default:
	}
}

// prefers reports whether the host is best given to this node: of all nodes the one that makes with the host the highest sum. So
// one that joins or ends moves no other's hosts.
func (h *Hosts) prefers(host string) bool {
	best, most := "", uint64(0)
	for _, node := range h.nodes {
		sum := fnv.New64a()
		_, _ = sum.Write([]byte(node + " " + host))
		// FNV alone leaves what ends alike near one another.
		n := sum.Sum64()
		n ^= n >> 33
		n *= 0xff51afd7ed558ccd
		n ^= n >> 33
		if best == "" || n > most {
			best, most = node, n
		}
	}
	return best == h.self
}

// Serve says whether deliveries are sent here. Where they are not, none is wanted, and all are to be given back.
func (h *Hosts) Serve(active bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.active = active
	h.ask()
}

// Set says who delivers. What is known of the hosts of others is asked again.
func (h *Hosts) Set(self string, nodes []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.self != self {
		h.clear()
	}
	h.self, h.nodes = self, nodes
	clear(h.others)
	h.ask()
}

// Forget says that this process has ended as a node: it has no hosts any more.
func (h *Hosts) Forget() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.clear()
}

// Asked has a value when there may be something in Wanted or Leaving.
func (h *Hosts) Asked() <-chan struct{} { return h.asked }

// Wanted returns at most limit hosts that this node is to ask for, with what is owed to them.
func (h *Hosts) Wanted(limit int) map[string][]Due {
	h.mu.Lock()
	defer h.mu.Unlock()
	hosts := map[string][]Due{}
	for host, of := range h.wanted {
		if len(hosts) == limit {
			break
		}
		hosts[host] = slices.Collect(maps.Keys(of))
	}
	return hosts
}

// Given follows the commit in which the node asked for hosts: it has those that are mine. It returns what is owed to them.
func (h *Hosts) Given(node string, mine map[string]bool) map[Due]time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	owed := map[Due]time.Time{}
	for host, is := range mine {
		if node != h.self {
			delete(h.wanted, host) // asked for again when what is owed is looked through
			continue
		}
		if is {
			h.mine[host] = true
			maps.Copy(owed, h.wanted[host])
		} else {
			h.others[host] = true
		}
		delete(h.wanted, host)
	}
	return owed
}

// Leaving returns the hosts that this node has and is to give back, because another is to have them or nothing is sent here.
func (h *Hosts) Leaving() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var hosts []string
	for host := range h.mine {
		if !h.active || !h.prefers(host) {
			hosts = append(hosts, host)
		}
	}
	return hosts
}

// Left follows the commit in which the node has given hosts back.
func (h *Hosts) Left(hosts []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, host := range hosts {
		delete(h.mine, host)
	}
}

// Doubt says that others may have given hosts back unheard.
func (h *Hosts) Doubt() {
	h.mu.Lock()
	defer h.mu.Unlock()
	clear(h.others)
}

// Freed says that another node has given hosts back.
func (h *Hosts) Freed(hosts []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, host := range hosts {
		delete(h.others, host)
	}
}
