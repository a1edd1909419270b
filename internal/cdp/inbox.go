package cdp

import "sync"

const (
	maxWaiting      = 20_000   // events that wait to be handled
	maxWaitingBytes = 64 << 20 // bytes of theirs
	maxBounded      = 1 << 20  // bytes of an event of a bounded method
	maxDropped      = 64 << 20 // bytes of the events that are dropped, until the session ends
	maxSpent        = 96 << 20 // of what a page's events cost, dropped or not, until the session ends
	eventCost       = 512      // of one event, besides its bytes
	thenEvery       = 5000     // dropped events between two calls of what a bound has for it
)

// inbox holds what was read for one page and what belongs to it, in order, until a goroutine of its own has handled it: what a
// page sends holds up no other page. A goroutine runs only while there is something to do.
type inbox struct {
	mu      sync.Mutex
	waiting []message
	events  int // of those
	bytes   int // of the events
	busy    bool
	bounds  map[string]*bound // by method
	dropped int               // bytes
	spent   int               // what the events have cost
	over    bool              // too much was sent: no event is handled any more
}

// bound is how many events of a method are handled.
type bound struct {
	left, dropped int
	then          func(*Session) // may be nil
}

// message is one for a session, or its end.
type message struct {
	envelope

	to  *Session
	end error // why the session ends; nil for a message
}

// put adds a message. begin reports that a goroutine must call drain; full, that an event is one too many.
func (b *inbox) put(m message) (begin, full bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if m.isEvent() {
		if b.events >= maxWaiting || b.bytes+m.size() > maxWaitingBytes {
			b.over = true
			return false, true
		}
		b.events++
		b.bytes += m.size()
	}
	b.waiting = append(b.waiting, m)
	begin = !b.busy
	b.busy = true
	return begin, false
}

// drain hands over everything, in order.
func (b *inbox) drain(handle func(message)) {
	for m, ok := b.next(); ok; m, ok = b.next() {
		handle(m)
	}
}

func (b *inbox) next() (m message, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.waiting) == 0 {
		b.waiting, b.busy = nil, false
		return message{}, false
	}
	m = b.waiting[0]
	b.waiting[0] = message{} // its bytes may be many
	b.waiting = b.waiting[1:]
	if m.isEvent() {
		b.events--
		b.bytes -= m.size()
	}
	return m, true
}

func (b *inbox) bound(method string, most int, then func(*Session)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.bounds == nil {
		b.bounds = map[string]*bound{}
	}
	b.bounds[method] = &bound{left: most, then: then}
}

func (b *inbox) droppedOf(method string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	if known := b.bounds[method]; known != nil {
		return known.dropped
	}
	return 0
}

func (b *inbox) spentSoFar() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.spent
}

// drops counts an event and reports that it goes beyond its bound, with what is to be done about it, and that the page has
// sent too much in all. size is the event's.
func (b *inbox) drops(m envelope, size int) (dropped bool, then func(*Session), flooded bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if m.hasID || b.over {
		return b.over && !m.hasID, nil, false
	}
	b.spent += size + eventCost
	b.over = b.spent > maxSpent
	known := b.bounds[string(m.method)]
	switch {
	case known == nil:
		return b.over, nil, b.over
	case known.left > 0 && size <= maxBounded:
		known.left--
		return b.over, nil, b.over
	}
	known.dropped++
	b.dropped += size
	if known.dropped%thenEvery == 0 {
		then = known.then
	}
	b.over = b.over || b.dropped > maxDropped
	return true, then, b.over
}

func (m message) isEvent() bool { return m.end == nil && !m.hasID }

func (m message) size() int { return len(m.params) + len(m.method) }
