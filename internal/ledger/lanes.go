package ledger

import (
	"container/heap"
	"slices"
	"sync"
	"time"
)

// slowAnswer is how long a receiver may take for an answer before it counts as slow.
const slowAnswer = time.Second

// loadedAtOnce is how many deliveries to receivers that are not prompt are read at once: a thousand that fall due together
// keep the database from no other.
const loadedAtOnce = 8

// promptKept is how many receivers are remembered as prompt.
const promptKept = 20_000

// laneBatch is how many ids of a receiver's due deliveries are read at once.
const laneBatch = 32

// Receiver names who gets a delivery. Order and breakers are by account and host.
type Receiver struct {
	Account string
	Host    string // host and port, lower case, as in the URL
}

// Limits of deliveries at once.
type Limits struct {
	Workers   int           // in all
	PerHost   int           // to one host, whoever owes them
	ProbeWait time.Duration // before the first try of a receiver whose breaker has opened; 0 is 5 s
}

func (l Limits) withDefaults() Limits {
	if l.ProbeWait == 0 {
		l.ProbeWait = probeWait
	}
	return l
}

// Lanes decides which delivery is next. Each receiver has a lane of its own, and accounts take turns: what one owes to a
// slow, dead or busy receiver delays nothing else. It knows ids and times only; the records stay in the database. It is
// safe for concurrent use.
type Lanes struct {
	limits Limits
	wake   chan struct{}

	mu       sync.Mutex
	lanes    map[Receiver]*lane
	prompt   promptReceivers // answered within slowAnswer the last time; nothing may be owed to them now
	accounts map[string]*accountLanes
	hosts    map[string]int  // deliveries on their way to each
	turns    []*accountLanes // those with lanes that are ready, the next one first
	later    laneHeap        // lanes that wait for a time
	shut     map[string]bool // hosts that get nothing more
	busy     int             // deliveries that a worker holds
	loading  int             // of those, to receivers that are not prompt, what is being read
	opened   uint64
}

// accountLanes are the lanes of an account.
type accountLanes struct {
	lanes   int                // that exist
	ready   [standings][]*lane // may have something due
	busy    [standings]int     // deliveries that a worker holds
	turn    standing           // whose turn it is among ready
	inTurns bool
}

// NewLanes makes an empty set.
func NewLanes(limits Limits) *Lanes {
	return &Lanes{
		limits: limits.withDefaults(), wake: make(chan struct{}, 1),
		lanes: map[Receiver]*lane{}, prompt: promptReceivers{}, accounts: map[string]*accountLanes{}, hosts: map[string]int{},
		shut: map[string]bool{},
	}
}

// Note says that a delivery of a kind is due at a time.
func (l *Lanes) Note(r Receiver, kind Kind, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	one := l.lane(r)
	if one.shelves[kind].note(at) {
		l.arrange(one)
	}
}

// Urge has a pending delivery sent before all others of its receiver, and now, whatever the breaker says. One that is on
// its way is sent once more after that.
func (l *Lanes) Urge(r Receiver, id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	one := l.lane(r)
	if _, held := one.held[id]; held {
		one.again[id] = struct{}{}
		return
	}
	l.urge(one, id)
}

func (l *Lanes) urge(one *lane, id string) {
	if slices.Contains(one.urgent, id) {
		return
	}
	for kind := range one.shelves {
		s := &one.shelves[kind]
		s.ids = slices.DeleteFunc(s.ids, func(other string) bool { return other == id })
	}
	one.urgent = append(one.urgent, id)
	l.arrange(one)
}

// Restore sets the breaker of a receiver as it was before a restart.
func (l *Lanes) Restore(r Receiver, b Breaker) {
	l.mu.Lock()
	defer l.mu.Unlock()
	one := l.lane(r)
	b.Wait = min(b.Wait, probeGrowth*l.limits.ProbeWait)
	if latest := b.OpenedAt.Add(b.Wait); b.ProbeAt.Sub(latest) > probeGrowth*l.limits.ProbeWait {
		b.ProbeAt = latest
	}
	one.breaker = b
	l.arrange(one)
}

// Breaker returns the state of a receiver's breaker.
func (l *Lanes) Breaker(r Receiver) Breaker {
	l.mu.Lock()
	defer l.mu.Unlock()
	if one := l.lanes[r]; one != nil {
		return one.breaker
	}
	return Breaker{}
}

// LaneStats count what Lanes knows.
type LaneStats struct {
	Sending int    // deliveries that a worker holds
	Open    int    // breakers that are open
	Opened  uint64 // breakers that have opened since the start
}

// Stats returns the counts of now.
func (l *Lanes) Stats() LaneStats {
	l.mu.Lock()
	defer l.mu.Unlock()
	stats := LaneStats{Sending: l.busy, Opened: l.opened}
	for _, one := range l.lanes {
		if one.breaker.Open() {
			stats.Open++
		}
	}
	return stats
}

func (l *Lanes) lane(r Receiver) *lane {
	one := l.lanes[r]
	if one == nil {
		t := l.accounts[r.Account]
		if t == nil {
			t = &accountLanes{}
			l.accounts[r.Account] = t
		}
		_, known := l.prompt[r]
		one = &lane{
			Receiver: r, account: t, limit: l.limits.PerHost, known: known, held: map[string]struct{}{}, again: map[string]struct{}{},
			index: -1,
		}
		l.lanes[r] = one
		t.lanes++
	}
	return one
}

// arrange puts a lane where its next step is waited for, after something about it has changed.
func (l *Lanes) arrange(one *lane) {
	at, can := one.next()
	switch {
	case !can:
		l.unschedule(one)
	case one.index < 0:
		one.at = at
		heap.Push(&l.later, one)
	case !at.Equal(one.at):
		one.at = at
		heap.Fix(&l.later, one.index)
	}
	l.ring()
}

func (l *Lanes) unschedule(one *lane) {
	if one.index >= 0 {
		heap.Remove(&l.later, one.index)
	}
}

func (l *Lanes) ring() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}
