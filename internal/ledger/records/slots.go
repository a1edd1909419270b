package records

import (
	"context"
	"sync/atomic"

	"github.com/savepage/savepage/internal/ledger"
)

// slots is how many captures may run at this node at once.
type slots struct {
	usual   atomic.Int64 // now
	most    int          // that usual may be
	reserve int
	each    int // for an account without a limit of its own
}

func newSlots(cfg ledger.Config) *slots {
	s := &slots{most: max(cfg.Workers, cfg.MostWorkers), reserve: cfg.Reserve, each: cfg.Limits.Pages}
	s.usual.Store(int64(cfg.Workers))
	return s
}

// now is what holds now.
func (s *slots) now() ledger.Pages {
	return ledger.Pages{Usual: int(s.usual.Load()), Reserve: s.reserve, Each: s.each}
}

// all is how many there are at the most.
func (s *slots) all() int { return s.most + s.reserve }

// left is how many more captures may begin here when so many of all are free.
func (s *slots) left(now ledger.Pages, free int) int {
	running := s.all() - free
	return now.Usual + now.Reserve - running
}

// SetPages says how many captures may run at this node at once from now on, and tells it the others.
func (l *Ledger) SetPages(ctx context.Context, n int) error {
	n = max(1, min(n, l.queue.slots.most))
	before := int(l.queue.slots.usual.Swap(int64(n)))
	if n == before {
		return nil
	}
	if n > before {
		l.queue.wakeAll()
	}
	return member{l}.nowDoes(ctx, func(does *nodeState) {
		if does.pages > 0 {
			does.pages = n
		}
	})
}
