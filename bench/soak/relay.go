package main

import (
	"context"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// relay is a way from a node to a server. It can be cut, and made to answer for the server.
type relay struct {
	listener net.Listener
	network  string // of the server
	server   string // its address
	// cut keeps every byte, in both directions, until it is over: nobody is told.
	cut gate
	// refuse, if it is set, is what every connection is answered with, in place of the server.
	refuse atomic.Pointer[string]

	mu    sync.Mutex
	conns map[net.Conn]bool
	ended bool
	group sync.WaitGroup
}

func newRelay(ctx context.Context, network, server string) (*relay, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &relay{listener: listener, network: network, server: server, conns: map[net.Conn]bool{}}
	r.group.Go(func() {
		for {
			from, err := listener.Accept()
			if err != nil {
				return
			}
			r.group.Go(func() { r.pass(ctx, from) })
		}
	})
	return r, nil
}

func (r *relay) address() string { return r.listener.Addr().String() }

// pass passes a connection on.
func (r *relay) pass(ctx context.Context, from net.Conn) {
	if !r.keep(from) {
		return
	}
	defer r.drop(from)
	r.cut.wait()
	if answer := r.refuse.Load(); answer != nil {
		r.answer(from, *answer)
		return
	}
	to, err := new(net.Dialer).DialContext(ctx, r.network, r.server)
	if err != nil {
		return
	}
	if !r.keep(to) {
		return
	}
	defer r.drop(to)
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{from, to}, {to, from}} {
		both.Go(func() {
			defer func() { _, _ = way[1].Close(), way[0].Close() }()
			r.carry(way[1], way[0])
		})
	}
	both.Wait()
}

// carry carries bytes until one side ends.
func (r *relay) carry(to io.Writer, from io.Reader) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		r.cut.wait()
		if n > 0 {
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// answer reads what comes, gives the answer, and ends the connection.
func (r *relay) answer(conn net.Conn, text string) {
	_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
	_, _ = conn.Read(make([]byte, 64<<10))
	_, _ = io.WriteString(conn, text)
}

func (r *relay) keep(conn net.Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended {
		_ = conn.Close()
		return false
	}
	r.conns[conn] = true
	return true
}

func (r *relay) drop(conn net.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	_ = conn.Close()
	delete(r.conns, conn)
}

// dropAll ends every connection, so that those that follow meet what has changed.
func (r *relay) dropAll() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for conn := range r.conns {
		_ = conn.Close()
	}
}

func (r *relay) close() {
	r.mu.Lock()
	r.ended = true
	r.mu.Unlock()
	_ = r.listener.Close()
	r.cut.open()
	r.dropAll()
	r.group.Wait()
}

// gate holds who comes while it is shut.
type gate struct {
	mu   sync.Mutex
	shut chan struct{} // nil: it is open
}

func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut == nil {
		g.shut = make(chan struct{})
	}
}

func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut != nil {
		close(g.shut)
		g.shut = nil
	}
}

func (g *gate) wait() {
	g.mu.Lock()
	shut := g.shut
	g.mu.Unlock()
	if shut != nil {
		<-shut
	}
}
