package sqlite

import (
	"context"
	"sync"

	"github.com/savepage/savepage/internal/capture"
)

// active is what the workers of this process hold. The zero value is ready.
type active struct {
	mu      sync.Mutex
	jobs    map[int64]bool
	cancels map[string]context.CancelCauseFunc // by record
}

// enter registers a job and its record; the function it returns takes them off.
func (a *active) enter(job int64, record string, cancel context.CancelCauseFunc) func() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.jobs == nil {
		a.jobs, a.cancels = map[int64]bool{}, map[string]context.CancelCauseFunc{}
	}
	a.jobs[job] = true
	a.cancels[record] = cancel
	return func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		delete(a.jobs, job)
		delete(a.cancels, record)
	}
}

// stop ends the context of the worker that holds the record.
func (a *active) stop(record string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if cancel := a.cancels[record]; cancel != nil {
		cancel(capture.ErrLost)
	}
}

func (a *active) holds(job int64) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.jobs[job]
}
