package guard

import (
	"cmp"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
)

// Budget bounds what one capture may do on the network. A zero field means its default.
type Budget struct {
	Bytes    int64 // moved in both directions; 50 MB
	Conns    int   // connections of the browser open at once; 256
	Requests int   // requests and tunnels in all; 2,000
	Hosts    int   // different hosts; 200
}

func (b Budget) withDefaults() Budget {
	return Budget{
		Bytes: cmp.Or(b.Bytes, 50_000_000), Conns: cmp.Or(b.Conns, 256), Requests: cmp.Or(b.Requests, 2000), Hosts: cmp.Or(b.Hosts, 200),
	}
}

// meter counts what is used of a budget.
type meter struct {
	budget Budget
	bytes  atomic.Int64

	mu       sync.Mutex
	requests int
	hosts    map[string]struct{}
}

// request counts one request to a host. The error wraps errOverBudget.
func (m *meter) request(host string) error {
	if m.left() <= 0 {
		return m.overBytes()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.requests >= m.budget.Requests {
		return fmt.Errorf("%w: the page made more than %d requests", errOverBudget, m.budget.Requests)
	}
	if _, known := m.hosts[host]; !known && len(m.hosts) >= m.budget.Hosts {
		return fmt.Errorf("%w: the page asked more than %d hosts", errOverBudget, m.budget.Hosts)
	}
	m.requests++
	m.hosts[host] = struct{}{}
	return nil
}

func (m *meter) left() int64 { return m.budget.Bytes - m.bytes.Load() }

func (m *meter) overBytes() error {
	return fmt.Errorf("%w: the page moved more than %d bytes", errOverBudget, m.budget.Bytes)
}

// meteredConn is a connection to a server whose bytes count.
type meteredConn struct {
	net.Conn
	meter *meter
	drop  func(net.Conn)
}

func (c *meteredConn) Read(b []byte) (int, error) {
	left := c.meter.left()
	if left <= 0 {
		return 0, c.meter.overBytes()
	}
	n, err := c.Conn.Read(b[:min(int64(len(b)), left)])
	c.meter.bytes.Add(int64(n))
	return n, err
}

func (c *meteredConn) Write(b []byte) (int, error) {
	if c.meter.left() <= 0 {
		return 0, c.meter.overBytes()
	}
	n, err := c.Conn.Write(b)
	c.meter.bytes.Add(int64(n))
	return n, err
}

// Close closes the connection and takes it off its identity's list.
func (c *meteredConn) Close() error {
	err := c.Conn.Close()
	c.drop(c.Conn)
	return err
}
