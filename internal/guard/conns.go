package guard

import (
	"context"
	"errors"
	"fmt"
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
	if !i.keep(conn, false) {
		return nil, errors.Join(net.ErrClosed, conn.Close())
	}
	return conn, nil
}

// dialMetered is connect for the transport of plain requests.
func (i *Identity) dialMetered(ctx context.Context, address string) (net.Conn, error) {
	if !i.enter() {
		return nil, net.ErrClosed
	}
	defer i.work.Done()
	to, err := parseTarget(address, 0)
	if err != nil {
		return nil, err
	}
	conn, err := i.connect(ctx, to)
	if err != nil {
		return nil, err
	}
	return &meteredConn{Conn: conn, meter: i.meter, drop: i.drop}, nil
}

// connState keeps the list of the browser's connections. A hijacked one stays on it until drop.
func (i *Identity) connState(conn net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		if !i.keep(conn, true) {
			_ = conn.Close()
		}
	case http.StateClosed:
		i.drop(conn)
	default:
	}
}

// keep puts a connection on the list. It refuses when the identity is closed or the browser has too many.
func (i *Identity) keep(conn net.Conn, browser bool) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.closed {
		return false
	}
	if limit := i.meter.budget.Conns; browser && i.browsers >= limit {
		detail := fmt.Sprintf("The page had more than %d connections at once.", limit)
		i.journal.add(Event{Kind: OverBudget, Detail: detail})
		return false
	}
	if browser {
		i.browsers++
	}
	i.conns[conn] = browser
	i.work.Add(1)
	return true
}

// drop closes a connection and takes it off the list, when its goroutines are done with it.
func (i *Identity) drop(conn net.Conn) {
	i.mu.Lock()
	browser, known := i.conns[conn]
	delete(i.conns, conn)
	if known && browser {
		i.browsers--
	}
	i.mu.Unlock()
	if known {
		_ = conn.Close() // it may be closed already
		i.work.Done()
	}
}

// closeAll closes every connection; who works with it drops it then.
func (i *Identity) closeAll() {
	i.mu.Lock()
	defer i.mu.Unlock()
	for conn := range i.conns {
		_ = conn.Close() // it may be closed already
	}
}

// enter announces work that Close waits for; i.work.Done ends it. It refuses when the identity is closed.
func (i *Identity) enter() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.closed {
		return false
	}
	i.work.Add(1)
	return true
}

// end closes the identity to new work and reports whether it was open.
func (i *Identity) end() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	open := !i.closed
	i.closed = true
	return open
}
