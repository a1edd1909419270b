package hostile

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// CanaryText is what a canary answers. It must be in no picture, title or text of a page.
const CanaryText = "the-canary-was-read"

// Canary listens on loopback, where no page may come, and remembers which case reached it. HTTP comes to one port and is
// told apart by its path; what has no path (TLS, STUN, a bare connection) has a port of its own.
type Canary struct {
	mu       sync.Mutex
	hits     map[string][]string // by case: how it came
	strange  []string            // what reached the port of HTTP and names no case
	ports    map[string]string   // by case
	web      string
	sockets  []io.Closer
	open     map[net.Conn]struct{}
	closed   bool
	serving  sync.WaitGroup
	families []string // hosts that the canary listens on
}

// canaryHosts are the addresses of the canaries.
func canaryHosts() []string { return []string{"127.0.0.1", "::1"} }

// NewCanary listens. The caller closes it.
func NewCanary() (*Canary, error) {
	c := &Canary{hits: map[string][]string{}, ports: map[string]string{}, open: map[net.Conn]struct{}{}}
	for _, host := range canaryHosts() {
		listener, err := net.Listen("tcp", net.JoinHostPort(host, "0")) //nolint:noctx // listening on loopback does not wait
		if err != nil {
			continue // a machine without this family: Families tells
		}
		_ = listener.Close() // it was only asked whether there is such an address
		c.families = append(c.families, host)
	}
	if !slices.Contains(c.families, "127.0.0.1") {
		return nil, errors.New("there is no 127.0.0.1 to listen on")
	}
	var err error
	if c.web, err = c.listen(c.serveWeb, nil); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// Families lists the hosts that the canary listens on: 127.0.0.1 and, where the machine has IPv6, ::1.
func (c *Canary) Families() []string { return slices.Clone(c.families) }

// URL is where a case's request over HTTP goes.
func (c *Canary) URL(id string) string { return "http://127.0.0.1:" + c.web + "/hit/" + id }

// Web is the port of HTTP.
func (c *Canary) Web() string { return c.web }

// Port is the port of a case that has one of its own, over TCP and UDP.
func (c *Canary) Port(id string) (string, error) {
	c.mu.Lock()
	known := c.ports[id]
	c.mu.Unlock()
	if known != "" {
		return known, nil
	}
	port, err := c.listen(func(conn net.Conn) {
		c.hit(id, "TCP connection")
		_, _ = io.Copy(io.Discard, io.LimitReader(conn, 1<<20))
	}, func(packet []byte) { c.hit(id, fmt.Sprintf("datagram of %d bytes", len(packet))) })
	if err != nil {
		return "", err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ports[id] = port
	return port, nil
}

// Hits says how a case reached the canary; empty when it did not.
func (c *Canary) Hits(id string) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.hits[id])
}

// Strange lists what reached the canary and names no case.
func (c *Canary) Strange() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.strange)
}

// Close ends the canary and every connection.
func (c *Canary) Close() error {
	c.mu.Lock()
	c.closed = true
	var faults []error
	for _, one := range c.sockets {
		faults = append(faults, one.Close())
	}
	for conn := range c.open {
		_ = conn.Close() // it may have ended
	}
	c.mu.Unlock()
	c.serving.Wait()
	return errors.Join(faults...)
}

func (c *Canary) hit(id, how string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.hits[id]) < 8 {
		c.hits[id] = append(c.hits[id], how)
	}
}

// listen opens one port on every host, over TCP and, with packets, over UDP.
func (c *Canary) listen(serve func(net.Conn), packets func([]byte)) (string, error) {
	var fault error
	for range 20 { // until a port is free everywhere
		port, sockets, err := c.bind(packets != nil)
		if err != nil {
			fault = err
			continue
		}
		c.mu.Lock()
		c.sockets = append(c.sockets, sockets...)
		c.mu.Unlock()
		for _, one := range sockets {
			switch one := one.(type) {
			case net.Listener:
				c.serving.Go(func() { c.accept(one, serve) })
			case net.PacketConn:
				c.serving.Go(func() { receive(one, packets) })
			}
		}
		return port, nil
	}
	return "", fmt.Errorf("listen for a canary: %w", fault)
}

func (c *Canary) bind(udp bool) (port string, sockets []io.Closer, err error) {
	port = "0"
	fail := func(err error) (string, []io.Closer, error) {
		for _, one := range sockets {
			_ = one.Close() // the port is tried again elsewhere
		}
		return "", nil, err
	}
	for _, host := range c.families {
		listener, err := net.Listen("tcp", net.JoinHostPort(host, port)) //nolint:noctx // listening on loopback does not wait
		if err != nil {
			return fail(err)
		}
		sockets = append(sockets, listener)
		if _, port, err = net.SplitHostPort(listener.Addr().String()); err != nil {
			return fail(err)
		}
		if !udp {
			continue
		}
		packets, err := net.ListenPacket("udp", net.JoinHostPort(host, port)) //nolint:noctx // as above
		if err != nil {
			return fail(err)
		}
		sockets = append(sockets, packets)
	}
	return port, sockets, nil
}

func (c *Canary) accept(listener net.Listener, serve func(net.Conn)) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		c.mu.Lock()
		if c.closed {
			c.mu.Unlock()
			_ = conn.Close() // nobody waits for it
			return
		}
		c.open[conn] = struct{}{}
		c.mu.Unlock()
		c.serving.Go(func() {
			serve(conn)
			c.mu.Lock()
			delete(c.open, conn)
			c.mu.Unlock()
			_ = conn.Close() // it may have ended
		})
	}
}

func receive(conn net.PacketConn, hear func([]byte)) {
	for buffer := make([]byte, 2048); ; {
		n, _, err := conn.ReadFrom(buffer)
		if err != nil {
			return
		}
		hear(buffer[:n])
	}
}

// serveWeb notes the case that the path names, and answers.
func (c *Canary) serveWeb(conn net.Conn) {
	reader := bufio.NewReader(conn)
	req, err := http.ReadRequest(reader)
	if err != nil {
		c.mu.Lock()
		c.strange = append(c.strange, fmt.Sprintf("not HTTP: %v", err))
		c.mu.Unlock()
		return
	}
	id, named := strings.CutPrefix(req.URL.Path, "/hit/")
	if !named {
		c.mu.Lock()
		c.strange = append(c.strange, req.Method+" "+req.Host+req.URL.Path)
		c.mu.Unlock()
	} else {
		c.hit(strings.TrimSuffix(id, "/"), req.Method+" "+req.Host)
	}
	_ = conn.SetWriteDeadline(time.Now().Add(time.Minute)) // who does not read is not waited for
	_, _ = fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nAccess-Control-Allow-Origin: *\r\n"+
		"Access-Control-Allow-Headers: *\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s", len(CanaryText), CanaryText)
}
