package guard

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// plainlyPrivate is a second opinion on addresses, of the standard library only.
func plainlyPrivate(addr netip.Addr) bool {
	addr = addr.Unmap()
	return !addr.IsGlobalUnicast() || addr.IsPrivate() || addr.IsLoopback() || addr.IsLinkLocalUnicast() || addr.IsMulticast()
}

// FuzzCheck: whatever the policy allows is public, also as the IPv4 address in it, and the verdict does not depend on how
// the address is written.
func FuzzCheck(f *testing.F) {
	for _, addrs := range addressTable() {
		for _, addr := range addrs {
			f.Add(netip.MustParseAddr(addr).AsSlice(), uint16(443), byte(0))
		}
	}
	f.Add(netip.MustParseAddr("64:ff9b::7f00:1").AsSlice(), uint16(80), byte(96))
	f.Add(netip.MustParseAddr("2a00:1:2:3:7f:0:100:0").AsSlice(), uint16(80), byte(64))
	f.Fuzz(func(t *testing.T, bytes []byte, port uint16, bits byte) {
		addr, ok := netip.AddrFromSlice(bytes)
		if !ok {
			return
		}
		p := New(Config{})
		refused := p.Check(netip.AddrPortFrom(addr, port)) != nil
		if !refused && plainlyPrivate(addr) {
			t.Errorf("%s is allowed", addr)
		}
		if !refused && p.Private(addr) {
			t.Errorf("%s is allowed and counts as private", addr)
		}
		if addr.Is4() {
			mapped := netip.AddrFrom16(addr.As16())
			if again := p.Check(netip.AddrPortFrom(mapped, port)) != nil; again != refused {
				t.Errorf("%s and %s are judged differently", addr, mapped)
			}
			return
		}
		if embeddedAt(int(bits)) == nil {
			return
		}
		// A translator whose prefix the address has: what is allowed stands for something public.
		prefix := netip.PrefixFrom(addr, int(bits)).Masked()
		p = New(Config{NAT64: []netip.Prefix{prefix}, Allow: []Rule{{Prefix: netip.MustParsePrefix("::/0")}}})
		v4, below := p.translated(addr.Unmap())
		if p.Check(netip.AddrPortFrom(addr, port)) == nil && below && (!v4.IsValid() || p.Check(netip.AddrPortFrom(v4, port)) != nil) {
			t.Errorf("%s below %s stands for %s and is allowed", addr, prefix, v4)
		}
	})
}

// oneConn is a listener that has one connection.
type oneConn struct {
	conns chan net.Conn
	done  chan struct{}
}

func (l *oneConn) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *oneConn) Close() error   { return nil }
func (l *oneConn) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 3128} }

// namesByWord leads names that say "inside" to a private network, and all others to a public address.
type namesByWord struct{}

func (namesByWord) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	if strings.Contains(host, "inside") {
		return []netip.Addr{netip.MustParseAddr("10.0.0.1")}, nil
	}
	return []netip.Addr{netip.MustParseAddr("93.184.215.14")}, nil
}

// FuzzProxy: no bytes of a browser make the proxy panic, dial a private address, or send on what is not one clean request.
func FuzzProxy(f *testing.F) {
	for _, seed := range []string{
		"GET http://good.test/ HTTP/1.1\r\nHost: good.test\r\n\r\n",
		"GET http://inside.test/ HTTP/1.1\r\nHost: good.test\r\n\r\n",
		"CONNECT 127.0.0.1:443 HTTP/1.1\r\nHost: good.test:443\r\n\r\n",
		"CONNECT good.test:443 HTTP/1.1\r\n\r\nhello",
		"POST http://good.test/a%2Fb//c?x HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nConnection: X-Y\r\nX-Y: 1\r\n\r\n" +
			"abcGET http://[::1]/ HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET http://good.test:8080@127.0.0.1/ HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET http://0x7f.1/ HTTP/1.0\r\n\r\n", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
		"POST http://good.test/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		dial := func(_ context.Context, _, address string) (net.Conn, error) {
			ap, err := netip.ParseAddrPort(address)
			if err != nil || plainlyPrivate(ap.Addr()) {
				t.Errorf("dialled %s", address)
			}
			near, far := net.Pipe()
			go answerOnce(t, far)
			return near, nil
		}
		i, err := New(Config{Resolver: namesByWord{}, Dial: dial}).NewIdentity(Budget{})
		if err != nil {
			t.Fatal(err)
		}
		defer i.Close()
		listener := &oneConn{conns: make(chan net.Conn, 1), done: make(chan struct{})}
		server := i.newServer(t.Context())
		server.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			defer func() {
				if fault := recover(); fault != nil {
					t.Errorf("panic: %v", fault)
				}
			}()
			i.handle(w, r)
		})
		go func() { _ = server.Serve(listener) }()
		near, far := net.Pipe()
		listener.conns <- far
		go func() {
			_, _ = near.Write(raw)
			_ = near.SetReadDeadline(time.Now().Add(20 * time.Millisecond)) // nothing more comes
		}()
		_, _ = io.Copy(io.Discard, near)
		near.Close()
		close(listener.done)
		server.Close()
	})
}

// answerOnce reads what the proxy sends on, which must be one clean request or the bytes of a tunnel, and answers.
func answerOnce(t *testing.T, conn net.Conn) {
	t.Helper()
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Second))
	head, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		return
	}
	if strings.Contains(strings.TrimSuffix(head, "\r\n"), "\r") {
		t.Errorf("sent on %q", head)
	}
	_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
}
