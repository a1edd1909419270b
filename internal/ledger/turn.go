package ledger

import (
	"cmp"
	"slices"

	"github.com/savepage/savepage"
)

// Class says how soon a capture is wanted.
type Class int

// The classes, those that go first before the others.
const (
	Interactive Class = iota // a client waits
	Async                    // a client gets the result later
	Batch                    // it came with many others
)

// ClassOf returns the class of a capture.
func ClassOf(c savepage.Capture) Class {
	switch {
	case c.Interactive:
		return Interactive
	case c.BatchID != "":
		return Batch
	default:
		return Async
	}
}

// cost is how far a capture of the class moves the next one of its account and class back. Where all classes wait, one that
// nobody waits for starts for every 25 that a client waits for, and one of a batch for every 25 of those: each class goes
// before those after it, and none waits for ever.
func (c Class) cost() int64 { return [...]int64{Interactive: 1, Async: 25, Batch: 625}[c] }

// Turns gives the captures of one account their turns: what they are taken in the order of (start-time fair queueing). A
// turn is the account's last one of the class, or the present one of the whole queue if that is later, plus the cost. So a
// capture never goes before an earlier one of its account and class, and the first of an account that has nothing waiting
// goes before what others have waiting. Turns are no times: a clock that steps does not touch them.
type Turns struct {
	Now  int64    // the latest Head.Now of all that were taken
	Last [3]int64 // the account's last turns, by Class
}

// Next returns the turn of the next capture of a class.
func (t *Turns) Next(class Class) int64 {
	t.Last[class] = t.Beside(class) + class.cost()
	return t.Last[class]
}

// Beside returns the turn of a capture that needs no page as long as another of its flight is on the way: it moves those
// after it not back.
func (t *Turns) Beside(class Class) int64 { return max(t.Last[class], t.Now) }

// Head is what an account would have rendered next.
type Head struct {
	Account string
	Class   Class
	Turn    int64
	ID      string // of the capture
	Job     int64  // of the queue
	Limit   int    // pages that the account may hold at once; 0 for as many as there are
}

// Now is the present turn of the queue when the capture is taken: one cost before its own, so that a newcomer of its class
// goes next.
func (h Head) Now() int64 { return h.Turn - h.Class.cost() }

// Pages is how many captures are rendered at once.
type Pages struct {
	Usual   int
	Reserve int // more of them, for accounts that hold none while all usual ones are taken
	Each    int // that an account without a limit of its own may hold; 0 for as many as there are
}

// Next chooses whose capture is taken, by its index in heads, or -1 for none. Holding counts the pages that accounts hold.
// Accounts that hold none go first, then those that hold less than an equal share, and among equals the earliest turn. So
// an account alone gets every page, and never keeps all of them from another that waits.
func (p Pages) Next(holding map[string]int, heads []Head) int {
	taken, accounts := 0, len(heads)
	for account, pages := range holding {
		taken += pages
		if !slices.ContainsFunc(heads, func(h Head) bool { return h.Account == account }) {
			accounts++
		}
	}
	share := max(p.Usual/max(accounts, 1), 1)
	best := -1
	for i, h := range heads {
		if p.open(h, holding[h.Account], taken) && (best < 0 || before(h, heads[best], holding, share)) { //nolint:gosec // not below 0 here
			best = i
		}
	}
	return best
}

// open reports whether an account that holds so many of the taken pages may have another.
func (p Pages) open(h Head, holds, taken int) bool {
	switch {
	case h.Limit > 0 && holds >= h.Limit:
		return false
	case holds == 0:
		return taken < p.Usual+p.Reserve
	default:
		return taken < p.Usual
	}
}

func before(a, b Head, holding map[string]int, share int) bool {
	rank := func(h Head) int {
		switch holds := holding[h.Account]; {
		case holds == 0:
			return 0
		case holds < share:
			return 1
		default:
			return 2
		}
	}
	return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.Turn, b.Turn), cmp.Compare(a.ID, b.ID)) < 0
}
