package ledger

import "sync"

// Waiters tells goroutines of this process that a capture has ended. The zero value is ready.
type Waiters struct {
	mu   sync.Mutex
	byID map[string]*waiting
}

type waiting struct {
	ended chan struct{}
	count int
}

// Join returns a channel that is closed by the next Wake of id, and a function that must be called when nobody waits on
// it any more. Join first and look at the record afterwards: then no end is missed.
func (w *Waiters) Join(id string) (<-chan struct{}, func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.byID == nil {
		w.byID = map[string]*waiting{}
	}
	one := w.byID[id]
	if one == nil {
		one = &waiting{ended: make(chan struct{})}
		w.byID[id] = one
	}
	one.count++
	return one.ended, func() { w.leave(id, one) }
}

// Wake closes the channels of all who wait for id.
func (w *Waiters) Wake(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if one := w.byID[id]; one != nil {
		close(one.ended)
		delete(w.byID, id)
	}
}

// WakeAll has all who wait look again.
func (w *Waiters) WakeAll() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, one := range w.byID {
		close(one.ended)
	}
	clear(w.byID)
}

func (w *Waiters) leave(id string, one *waiting) {
	w.mu.Lock()
	defer w.mu.Unlock()
	one.count--
	if one.count == 0 && w.byID[id] == one {
		delete(w.byID, id)
	}
}
