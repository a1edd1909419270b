package guard

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"sync"
)

// pins keeps what each name resolved to first.
type pins struct {
	lookup func(target) ([]netip.Addr, error)

	mu     sync.Mutex
	byName map[string]func() ([]netip.Addr, error)
}

func newPins(lookup func(target) ([]netip.Addr, error)) *pins {
	return &pins{lookup: lookup, byName: map[string]func() ([]netip.Addr, error){}}
}

// of returns the addresses of a target. Whoever asks first looks the name up; the others wait for that answer.
func (p *pins) of(to target) ([]netip.Addr, error) {
	p.mu.Lock()
	answer, known := p.byName[to.host()]
	if !known {
		answer = sync.OnceValues(func() ([]netip.Addr, error) { return p.lookup(to) })
		p.byName[to.host()] = answer
	}
	p.mu.Unlock()
	return answer()
}

// connect reaches a target at the addresses that its name had first. The connection is on the identity's list until drop.
func (i *Identity) connect(ctx context.Context, to target) (net.Conn, error) {
	answers, err := i.pins.of(to)
	if err != nil {
		return nil, err
	}
	judged, err := i.policy.judgeAll(to, answers)
	if err != nil {
		return nil, err
	}
	conn, _, err := i.policy.connect(ctx, "tcp", judged)
	if err != nil {
		return nil, err
	}
	if !i.conns.keep(conn, false) {
		return nil, errors.Join(net.ErrClosed, conn.Close())
	}
	return conn, nil
}

// dialMetered is connect for the transport of plain requests.
func (i *Identity) dialMetered(ctx context.Context, address string) (net.Conn, error) {
	if !i.conns.enter() {
		return nil, net.ErrClosed
	}
	defer i.conns.work.Done()
	to, err := parseTarget(address, 0)
	if err != nil {
		return nil, err
	}
	conn, err := i.connect(ctx, to)
	if err != nil {
		return nil, err
	}
	return &meteredConn{Conn: conn, meter: i.meter, drop: i.conns.drop}, nil
}

// connState keeps the list of the browser's connections. A hijacked one stays on it until drop.
func (i *Identity) connState(conn net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		if !i.conns.keep(conn, true) {
			_ = conn.Close()
		}
	case http.StateClosed:
		i.conns.drop(conn)
	default:
	}
}

// connections are the open ones of one identity, and its goroutines. Once closed it takes no more.
type connections struct {
	max     int    // of the browser at once
	tooMany func() // called when the browser wants more
	work    sync.WaitGroup

	mu       sync.Mutex
	closed   bool
	open     map[net.Conn]bool // true for the browser's, false for those to servers
	browsers int               // of open, the browser's
}

// keep puts a connection on the list. It refuses when the list is closed or the browser has too many.
func (c *connections) keep(conn net.Conn, browser bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return false
	}
	if browser && c.browsers >= c.max {
		c.tooMany()
		return false
	}
	if browser {
		c.browsers++
	}
	c.open[conn] = browser
	c.work.Add(1)
	return true
}

// drop closes a connection and takes it off the list, when its goroutines are done with it.
func (c *connections) drop(conn net.Conn) {
	c.mu.Lock()
	browser, known := c.open[conn]
	delete(c.open, conn)
	if known && browser {
		c.browsers--
	}
	c.mu.Unlock()
	if known {
		_ = conn.Close() // it may be closed already
		c.work.Done()
	}
}

// closeAll closes every connection; whoever works with it drops it then.
func (c *connections) closeAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for conn := range c.open {
		_ = conn.Close() // it may be closed already
	}
}

// enter announces work that Close waits for; work.Done ends it. It refuses when the list is closed.
func (c *connections) enter() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return false
	}
	c.work.Add(1)
	return true
}

// end refuses new connections and work, and reports whether they were taken until now.
func (c *connections) end() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	open := !c.closed
	c.closed = true
	return open
}
