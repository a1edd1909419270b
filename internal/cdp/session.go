package cdp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/target"
)

// ErrClosed means that the pipe has ended or the session was detached: the command has no answer.
var ErrClosed = errors.New("debugging pipe is closed")

// Why a session ends while the pipe goes on: what its target sends is no other target's trouble.
var (
	ErrTooLong = errors.New("the browser sent a message that is too long")
	ErrFlooded = errors.New("the browser sent more events than may be handled")
)

// Error is the browser's answer to a command that failed.
type Error struct {
	Code    int64
	Message string
}

// Error returns the browser's message and its code.
func (e *Error) Error() string { return fmt.Sprintf("%s (%d)", e.Message, e.Code) }

// Session sends commands to one target and receives its events. It is safe for use by several goroutines.
type Session struct {
	conn *Conn
	id   target.SessionID
	in   *inbox
	done chan struct{}

	mu        sync.Mutex
	cause     error // why it ended; nil while it has not
	listeners []func(method string, params json.RawMessage)
}

func newSession(c *Conn, id target.SessionID, in *inbox) *Session {
	return &Session{conn: c, id: id, in: in, done: make(chan struct{})}
}

// ID is the session's id, empty for the browser's own.
func (s *Session) ID() target.SessionID { return s.id }

// Done is closed when the session was detached or the connection has ended.
func (s *Session) Done() <-chan struct{} { return s.done }

// Detach drops the session's route: open calls fail with ErrClosed, events are dropped. It sends the browser nothing.
func (s *Session) Detach() { s.conn.drop(s, ErrClosed) }

// Bound has no more than most further events of a method handled, of the session and its children together. The rest, and
// those of more than a megabyte, are dropped as they are read, and counted; when it is more than 64 MB in all, the session
// ends with ErrFlooded. then, which may be nil, is called with the session whose event is dropped, once in 5,000. It
// must not wait.
func (s *Session) Bound(method string, most int, then func(*Session)) { s.in.bound(method, most, then) }

// Spent is what the events of the session and its children have cost those who hand them on: their bytes, dropped or not, and
// 512 for each. A session that spends 96 MB ends with ErrFlooded.
func (s *Session) Spent() int { return s.in.spentSoFar() }

// Dropped is how many events of a method were dropped.
func (s *Session) Dropped(method string) int { return s.in.droppedOf(method) }

// Execute sends a command, waits for its answer and decodes it into res, which may be nil. It fails with *Error when the
// browser refuses, with ErrClosed, or with the context's error; all three are wrapped with the method's name.
func (s *Session) Execute(ctx context.Context, method string, params, res any) error {
	return s.Send(method, params).Wait(ctx, res)
}

// Send writes a command and does not wait for its answer. Commands of one goroutine reach the browser in the order in
// which they were sent. An answer that is never waited for is dropped.
func (s *Session) Send(method string, params any) *Pending { return s.conn.submit(s, method, params) }

// Listen adds a listener for the session's events. Listeners are called one after the other, in the order of the events and
// of the answers between them, on a goroutine that the session shares with its children and no other session: they must not
// wait for an answer of theirs. Send is allowed. params belongs to the listeners and may be kept.
func (s *Session) Listen(fn func(method string, params json.RawMessage)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	// A copy, because deliver walks the old slice without the lock.
	s.listeners = append(slices.Clip(s.listeners), fn)
}

func (s *Session) deliver(method string, params json.RawMessage) {
	s.mu.Lock()
	listeners := s.listeners
	s.mu.Unlock()
	for _, fn := range listeners {
		fn(method, params)
	}
}

// end closes the session. Only its first call has an effect.
func (s *Session) end(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cause == nil {
		s.cause = err
		close(s.done)
	}
}

// Err is why the session has ended: ErrTooLong or ErrFlooded for what its target has sent, ErrClosed for any other end, nil
// while it has not.
func (s *Session) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cause
}

// Call runs one of cdproto's typed commands on the session: Call(ctx, s, page.Navigate, page.NavigateParams{URL: u}).
// Its errors are those of Execute.
func Call[P, R any](ctx context.Context, s *Session, c cdp.Command[P, R], params P) (R, error) {
	var res R
	err := s.Execute(ctx, c.Method, params, &res)
	return res, err
}

// Pending is a command on its way.
type Pending struct {
	conn    *Conn
	session *Session
	method  string
	id      int64

	done   chan struct{} // closed after result and err were set
	result json.RawMessage
	err    error
}

func (p *Pending) finish(result json.RawMessage, err error) {
	p.result, p.err = result, err
	close(p.done)
}

// Done is closed when the answer is there; Wait then returns at once.
func (p *Pending) Done() <-chan struct{} { return p.done }

// Wait waits for the answer and decodes it into res, which may be nil. Its errors are those of Execute. The bytes of a
// picture in res lie in the answer's own memory. A wait that ended with its context has given the answer up: those that
// follow fail at once, with the same error.
func (p *Pending) Wait(ctx context.Context, res any) error {
	select {
	case <-p.done:
	case <-ctx.Done():
		if p.conn.forget(p) {
			p.finish(nil, ctx.Err())
		}
		<-p.done // the answer came at the same moment, or it is given up
	}
	if p.err != nil {
		return fmt.Errorf("%s: %w", p.method, p.err)
	}
	if err := decode(p.result, res); err != nil {
		return fmt.Errorf("%s: decode answer: %w", p.method, err)
	}
	return nil
}

// Child returns the route for a session that the browser has attached to this one's target, as Conn.Attach does. What is read
// for both is handled in one order.
func (s *Session) Child(id target.SessionID) *Session { return s.conn.attach(id, s.in) }
