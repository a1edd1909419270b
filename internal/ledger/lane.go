package ledger

import "time"

// Kind is whether a delivery was tried before. What was not goes first: a receiver that refuses some is not kept from the
// others by them.
type Kind int

// The kinds of deliveries.
const (
	Fresh Kind = iota // never tried
	Tried
	kinds
)

// freshInRow is how many deliveries that were never tried go before one that was, so that neither waits for ever.
const freshInRow = 3

// standing is what is known of a receiver.
type standing int

const (
	prompt  standing = iota // took the last one, or refused it for what it was, within slowAnswer
	unsure                  // never heard of, or slow
	failing                 // the last attempts speak against it
	standings
)

// shelf is what is owed to a receiver, of one kind.
type shelf struct {
	ids     []string  // due, in order
	due     time.Time // when there is more in the database; zero: nothing is known to be
	reading bool
	sending int // how many of them the receiver has not answered yet
}

// lane is a receiver for which something is owed.
type lane struct {
	Receiver
	account *accountLanes
	limit   int // deliveries at once
	breaker Breaker
	known   bool // it has answered, and the last time within slowAnswer
	slow    bool // the last answer took long
	urgent  []string
	shelves [kinds]shelf
	freshAt time.Time           // not before: what was never tried
	aliveAt time.Time           // when it last took one, or refused it for what it was
	inRow   int                 // that were never tried, since one that was
	held    map[string]struct{} // a worker holds them until they are recorded
	again   map[string]struct{} // of those, what is to be sent once more, and at once
	sending int                 // of those, how many the receiver has not answered yet
	queued  bool                // in account.ready
	class   standing            // there
	at      time.Time
	index   int // in Lanes.later; -1 when it is not there
}

func (one *lane) standing() standing {
	switch {
	case one.breaker.Failures > 0:
		return failing
	case one.known:
		return prompt
	default:
		return unsure
	}
}

// next is when the lane can do something, if nothing but time keeps it from it.
func (one *lane) next() (time.Time, bool) {
	if len(one.urgent) > 0 && one.sending < one.limit {
		return time.Time{}, true
	}
	fresh, canFresh := one.nextOf(Fresh)
	tried, canTried := one.nextOf(Tried)
	if canTried && (!canFresh || tried.Before(fresh)) {
		return tried, true
	}
	return fresh, canFresh
}

// nextOf is when the lane can do something for one kind.
func (one *lane) nextOf(kind Kind) (time.Time, bool) {
	s := &one.shelves[kind]
	at := s.due
	if len(s.ids) > 0 {
		at = time.Time{}
	}
	if s.reading || len(s.ids) == 0 && s.due.IsZero() || !one.hasPlace(kind) {
		return time.Time{}, false
	}
	gate := one.freshAt
	if one.probes(kind) {
		gate = one.breaker.ProbeAt
	}
	if gate.After(at) {
		return gate, true
	}
	return at, true
}

// probes reports whether the breaker lets this kind through only to try whether the receiver is back.
func (one *lane) probes(kind Kind) bool {
	return one.breaker.Silent() || kind == Tried && one.breaker.Open()
}

// hasPlace reports whether the receiver may be sent one more of a kind. One that nobody has heard of, or that does not
// answer, gets one at a time, one that does not answer well one of each kind. Those that were tried leave half of the places
// to those that were not: what hangs again delays nothing new. A slow receiver leaves a place at its host to other accounts.
func (one *lane) hasPlace(kind Kind) bool {
	most, own := one.limit, one.shelves[kind].sending
	switch {
	case one.breaker.Silent():
		return one.sending == 0
	case one.breaker.Failures > 0:
		return own == 0
	case !one.known && !one.slow:
		return one.sending == 0
	case one.slow:
		most = max(1, most-1)
	}
	return one.sending < most && (kind == Fresh || own < max(1, most/2))
}

// kind is which of the two is next, of a lane that can do something now.
func (one *lane) kind(now time.Time) Kind {
	fresh, canFresh := one.nextOf(Fresh)
	tried, canTried := one.nextOf(Tried)
	switch {
	case !canTried || tried.After(now):
		return Fresh
	case !canFresh || fresh.After(now) || one.inRow >= freshInRow:
		return Tried
	default:
		return Fresh
	}
}

// note says that there is something due at a time.
func (s *shelf) note(at time.Time) bool {
	if !s.due.IsZero() && !at.Before(s.due) {
		return false
	}
	s.due = at
	return true
}

// reading reports whether ids are being read.
func (one *lane) reading() bool { return one.shelves[Fresh].reading || one.shelves[Tried].reading }

// idle reports whether nothing is owed.
func (one *lane) idle() bool {
	for _, s := range one.shelves {
		if s.reading || len(s.ids) > 0 || !s.due.IsZero() {
			return false
		}
	}
	return len(one.held) == 0 && len(one.urgent) == 0
}

// promptReceivers are those that answered well and soon the last time, remembered also while nothing is owed to them.
type promptReceivers map[Receiver]struct{}

// note remembers whether a receiver is prompt. Where they are too many, another one is forgotten.
func (m promptReceivers) note(r Receiver, is bool) {
	if !is {
		delete(m, r)
		return
	}
	m[r] = struct{}{}
	for other := range m {
		if len(m) <= promptKept {
			return
		}
		delete(m, other)
	}
}
