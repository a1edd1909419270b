package session

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"time"
)

// Scope is the targets of which a handler gets the events.
type Scope int

// The scopes of handlers.
const (
	Main   Scope = 1 << iota // the page
	Frame                    // frames with a process of their own, and workers that belong to no single document
	Worker                   // workers of the page
	Every  = Main | Frame | Worker
)

func scopeOf(kind string) Scope {
	switch kind {
	case "":
		return Main
	case WorkerKind:
		return Worker
	default:
		return Frame
	}
}

// Handler handles an event of a target. It is called on the page's goroutine for events, in their order: it
// notes and answers, and never waits. Send is allowed.
type Handler func(from *Target, params json.RawMessage)

type registration struct {
	scope  Scope
	handle Handler
}

// Router hands events to their handlers, and wakes who waits for one. It is safe for concurrent use.
type Router struct {
	changed chan struct{} // holds a token when something has changed

	mu       sync.Mutex
	handlers map[string][]registration
}

// NewRouter returns a Router without handlers.
func NewRouter() *Router {
	return &Router{changed: make(chan struct{}, 1), handlers: map[string][]registration{}}
}

// On registers a handler for an event, behind those that are there.
func (r *Router) On(scope Scope, event string, handle Handler) {
	r.mu.Lock()
	defer r.mu.Unlock()
	// A copy, because handlers are called without the lock.
	r.handlers[event] = append(slices.Clip(r.handlers[event]), registration{scope, handle})
}

// Listen takes the events of a target. The page's own Kind is empty.
func (r *Router) Listen(from *Target) {
	scope := scopeOf(from.Kind)
	from.Listen(func(event string, params json.RawMessage) {
		r.mu.Lock()
		handlers := r.handlers[event]
		r.mu.Unlock()
		handled := false
		for _, h := range handlers {
			if h.scope&scope != 0 {
				h.handle(from, params)
				handled = true
			}
		}
		if handled {
			r.wake()
		}
	})
}

func (r *Router) wake() {
	select {
	case r.changed <- struct{}{}:
	default:
	}
}

// Until waits until cond says that it is done. cond is called at once and after each event; it may name a time after which
// it wants to be asked again without one. One goroutine at a time may wait.
func (r *Router) Until(ctx context.Context, cond func() (done bool, again time.Duration)) error {
	for {
		done, again := cond()
		if done {
			return nil
		}
		if err := r.Pause(ctx, again); err != nil {
			return err
		}
	}
}

// Sleep waits for the given time, whatever happens on the page.
func (r *Router) Sleep(ctx context.Context, d time.Duration) error {
	end := time.Now().Add(d)
	return r.Until(ctx, func() (bool, time.Duration) {
		left := time.Until(end)
		return left <= 0, max(left, time.Millisecond)
	})
}

// Pause waits for an event, or for the given time if it is not zero.
func (r *Router) Pause(ctx context.Context, atMost time.Duration) error {
	var timer <-chan time.Time
	if atMost > 0 {
		t := time.NewTimer(atMost)
		defer t.Stop()
		timer = t.C
	}
	select {
	case <-r.changed:
	case <-timer:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}
