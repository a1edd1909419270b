package ledger

import (
	"cmp"
	"container/heap"
	"fmt"
	"sync"
)

// Heads finds the accounts whose turn is next, without looking at all that wait. Of each account it knows a place in the order
// that its first waiting capture does not go before; where that one stands is asked when it matters. So it need not be told of
// captures that cease to wait. It is of one process, which must tell it of each capture that begins to wait. The zero value knows
// of none. It is safe for concurrent use.
type Heads struct {
	mu     sync.Mutex
	places map[string]*place
	order  placeHeap
}

// place is where in the order the first capture of an account is, or later.
type place struct {
	account string
	turn    int64
	id      string // of the capture
	index   int    // in the heap
}

func (p *place) before(turn int64, id string) bool {
	return cmp.Or(cmp.Compare(p.turn, turn), cmp.Compare(p.id, id)) < 0
}

// Note says that a capture of an account waits, or none before it.
func (h *Heads) Note(account string, turn int64, id string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.places == nil {
		h.places = map[string]*place{}
	}
	p := h.places[account]
	switch {
	case p == nil:
		p = &place{account: account, turn: turn, id: id}
		h.places[account] = p
		heap.Push(&h.order, p)
	case !p.before(turn, id):
		p.turn, p.id = turn, id
		heap.Fix(&h.order, p.index)
	}
}

// Read returns the first waiting capture of an account; false when none waits.
type Read func(account string) (Head, bool, error)

// First returns the heads of the accounts that hold pages, and of the others those of the n whose turn is next.
func (h *Heads) First(n int, holding map[string]int, read Read) ([]Head, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	heads := make([]Head, 0, n+len(holding))
	for account := range holding {
		if p := h.places[account]; p != nil {
			head, found, err := h.look(p, read)
			if err != nil {
				return nil, err
			}
			if found {
				heads = append(heads, head)
			}
		}
	}
	var passed []*place
	defer func() {
		for _, p := range passed {
			heap.Push(&h.order, p)
		}
	}()
	for n > 0 && len(h.order) > 0 {
		p := h.order[0]
		if _, holds := holding[p.account]; !holds {
			head, found, err := h.look(p, read)
			if err != nil {
				return nil, err
			}
			if !found || h.order[0] != p {
				continue
			}
			heads = append(heads, head)
			n--
		}
		heap.Pop(&h.order)
		passed = append(passed, p)
	}
	return heads, nil
}

// look asks for the head of an account and moves the account to where it stands.
func (h *Heads) look(p *place, read Read) (Head, bool, error) {
	head, found, err := read(p.account)
	switch {
	case err != nil:
		return Head{}, false, fmt.Errorf("look for what account %s has waiting: %w", p.account, err)
	case !found:
		heap.Remove(&h.order, p.index)
		delete(h.places, p.account)
	default:
		p.turn, p.id = head.Turn, head.ID
		heap.Fix(&h.order, p.index)
	}
	return head, found, nil
}

// placeHeap orders accounts by their places.
type placeHeap []*place

// Len is part of heap.Interface.
func (h placeHeap) Len() int { return len(h) }

// Less is part of heap.Interface.
func (h placeHeap) Less(i, j int) bool { return h[i].before(h[j].turn, h[j].id) }

// Swap is part of heap.Interface.
func (h placeHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

// Push is part of heap.Interface.
func (h *placeHeap) Push(x any) {
	one, _ := x.(*place)
	one.index = len(*h)
	*h = append(*h, one)
}

// Pop is part of heap.Interface.
func (h *placeHeap) Pop() any {
	old := *h
	last := old[len(old)-1]
	old[len(old)-1], *h = nil, old[:len(old)-1]
	return last
}
