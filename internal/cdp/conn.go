// Package cdp speaks the Chrome DevTools Protocol over a browser's debugging pipe. It owns the wire: messages, answers,
// flat sessions and the order of events. It starts no browser and knows nothing of pages; the types of commands and
// events are those of github.com/chromedp/cdproto.
package cdp

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"sync"

	"github.com/chromedp/cdproto/cdp/jsonv2"
	"github.com/chromedp/cdproto/target"
)

// Conn is one debugging pipe. It is safe for use by several goroutines.
type Conn struct {
	in   io.WriteCloser
	out  io.ReadCloser
	root *Session
	done chan struct{}
	wake chan struct{}  // holds a token while queue may hold commands
	work sync.WaitGroup // the reader and the writer
	heed sync.WaitGroup // those that handle what was read

	mu       sync.Mutex
	err      error  // why the pipe ended; nil while it is open
	queue    []byte // commands that wait to be written, each ended by a zero byte
	last     int64  // id of the last command
	calls    map[int64]*Pending
	sessions map[target.SessionID]*Session
}

// NewConn takes a debugging pipe into use: commands are written to in (the browser's file descriptor 3), answers and
// events are read from out (its file descriptor 4). Both are closed with the connection. It ends when Close is called or
// when one of them fails.
func NewConn(in io.WriteCloser, out io.ReadCloser) *Conn {
	c := &Conn{
		in:       in,
		out:      out,
		done:     make(chan struct{}),
		wake:     make(chan struct{}, 1),
		calls:    make(map[int64]*Pending),
		sessions: make(map[target.SessionID]*Session),
	}
	c.root = newSession(c, "", &inbox{})
	c.work.Go(c.read)
	c.work.Go(c.write)
	return c
}

// Close ends the connection: pending calls fail with ErrClosed, both files are closed. It waits until the last listener
// has returned, so a listener must not call it.
func (c *Conn) Close() error {
	c.end(ErrClosed)
	c.work.Wait()
	c.heed.Wait()
	return nil
}

// Done is closed when the connection has ended.
func (c *Conn) Done() <-chan struct{} { return c.done }

// Browser is the session without an id: commands to the browser itself.
func (c *Conn) Browser() *Session { return c.root }

// Attach returns the route for a flat session, as Target.attachToTarget names it. Its listeners see the events that are
// read after they were added. It ends with Detach, when the browser reports that it is detached, or with the connection.
func (c *Conn) Attach(id target.SessionID) *Session { return c.attach(id, &inbox{}) }

func (c *Conn) attach(id target.SessionID, in *inbox) *Session {
	c.mu.Lock()
	defer c.mu.Unlock()
	if known, ok := c.sessions[id]; ok {
		return known
	}
	s := newSession(c, id, in)
	if c.err != nil {
		s.end(c.err)
		return s
	}
	c.sessions[id] = s
	return s
}

// read hands every message to the inbox of its receiver, until the pipe ends. What came before the end is handled first.
func (c *Conn) read() {
	in := newSplitter(c.out)
	for {
		text, whole, err := in.next()
		if err == nil && !whole {
			c.tooLong(parseEnds(text), in.passed)
			continue
		}
		var m envelope
		if err == nil {
			if m, err = parse(text); err != nil {
				err = fmt.Errorf("browser sent no message: %w", err)
			}
		}
		if err != nil {
			c.heed.Wait()
			c.end(fmt.Errorf("%w: %w", ErrClosed, err))
			return
		}
		c.dispatch(m)
	}
}

// dispatch finds the session that a message is for. Answers and events that nobody waits for are dropped.
func (c *Conn) dispatch(m envelope) {
	s := c.receiver(m)
	if s == nil || s != c.root && c.drops(s, m, len(m.params)) {
		return
	}
	if c.put(message{envelope: m, to: s}) {
		c.put(message{to: s, end: ErrFlooded})
	}
}

// drops drops an event that goes beyond a bound. A session that has sent too much ends: reading it costs the browser and the
// others.
func (c *Conn) drops(s *Session, m envelope, size int) bool {
	dropped, then, flooded := s.in.drops(m, size)
	switch {
	case flooded:
		c.put(message{to: s, end: ErrFlooded})
	case then != nil:
		then(s)
	}
	return dropped
}

func (c *Conn) receiver(m envelope) *Session {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case m.hasID:
		if p := c.calls[m.id]; p != nil {
			return p.session
		}
		return nil
	case len(m.method) == 0:
		return nil
	case len(m.session) == 0:
		return c.root
	default:
		return c.sessions[target.SessionID(m.session)]
	}
}

// put has a message handled, and reports that there are too many.
func (c *Conn) put(m message) (full bool) {
	in := m.to.in
	begin, full := in.put(m)
	if begin {
		c.heed.Go(func() { in.drain(c.handle) })
	}
	return full
}

// tooLong ends the session whose message was passed over, unless it is an event of which not all are handled. The browser's
// own session goes on: the call fails, an event is lost.
func (c *Conn) tooLong(m envelope, size int) {
	s := c.receiver(m)
	switch {
	case s == nil, s != c.root && c.drops(s, m, size):
	case s != c.root:
		c.put(message{to: s, end: ErrTooLong})
	case m.hasID:
		m.long = true
		c.put(message{envelope: m, to: s})
	}
}

