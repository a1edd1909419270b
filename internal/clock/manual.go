package clock

import (
	"slices"
	"sync"
	"time"
)

// manual is time that passes only when a test says so.
type manual struct {
	start time.Time

	mu      sync.Mutex
	elapsed time.Duration
	pending []*pending // by their due times
}

// pending is a timer that has not ended.
type pending struct {
	due  time.Duration // elapsed time at which it ends
	send chan time.Time
}

func (m *manual) passed() time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.elapsed
}

func (m *manual) advance(by time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	end := m.elapsed + by
	for len(m.pending) > 0 && m.pending[0].due <= end {
		first := m.pending[0]
		m.pending = m.pending[1:]
		m.elapsed = max(m.elapsed, first.due)
		first.send <- m.start.Add(m.elapsed)
	}
	m.elapsed = end
}

func (m *manual) set(one *pending, d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.arm(one, d)
}

func (m *manual) setAt(one *pending, at time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.arm(one, at.Sub(m.start.Add(m.elapsed)))
}

func (m *manual) arm(one *pending, d time.Duration) {
	m.remove(one)
	if d <= 0 {
		one.send <- m.start.Add(m.elapsed)
		return
	}
	one.due = m.elapsed + d
	i := slices.IndexFunc(m.pending, func(other *pending) bool { return other.due > one.due })
	if i < 0 {
		i = len(m.pending)
	}
	m.pending = slices.Insert(m.pending, i, one)
}

func (m *manual) stop(one *pending) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.remove(one)
}

// remove takes a timer off, with what it has sent and nobody received.
func (m *manual) remove(one *pending) {
	m.pending = slices.DeleteFunc(m.pending, func(other *pending) bool { return other == one })
	select {
	case <-one.send:
	default:
	}
}
