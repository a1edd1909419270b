// Package progress passes the steps of captures to those who watch them, within this process. It keeps a capture only while
// a worker holds it or a reader watches it, and knows no states: those are in the ledger.
package progress

import (
	"sync"

	"github.com/savepage/savepage/internal/capture"
)

// Hub passes steps from workers to readers. The zero value is ready. A slow reader delays no other: it finds missed steps
// in the list.
type Hub struct {
	mu    sync.Mutex
	feeds map[string]*feed
}

// feed is the steps of one capture, and its readers.
type feed struct {
	steps   []capture.Step // Seq ascends
	working int            // workers that hold it; a late one may overlap with the next
	readers map[chan struct{}]bool
}

// of returns the capture's feed, which must be dropped again. The lock is held.
func (h *Hub) of(id string) *feed {
	if h.feeds == nil {
		h.feeds = map[string]*feed{}
	}
	f := h.feeds[id]
	if f == nil {
		f = &feed{readers: map[chan struct{}]bool{}}
		h.feeds[id] = f
	}
	return f
}

// drop removes a capture without workers and readers. The lock is held.
func (h *Hub) drop(id string, f *feed) {
	if f.working == 0 && len(f.readers) == 0 {
		delete(h.feeds, id)
	}
}

// Begin keeps the steps of the capture until End.
func (h *Hub) Begin(id string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.of(id).working++
}

// End is called when a worker no longer holds the capture.
func (h *Hub) End(id string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f := h.feeds[id]
	if f == nil {
		return
	}
	f.working = max(f.working-1, 0)
	h.drop(id, f)
}

// Step adds a step and wakes the readers. One that comes late, after a step that follows it, is left out.
func (h *Hub) Step(id string, s capture.Step) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f := h.feeds[id]
	if f == nil || (len(f.steps) > 0 && f.steps[len(f.steps)-1].Seq >= s.Seq) {
		return
	}
	f.steps = append(f.steps, s)
	for changed := range f.readers {
		select {
		case changed <- struct{}{}:
		default: // it has not read the last one yet
		}
	}
}

// Join begins to watch a capture.
func (h *Hub) Join(id string) capture.Feed {
	h.mu.Lock()
	defer h.mu.Unlock()
	f := h.of(id)
	changed := make(chan struct{}, 1)
	f.readers[changed] = true
	return capture.Feed{
		Changed: changed,
		Since:   func(seq int) []capture.Step { return h.since(f, seq) },
		Leave:   func() { h.leave(id, f, changed) },
	}
}

func (h *Hub) since(f *feed, seq int) []capture.Step {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i, s := range f.steps {
		if s.Seq > seq {
			return append([]capture.Step(nil), f.steps[i:]...)
		}
	}
	return nil
}

func (h *Hub) leave(id string, f *feed, changed chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(f.readers, changed)
	if h.feeds[id] == f {
		h.drop(id, f)
	}
}
