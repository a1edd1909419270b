package ledger

import "sync/atomic"

// Pending counts the captures that are queued or running, where one process alone accepts them. The zero value counts from
// nothing and lets none in.
type Pending struct {
	Max   int64
	count atomic.Int64
}

// Set says how many there are.
func (p *Pending) Set(n int64) { p.count.Store(n) }

// Add counts n more and reports whether there is room for them. They are counted in any case: whoever gives up takes them
// off with Done.
func (p *Pending) Add(n int64) bool { return p.count.Add(n) <= p.Max }

// Done takes n off.
func (p *Pending) Done(n int64) { p.count.Add(-n) }
