package guard

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// gateway is an outbound proxy of the test: it leads addresses to listeners and remembers what it was asked for.
type gateway struct {
	address string
	to      map[string]string

	mu    sync.Mutex
	asked []string
	users []string
}

func (g *gateway) ask(address, user string) (to string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.asked, g.users = append(g.asked, address), append(g.users, user)
	return g.to[address]
}

func (g *gateway) requests() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.asked)
}

// join moves bytes between a client and where an address leads to.
func (g *gateway) join(client net.Conn, from io.Reader, to string) {
	server, err := net.Dial("tcp4", to)
	if err != nil {
		return
	}
	defer server.Close()
	go func() {
		_, _ = io.Copy(server, from)
		_ = server.(*net.TCPConn).CloseWrite()
	}()
	_, _ = io.Copy(client, server)
}

// connects is a proxy that takes CONNECT.
func (g *gateway) connects(conn net.Conn) {
	reader := bufio.NewReader(conn)
	request, err := http.ReadRequest(reader)
	if err != nil || request.Method != http.MethodConnect {
		return
	}
	user, password, _ := (&http.Request{Header: http.Header{"Authorization": request.Header["Proxy-Authorization"]}}).BasicAuth()
	to := g.ask(request.Host, user+":"+password)
	if to == "" {
		_, _ = io.WriteString(conn, "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
		return
	}
	_, _ = io.WriteString(conn, "HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n")
	g.join(conn, reader, to)
}

// socks is a proxy of RFC 1928 that wants a user and a password (RFC 1929).
func (g *gateway) socks(conn net.Conn) {
	read := func(n int) []byte {
		part := make([]byte, n)
		_, _ = io.ReadFull(conn, part)
		return part
	}
	read(int(read(2)[1]))
	_, _ = conn.Write([]byte{5, 2})
	user := string(read(int(read(2)[1])))
	password := string(read(int(read(1)[0])))
	_, _ = conn.Write([]byte{1, 0})
	head := read(4)
	if head[3] != 1 { // a name, or IPv6
		g.ask(fmt.Sprintf("kind %d", head[3]), "")
		return
	}
	addr, port := netip.AddrFrom4([4]byte(read(4))), read(2)
	to := g.ask(netip.AddrPortFrom(addr, uint16(port[0])<<8|uint16(port[1])).String(), user+":"+password)
	if to == "" {
		_, _ = conn.Write([]byte{5, 2, 0, 1, 0, 0, 0, 0, 0, 0})
		return
	}
	_, _ = conn.Write([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0})
	g.join(conn, conn, to)
}

// behind is a policy that has a gateway of a scheme.
func behind(t *testing.T, scheme, allow string) (*gateway, *rig) {
	t.Helper()
	g := &gateway{to: map[string]string{}}
	if scheme == "socks5" {
		g.address = listen(t, g.socks)
	} else {
		g.address = listen(t, g.connects)
	}
	return g, through(t, scheme+"://somebody:secret@"+g.address, allow)
}

func through(t *testing.T, proxy, allow string) *rig {
	t.Helper()
	rules, err := ParseAllow(allow)
	if err != nil {
		t.Fatal(err)
	}
	at, err := ParseOutbound(proxy)
	if err != nil {
		t.Fatal(err)
	}
	answers := map[string][][]string{"good.test": {{"93.184.215.14"}}, "evil.test": {{"10.0.0.1"}}}
	r := &rig{names: &script{answers: answers, errs: map[string]error{}}}
	r.policy = New(Config{Allow: rules, Resolver: r.names, Outbound: at})
	return r
}

// Pages reach public addresses through the proxy, which gets the judged address and never a name: plain requests and tunnels.
func TestOutbound(t *testing.T) {
	for _, scheme := range []string{"http", "socks5"} {
		t.Run(scheme, func(t *testing.T) {
			g, r := behind(t, scheme, "")
			server := httptest.NewServer(text("through the proxy"))
			t.Cleanup(server.Close)
			g.to["93.184.215.14:80"] = server.Listener.Addr().String()
			g.to["93.184.215.14:443"] = listen(t, echo)
			i := r.identity(t, Budget{})
			b := connect(t, i)
			b.send("GET http://good.test/ HTTP/1.1\r\nHost: good.test\r\n\r\n")
			if _, answer, err := b.answer("GET"); answer != "through the proxy" {
				t.Errorf("a plain request: %q, %v", answer, err)
			}
			b = connect(t, i)
			if status := b.tunnel("good.test:443"); status != http.StatusOK {
				t.Fatalf("a tunnel: %d", status)
			}
			b.send("both ways")
			if err := b.Conn.(*net.TCPConn).CloseWrite(); err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(b.Reader); string(got) != "both ways" {
				t.Errorf("the tunnel gave %q, %v", got, err)
			}
			if got := g.requests(); !slices.Equal(got, []string{"93.184.215.14:80", "93.184.215.14:443"}) {
				t.Errorf("the proxy was asked for %q", got)
			}
			if g.users[0] != "somebody:secret" {
				t.Errorf("the proxy was asked by %q", g.users)
			}
		})
	}
}

// What is refused without a proxy is refused with one, before the proxy hears of it. What a rule opens needs none.
func TestOutboundJudges(t *testing.T) {
	g, r := behind(t, "http", "")
	var refusal *Refusal
	for _, address := range []string{"evil.test:80", "127.0.0.1:8080", "169.254.169.254:80", "[::ffff:10.0.0.1]:443", "good.test:25"} {
		if err := dial(t, r.policy, address); !errors.As(err, &refusal) {
			t.Errorf("%s: %v", address, err)
		}
	}
	inside := listen(t, echo)
	r = through(t, "http://"+g.address, "127.0.0.0/8")
	if err := dial(t, r.policy, inside); err != nil {
		t.Errorf("an address that is opened: %v", err)
	}
	if err := dial(t, r.policy, g.address); !errors.As(err, &refusal) {
		t.Errorf("the proxy itself, in a network that is opened: %v", err)
	}
	if got := g.requests(); len(got) > 0 {
		t.Errorf("the proxy was asked for %q", got)
	}
}

// A proxy with a name is closed to pages once its address is known.
func TestOutboundByName(t *testing.T) {
	g := &gateway{to: map[string]string{"93.184.215.14:80": listen(t, echo)}}
	g.address = listen(t, g.connects)
	_, port, _ := strings.Cut(g.address, ":")
	r := through(t, "http://localhost:"+port, "127.0.0.0/8,::1/128")
	if err := dial(t, r.policy, "good.test:80"); err != nil {
		t.Fatal(err)
	}
	var refusal *Refusal
	if err := dial(t, r.policy, g.address); !errors.As(err, &refusal) {
		t.Errorf("the proxy itself: %v", err)
	}
}

// Whoever waits is told that it was the proxy, and nothing of the proxy.
func TestOutboundFails(t *testing.T) {
	g, refuses := behind(t, "http", "")
	_, socks := behind(t, "socks5", "")
	closed := listenOnce(t)
	for name, one := range map[string]struct {
		rig  *rig
		kind Kind
		says string
	}{
		"refuses":        {refuses, Refused, "outbound proxy"},
		"socks refuses":  {socks, Refused, "outbound proxy"},
		"is not there":   {through(t, "http://"+closed, ""), NoWayOut, "outbound proxy"},
		"lets nobody in": {through(t, "http://"+listen(t, wantsPassword), ""), NoWayOut, "outbound proxy"},
		"hangs up":       {through(t, "http://"+listen(t, func(net.Conn) {}), ""), Refused, "outbound proxy"},
		"has no end":     {through(t, "http://"+listen(t, babble), ""), Refused, "outbound proxy"},
		"is silent":      {through(t, "http://"+listen(t, hush), ""), Timeout, "did not answer in time"},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			if one.kind != Timeout {
				ctx, cancel = context.WithTimeout(t.Context(), patience)
			}
			defer cancel()
			_, err := one.rig.policy.DialContext(ctx, "tcp", "good.test:80")
			if e := Explain("good.test:80", err); err == nil || e.Kind != one.kind || !strings.Contains(e.Detail, one.says) ||
				strings.Contains(e.Detail, "127.0.0.1") {
				t.Errorf("%v is explained as %+v", err, e)
			}
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("the error tells the password: %v", err)
			}
		})
	}
	if len(g.requests()) != 1 {
		t.Errorf("the proxy was asked for %q", g.requests())
	}
}

