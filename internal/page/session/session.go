// Package session is what the parts of a render share of the protocol: the route to the page and to what belongs to it,
// the router that hands events to whoever asked for them, and the batch of commands that are sent first and awaited
// together. It owns no state of the page: each part keeps its own, under its own lock.
package session

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/chromedp/cdproto/target"

	"github.com/savepage/savepage/internal/cdp"
)

// MaxTracked bounds what is remembered of one page: requests, frames, documents. A page with more is not followed in all.
const MaxTracked = 5000

var (
	// ErrMoved says that the document went away while it was asked.
	ErrMoved = errors.New("the page went to another document")
	// ErrDisabled says that the page cannot be asked any more.
	ErrDisabled = errors.New("the page's scripts are switched off")
)

// Sender sends commands. Its methods are those of cdp.Session.
type Sender interface {
	Send(method string, params any) *cdp.Pending
	Execute(ctx context.Context, method string, params, res any) error
}

// Session is the route to one target. Its methods are those of cdp.Session.
type Session interface {
	Sender
	Listen(fn func(method string, params json.RawMessage))
	Child(id target.SessionID) Session
	Done() <-chan struct{}
	Detach()
}

// Of returns the Session of a route.
func Of(s *cdp.Session) Session { return route{s} }

type route struct{ *cdp.Session }

func (r route) Child(id target.SessionID) Session { return route{r.Session.Child(id)} }

// Target is the page, or a frame or worker of it that has a route of its own.
type Target struct {
	Session
	ID   target.SessionID // empty for the page
	Kind string           // as the browser names it: "page", "iframe", "worker", "service_worker"
	URL  string           // when it was attached
}

// WorkerKind is how the browser names a worker that belongs to one document.
const WorkerKind = "worker"

// Command is one of the protocol's with its parameters.
type Command struct {
	Method string
	Params any
}

// Question is one to the page, answered by a function of a script that runs beside the page's own.
type Question struct {
	Script   string // has the function defined
	Function string // its name
	Args     []any

	Ahead   string // expression: whether it may be asked ahead; empty: it may
	Nothing string // JSON: the answer of a page of which the first answer says that it is plain; empty: it is asked
}

// Further is what is asked together with another question, when its answer lets it.
type Further struct {
	If        string // function of the answer; where it is false nothing more is asked
	Questions []Question
}

// Batch is commands that are sent without waiting in between and awaited together. It is not safe for concurrent use.
type Batch struct {
	to   Sender
	sent []*cdp.Pending
}

// NewBatch returns an empty batch of commands to a target.
func NewBatch(to Sender) *Batch { return &Batch{to: to} }

// Send sends a command whose answer is looked at by Wait.
func (b *Batch) Send(method string, params any) { b.Add(b.to.Send(method, params)) }

// SendAll sends commands in their order.
func (b *Batch) SendAll(commands []Command) {
	for _, c := range commands {
		b.Send(c.Method, c.Params)
	}
}

// Add has Wait look at the answer of a command that was sent before.
func (b *Batch) Add(p *cdp.Pending) { b.sent = append(b.sent, p) }

// Wait waits for the answers of what was sent since the last call, and returns the first that is an error.
func (b *Batch) Wait(ctx context.Context) error {
	for _, p := range b.sent {
		if err := p.Wait(ctx, nil); err != nil {
			return fmt.Errorf("prepare the tab: %w", err)
		}
	}
	b.sent = nil
	return nil
}

// Answered waits for an answer and decodes it. A refusal of the browser means that the document is not the one that was
// asked: it is ErrMoved, and *cdp.Error.
func Answered(ctx context.Context, p *cdp.Pending, into any) error {
	err := p.Wait(ctx, into)
	if _, refused := errors.AsType[*cdp.Error](err); refused {
		return fmt.Errorf("%w: %w", ErrMoved, err)
	}
	return err
}
