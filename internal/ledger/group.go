package ledger

import (
	"context"
	"errors"
	"sync"
)

// ErrClosed says that the ledger has been closed.
var ErrClosed = errors.New("the ledger is closed")

// Group gathers what callers hand in while the batch before is being applied, and applies it together. A lone item does
// not wait for company.
type Group[T any] struct {
	mu     sync.RWMutex
	closed bool
	items  chan T
	done   chan struct{}
}

// NewGroup starts a group whose batches have at most limit items and are applied one after the other on one goroutine.
// Close ends it.
func NewGroup[T any](limit int, apply func([]T)) *Group[T] {
	g := &Group[T]{items: make(chan T, limit), done: make(chan struct{})}
	go g.run(limit, apply)
	return g
}

// Add hands an item in. It waits while a whole batch is waiting already; its error is ErrClosed or the context's.
func (g *Group[T]) Add(ctx context.Context, item T) error {
	g.mu.RLock()
	defer g.mu.RUnlock()
	if g.closed {
		return ErrClosed
	}
	select {
	case g.items <- item:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close applies what was handed in and waits until that is done. It may be called more than once.
func (g *Group[T]) Close() {
	g.mu.Lock()
	if !g.closed {
		g.closed = true
		close(g.items)
	}
	g.mu.Unlock()
	<-g.done
}

func (g *Group[T]) run(limit int, apply func([]T)) {
	defer close(g.done)
	for first := range g.items {
		apply(g.gather([]T{first}, limit))
	}
}

func (g *Group[T]) gather(batch []T, limit int) []T {
	for len(batch) < limit {
		select {
		case item, open := <-g.items:
			if !open {
				return batch
			}
			batch = append(batch, item)
		default:
			return batch
		}
	}
	return batch
}
