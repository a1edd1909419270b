package ledger

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"

	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/health"
)

// Claims is what Rendering asks of the records of captures.
type Claims interface {
	// Start takes a queued capture for a job and returns the claim; false when there is nothing left to do for it. One that
	// is marked as running has lost its worker: it is taken over, and its attempt fences the other off.
	Start(ctx context.Context, id string, job int64) (capture.Claim, bool, error)
	// Release is capture.Ledger's.
	Release(ctx context.Context, c capture.Claim, back capture.Back) error
}

// Rendering has captures rendered, each for a job of the queue.
type Rendering struct {
	Claims  Claims
	Running *Running
	Render  func(ctx context.Context, c capture.Claim) error
	Log     *slog.Logger
}

// Run takes the capture of a job and has it rendered. An error says that the job is to be tried again.
func (r *Rendering) Run(outer context.Context, id string, job int64) error {
	ctx, cancel := context.WithCancelCause(outer)
	defer cancel(nil)
	// Entered before the capture is taken: a cancellation that comes right after finds it.
	defer r.Running.enter(job, id, cancel)()
	claim, found, err := r.Claims.Start(ctx, id, job)
	if err != nil || !found {
		return err
	}
	err = r.render(ctx, claim)
	if err == nil || errors.Is(err, capture.ErrLost) || errors.Is(context.Cause(ctx), capture.ErrLost) {
		return nil
	}
	return r.giveBack(context.WithoutCancel(ctx), claim, err, outer.Err() != nil)
}

// giveBack releases a capture that its handler has neither finished nor released.
func (r *Rendering) giveBack(ctx context.Context, c capture.Claim, cause error, stopping bool) error {
	_, fault := health.Find(cause)
	back := capture.Back{Wait: Backoff(c.Capture.Attempt), Free: stopping || fault, Fault: fault}
	if stopping {
		back.Wait = 0
	}
	err := r.Claims.Release(ctx, c, back)
	if errors.Is(err, capture.ErrLost) {
		return nil
	}
	if !stopping {
		r.Log.ErrorContext(ctx, "capture given back after a fault", "capture", c.Capture.ID, "attempt", c.Capture.Attempt,
			"wait", back.Wait, "error", cause)
	}
	return err
}

// render calls the handler and turns a panic into an error: one page must not end the others.
func (r *Rendering) render(ctx context.Context, c capture.Claim) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("render panicked: %v\n%s", cause, debug.Stack())
		}
	}()
	return r.Render(ctx, c)
}

// Running is the captures that workers of this process hold. The zero value is ready.
type Running struct {
	mu      sync.Mutex
	jobs    map[int64]bool
	cancels map[string]context.CancelCauseFunc // by capture
}

// enter registers a job and its capture; the function it returns takes them off.
func (r *Running) enter(job int64, id string, cancel context.CancelCauseFunc) func() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.jobs == nil {
		r.jobs, r.cancels = map[int64]bool{}, map[string]context.CancelCauseFunc{}
	}
	r.jobs[job] = true
	r.cancels[id] = cancel
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.jobs, job)
		delete(r.cancels, id)
	}
}

// Stop ends the context of the worker that holds the capture, if one does.
func (r *Running) Stop(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if cancel := r.cancels[id]; cancel != nil {
		cancel(capture.ErrLost)
	}
}

// StopAll ends the contexts of all workers: what they hold has been given to others.
func (r *Running) StopAll() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, cancel := range r.cancels {
		cancel(capture.ErrLost)
	}
}

// Holds reports whether a worker holds the job.
func (r *Running) Holds(job int64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.jobs[job]
}