func babble(conn net.Conn) {
	for {
		if _, err := io.WriteString(conn, "HTTP/1.1 200 yes\r\nX: "); err != nil {
			return
		}
	}
}

func wantsPassword(conn net.Conn) {
	if _, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
		_, _ = io.WriteString(conn, "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
	}
}

func hush(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }

// The way out is open where the proxy takes connections.
func TestWayOut(t *testing.T) {
	g, _ := behind(t, "http", "")
	if err := WayOut(t.Context(), &url.URL{Host: g.address}); err != nil || len(g.requests()) > 0 {
		t.Errorf("a proxy that is there: %v, asked for %q", err, g.requests())
	}
	if err := WayOut(t.Context(), &url.URL{Host: listenOnce(t)}); err == nil {
		t.Error("a proxy that is not there")
	}
}

// listenOnce is an address at which nobody listens any more.
func listenOnce(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

func TestParseOutbound(t *testing.T) {
	for text, good := range map[string]bool{
		"http://proxy.internal:3128": true, "http://user:pass@10.0.0.1:80/": true, "socks5://[fd00::1]:1080": true,
		"": false, "proxy:3128": false, "https://proxy:3128": false, "http://proxy": false, "http://:3128": false,
		"http://proxy:3128/path": false, "http://proxy:3128?a=b": false, "ftp://proxy:21": false, "http://a b:1": false,
	} {
		if _, err := ParseOutbound(text); (err == nil) != good {
			t.Errorf("%q: %v", text, err)
		}
	}
}
