package guard

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// patience is how long a test waits for what must come.
const patience = time.Minute

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// script is a resolver that gives one list of answers per lookup of a name, the last one again and again.
type script struct {
	mu      sync.Mutex
	answers map[string][][]string
	errs    map[string]error
	asked   []string
}

func (s *script) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, host)
	if err := s.errs[host]; err != nil {
		return nil, err
	}
	lists, known := s.answers[host]
	if !known || network != "ip" {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	if len(lists) > 1 {
		s.answers[host] = lists[1:]
	}
	var addrs []netip.Addr
	for _, text := range lists[0] {
		addrs = append(addrs, netip.MustParseAddr(text))
	}
	return addrs, nil
}

func (s *script) lookups(host string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, asked := range s.asked {
		if asked == host {
			n++
		}
	}
	return n
}

// wires leads public addresses to listeners of the test and remembers every dial.
type wires struct {
	t  *testing.T
	mu sync.Mutex

	to     map[string]string
	dialed []string
}

func (w *wires) dial(ctx context.Context, network, address string) (net.Conn, error) {
	w.mu.Lock()
	w.dialed = append(w.dialed, address)
	to, known := w.to[address]
	w.mu.Unlock()
	if !known {
		w.t.Errorf("dialled %s, which the test does not expect", address)
		return nil, &net.AddrError{Err: "not wired", Addr: address}
	}
	var d net.Dialer
	return d.DialContext(ctx, network, to)
}

func (w *wires) dials() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.dialed)
}

// rig is a policy whose names and connections are the test's.
type rig struct {
	policy *Policy
	names  *script
	wires  *wires
}

func newRig(t *testing.T, allow string) *rig {
	t.Helper()
	rules, err := ParseAllow(allow)
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{
		names: &script{answers: map[string][][]string{"good.test": {{"93.184.215.14"}}}, errs: map[string]error{}},
		wires: &wires{t: t, to: map[string]string{}},
	}
	r.policy = New(Config{Allow: rules, Resolver: r.names, Dial: r.wires.dial})
	return r
}

// serve answers at a public address, for as long as the test runs.
func (r *rig) serve(t *testing.T, public string, handler http.HandlerFunc) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	r.wires.to[public] = server.Listener.Addr().String()
}

// raw answers every connection at a public address with a function.
func (r *rig) raw(t *testing.T, public string, serve func(net.Conn)) {
	t.Helper()
	r.wires.to[public] = listen(t, serve)
}

func listen(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var work sync.WaitGroup
	work.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			work.Go(func() {
				defer conn.Close()
				serve(conn)
			})
		}
	})
	t.Cleanup(func() {
		listener.Close()
		work.Wait()
	})
	return listener.Addr().String()
}

func (r *rig) identity(t *testing.T, b Budget) *Identity {
	t.Helper()
	i, err := r.policy.NewIdentity(b)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := i.Close(); err != nil {
			t.Error(err)
		}
	})
	return i
}

// browser is a raw connection to an identity.
type browser struct {
	net.Conn
	*bufio.Reader
	t *testing.T
}

func (b *browser) Read(p []byte) (int, error) { return b.Reader.Read(p) }

func connect(t *testing.T, i *Identity) *browser {
	t.Helper()
	conn, err := net.Dial("tcp4", i.address().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(patience))
	return &browser{Conn: conn, Reader: bufio.NewReader(conn), t: t}
}

func (b *browser) send(format string, args ...any) {
	b.t.Helper()
	if _, err := fmt.Fprintf(b.Conn, format, args...); err != nil {
		b.t.Fatal(err)
	}
}

// answer reads one answer and its body. err is set when the connection ended before the answer did.
func (b *browser) answer(method string) (*http.Response, string, error) {
	resp, err := http.ReadResponse(b.Reader, &http.Request{Method: method})
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp, string(body), err
}

// get asks for a plain page through the proxy.
func (b *browser) get(url, host string) (*http.Response, string, error) {
	b.t.Helper()
	b.send("GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", url, host)
	return b.answer("GET")
}

// tunnel asks for a CONNECT and returns its status, 0 when the connection ended instead.
func (b *browser) tunnel(authority string) int {
	b.t.Helper()
	b.send("CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n", authority, authority)
	resp, err := http.ReadResponse(b.Reader, &http.Request{Method: http.MethodConnect})
	if err != nil {
		return 0
	}
	resp.Body.Close()
	return resp.StatusCode
}

// within fails the test when the condition does not come true.
func within(t *testing.T, what string, condition func() bool) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-deadline:
			t.Fatalf("not within %s: %s", patience, what)
		case <-tick.C:
		}
	}
}
