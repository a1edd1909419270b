// Package room says how many pages a machine has room for at once: from its processors and its memory, and from what they do. It
// renders nothing.
package room

const (
	usualPerCore = 2         // pages that keep the processors busy: measured on 2 cores without a GPU
	mostPerCore  = 8         // pages that mostly wait for their servers
	pageMemory   = 512 << 20 // bytes that a page may need while it is rendered

	idle  = 0.25 // part of the processors' time from which on they can do more
	spent = 0.05 // and up to which they do too much
)

// Bounds are how many pages a machine may render at once.
type Bounds struct {
	Usual int // to begin with
	Most  int // while the processors have time left
}

// Of returns the bounds of a machine with so many processors and bytes of memory; 0 bytes are not known.
func Of(processors int, memory int64) Bounds {
	b := Bounds{Usual: usualPerCore * processors, Most: mostPerCore * processors}
	if memory > 0 {
		b.Most = min(b.Most, int(memory/pageMemory))
	}
	b.Most = max(b.Most, 1)
	b.Usual = max(min(b.Usual, b.Most), 1)
	return b
}

// Reading is what a machine did since it was read before.
type Reading struct {
	Idle  float64 // part of the processors' time that nobody used
	Free  int64   // bytes of memory that may be taken yet; negative: not known
	InUse int     // pages
}

// Room is how many pages there may be now. It is not safe for concurrent use.
type Room struct {
	bounds Bounds
	pages  int
}

// New returns a Room for the usual number of pages.
func New(b Bounds) *Room { return &Room{bounds: b, pages: b.Usual} }

// Pages is how many pages there may be.
func (r *Room) Pages() int { return r.pages }

// Look takes in a reading and returns how many pages there may be from now on. A machine that runs out of memory gets fewer, at
// once; one whose processors wait, with every page in use, gets more, step by step, and gives these back when they are busy.
func (r *Room) Look(is Reading) int {
	step := max(1, r.bounds.Usual/8)
	scarce := is.Free >= 0 && is.Free < pageMemory
	ample := is.Free < 0 || is.Free >= int64(1+step)*pageMemory
	switch {
	case scarce:
		r.pages = max(1, min(r.pages, is.InUse)-1)
	case r.pages < r.bounds.Usual && ample:
		r.pages = min(r.pages+step, r.bounds.Usual)
	case r.pages > r.bounds.Usual && is.Idle < spent:
		r.pages = max(r.pages-step, r.bounds.Usual)
	case is.InUse >= r.pages && is.Idle > idle && ample:
		r.pages = min(r.pages+step, r.bounds.Most)
	}
	return r.pages
}