func (c *Conn) handle(m message) {
	switch {
	case m.end != nil:
		c.drop(m.to, m.end)
	case m.hasID:
		c.answer(m.envelope)
	default:
		c.event(m)
	}
}

// answer completes the call that the message answers.
func (c *Conn) answer(m envelope) {
	c.mu.Lock()
	p := c.calls[m.id]
	delete(c.calls, m.id)
	c.mu.Unlock()
	switch {
	case p == nil:
	case m.long:
		p.finish(nil, ErrTooLong)
	case m.fault != nil:
		p.finish(nil, decodeFault(m.fault))
	default:
		p.finish(m.result, nil)
	}
}

func (c *Conn) event(m message) {
	if m.to.Err() == nil {
		m.to.deliver(string(m.method), m.params)
	}
	if string(m.method) == target.DetachedFromTarget.Method {
		c.detached(m.to, m.params)
	}
}

// detached ends a session that the browser has taken back, behind what was read for it: its calls would never be answered.
func (c *Conn) detached(by *Session, params json.RawMessage) {
	var e target.EventDetachedFromTarget
	if decode(params, &e) != nil {
		return
	}
	c.mu.Lock()
	s := c.sessions[e.SessionID]
	c.mu.Unlock()
	switch {
	case s == nil:
	case s.in == by.in:
		s.Detach()
	default:
		c.put(message{to: s, end: ErrClosed})
	}
}

// write sends what is queued, all at once, until the connection ends. A goroutine of its own does it so that a browser
// that stops reading blocks no caller.
func (c *Conn) write() {
	var free []byte
	for {
		select {
		case <-c.done:
			return
		case <-c.wake:
		}
		c.mu.Lock()
		full := c.queue
		c.queue = free[:0]
		c.mu.Unlock()
		if _, err := c.in.Write(full); err != nil {
			c.end(fmt.Errorf("%w: %w", ErrClosed, err))
			return
		}
		free = full
		if cap(free) > keepBytes {
			free = nil
		}
	}
}

// keepBytes is how much of a write buffer is kept for the next commands.
const keepBytes = 1 << 20

// submit queues one command and returns the call that waits for its answer.
func (c *Conn) submit(s *Session, method string, params any) *Pending {
	p := &Pending{conn: c, session: s, method: method, done: make(chan struct{})}
	body, err := encode(params)
	if err != nil {
		p.finish(nil, fmt.Errorf("encode parameters: %w", err))
		return p
	}
	if err := c.enqueue(p, body); err != nil {
		p.finish(nil, err)
		return p
	}
	select {
	case c.wake <- struct{}{}:
	default:
	}
	return p
}

func (c *Conn) enqueue(p *Pending, params []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return c.err
	}
	if err := p.session.Err(); err != nil {
		return err
	}
	c.last++
	p.id = c.last
	c.calls[p.id] = p
	c.queue = appendCommand(c.queue, p, params)
	return nil
}

func appendCommand(to []byte, p *Pending, params []byte) []byte {
	to = append(to, `{"id":`...)
	to = strconv.AppendInt(to, p.id, 10)
	to = append(to, `,"method":`...)
	to = strconv.AppendQuote(to, p.method)
	if len(params) > 0 {
		to = append(to, `,"params":`...)
		to = append(to, params...)
	}
	if p.session.id != "" {
		to = append(to, `,"sessionId":`...)
		to = strconv.AppendQuote(to, string(p.session.id))
	}
	return append(to, '}', 0)
}

// forget takes back a call whose caller has stopped waiting. It reports whether the call was still open.
func (c *Conn) forget(p *Pending) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, open := c.calls[p.id]
	delete(c.calls, p.id)
	return open
}

// drop ends one session: its calls fail with err, its events are dropped.
func (c *Conn) drop(s *Session, err error) {
	c.mu.Lock()
	if c.sessions[s.id] == s {
		delete(c.sessions, s.id)
	}
	s.end(err)
	var open []*Pending
	for id, p := range c.calls {
		if p.session == s {
			delete(c.calls, id)
			open = append(open, p)
		}
	}
	c.mu.Unlock()
	for _, p := range open {
		p.finish(nil, err)
	}
}

// end fails everything that is open with err. Only its first call has an effect.
func (c *Conn) end(err error) {
	c.mu.Lock()
	if c.err != nil {
		c.mu.Unlock()
		return
	}
	c.err = err
	open := slices.Collect(maps.Values(c.calls))
	sessions := slices.Collect(maps.Values(c.sessions))
	clear(c.calls)
	clear(c.sessions)
	close(c.done)
	c.mu.Unlock()
	// Closing unblocks the reader and the writer; the pipe is of no use any more, whatever it answers.
	_ = c.in.Close()
	_ = c.out.Close()
	for _, s := range append(sessions, c.root) {
		s.end(err)
	}
	for _, p := range open {
		p.finish(nil, err)
	}
}

func encode(params any) ([]byte, error) {
	if params == nil {
		return nil, nil
	}
	return jsonv2.Marshal(params)
}
