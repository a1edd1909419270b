// Package jail starts a program in a network namespace of its own, in which nothing can be reached but the listeners that
// this package opens there for the service: no port of this machine, no other network, no name server. It judges no
// address and knows nothing of what the program is; it refuses to pass off a program outside a namespace as one inside.
package jail

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"
)

// port is the one that every listener in a namespace has. Nothing else listens there.
const port = 3128

// Jail is the service's side of a namespace. It is safe for concurrent use.
type Jail struct {
	listener net.Listener // in the namespace, on every address
	accepts  sync.WaitGroup

	mu     sync.Mutex
	closed bool
	last   netip.Addr               // that was given to a listener
	open   map[netip.Addr]*listener // by the address that they have in the namespace
}

// acceptAgain is the wait after a connection that could not be accepted.
const acceptAgain = 5 * time.Millisecond

// firstAddress and lastAddress bound what listeners get. 127.0.0.1 stays free: a program that tries it reaches nothing.
func firstAddress() netip.Addr { return netip.AddrFrom4([4]byte{127, 1, 0, 0}) }
func lastAddress() netip.Addr  { return netip.AddrFrom4([4]byte{127, 254, 255, 255}) }

// newJail serves the listener of a namespace. Close ends it.
func newJail(inside net.Listener) *Jail {
	j := &Jail{listener: inside, last: firstAddress(), open: map[netip.Addr]*listener{}}
	j.accepts.Go(j.accept)
	return j
}

// Listen opens a listener in the namespace, on a loopback address that no other has or had before it, until all have been
// used. It accepts connections from inside only. The caller closes it.
func (j *Jail) Listen() (net.Listener, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		return nil, fmt.Errorf("listen in the network namespace: %w", net.ErrClosed)
	}
	for j.last = j.next(); j.open[j.last] != nil; j.last = j.next() {
	}
	l := &listener{jail: j, at: j.last, conns: make(chan net.Conn), done: make(chan struct{})}
	j.open[l.at] = l
	return l, nil
}

// next is the address after the last one that was given. The jail is locked.
func (j *Jail) next() netip.Addr {
	if next := j.last.Next(); next.Compare(lastAddress()) < 0 {
		return next
	}
	return firstAddress().Next()
}

// Close ends every listener. The namespace itself ends with the last process and connection in it.
func (j *Jail) Close() error {
	j.mu.Lock()
	j.closed = true
	open := j.open
	j.open = nil
	j.mu.Unlock()
	err := j.listener.Close()
	for _, l := range open {
		l.end()
	}
	j.accepts.Wait()
	if err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("close the listener in the network namespace: %w", err)
	}
	return nil
}

// accept hands each connection to the listener whose address it came to, and closes those that came to none.
func (j *Jail) accept() {
	for {
		conn, err := j.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			<-time.After(acceptAgain) // the connection has ended before it was taken, or there are too many open files
			continue
		}
		if l := j.at(conn.LocalAddr()); l == nil || !l.take(conn) {
			_ = conn.Close() // nobody listens there
		}
	}
}

func (j *Jail) at(address net.Addr) *listener {
	tcp, is := address.(*net.TCPAddr)
	if !is {
		return nil
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.open[tcp.AddrPort().Addr().Unmap()]
}

// listener is one address in a namespace.
type listener struct {
	jail  *Jail
	at    netip.Addr
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

// Accept waits for a connection from inside.
func (l *listener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case <-l.done:
		return nil, fmt.Errorf("accept at %s in the network namespace: %w", l.at, net.ErrClosed)
	}
}

// Addr is the address inside the namespace.
func (l *listener) Addr() net.Addr { return net.TCPAddrFromAddrPort(netip.AddrPortFrom(l.at, port)) }

// Close frees the address. What was accepted stays open.
func (l *listener) Close() error {
	l.jail.mu.Lock()
	delete(l.jail.open, l.at)
	l.jail.mu.Unlock()
	l.end()
	return nil
}

func (l *listener) end() { l.once.Do(func() { close(l.done) }) }

// take passes a connection on. It reports whether somebody accepts it.
func (l *listener) take(conn net.Conn) bool {
	select {
	case l.conns <- conn:
		return true
	case <-l.done:
		return false
	}
}
