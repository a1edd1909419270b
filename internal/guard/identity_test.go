package guard

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"
)

// F10: the end of a capture cuts everything it has open, at once.
func TestCloseCutsEverything(t *testing.T) {
	r := newRig(t, "")
	r.raw(t, "93.184.215.14:443", echo)
	started := make(chan struct{}, 2)
	r.raw(t, "93.184.215.14:80", func(conn net.Conn) {
		buffer := make([]byte, 4096)
		if n, _ := conn.Read(buffer); strings.Contains(string(buffer[:n]), "/stream") {
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\n\r\npart")
		}
		started <- struct{}{}
		_, _ = io.Copy(io.Discard, conn)
	})
	i := r.identity(t, Budget{})
	idle, tunnel, waiting, streaming := connect(t, i), connect(t, i), connect(t, i), connect(t, i)
	if status := tunnel.tunnel("good.test:443"); status != http.StatusOK {
		t.Fatal(status)
	}
	waiting.send("GET http://good.test/ HTTP/1.1\r\nHost: good.test\r\n\r\n")
	streaming.send("GET http://good.test/stream HTTP/1.1\r\nHost: good.test\r\n\r\n")
	<-started
	<-started
	if err := i.Close(); err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string]*browser{"idle": idle, "tunnel": tunnel, "waiting": waiting, "streaming": streaming} {
		if _, err := io.ReadAll(b); err != nil && isTimeout(err) {
			t.Errorf("%s is still open", name)
		}
	}
	if _, err := net.Dial("tcp4", i.address().String()); err == nil {
		t.Error("still listening")
	}
	if len(i.Events()) > 0 {
		t.Errorf("the end of the capture is not a failure: %+v", i.Events())
	}
	if err := i.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

// A lookup and a dial under way end with the identity.
func TestCloseEndsLookupsAndDials(t *testing.T) {
	began := make(chan struct{})
	hang := func(ctx context.Context, _, _ string) (net.Conn, error) {
		began <- struct{}{}
		<-ctx.Done()
		return nil, ctx.Err()
	}
	asking := resolverFunc(func(ctx context.Context) ([]netip.Addr, error) {
		began <- struct{}{}
		<-ctx.Done()
		return nil, ctx.Err()
	})
	for name, p := range map[string]*Policy{"dial": New(Config{Dial: hang}), "lookup": New(Config{Resolver: asking})} {
		for _, request := range []string{"GET http://%s/ HTTP/1.1\r\nHost: x\r\n\r\n", "CONNECT %s:443 HTTP/1.1\r\nHost: x\r\n\r\n"} {
			i, err := p.NewIdentity(Budget{})
			if err != nil {
				t.Fatal(err)
			}
			host := map[string]string{"dial": "8.8.8.8", "lookup": "slow.test"}[name]
			b := connect(t, i)
			b.send(request, host)
			<-began
			if err := i.Close(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

type resolverFunc func(ctx context.Context) ([]netip.Addr, error)

func (f resolverFunc) LookupNetIP(ctx context.Context, _, _ string) ([]netip.Addr, error) {
	return f(ctx)
}

// A browser that hangs up ends its request at the server too, and is not a failure.
func TestBrowserHangsUp(t *testing.T) {
	r := newRig(t, "")
	began, ended := make(chan struct{}), make(chan struct{})
	r.serve(t, "93.184.215.14:80", func(_ http.ResponseWriter, req *http.Request) {
		close(began)
		<-req.Context().Done()
		close(ended)
	})
	i := r.identity(t, Budget{})
	b := connect(t, i)
	b.send("GET http://good.test/ HTTP/1.1\r\nHost: good.test\r\n\r\n")
	<-began
	b.Close()
	select {
	case <-ended:
	case <-time.After(patience):
		t.Fatal("the server still works")
	}
	if err := i.Close(); err != nil || len(i.Events()) > 0 {
		t.Errorf("%v, events %+v", err, i.Events())
	}
}

// F11: the byte budget cuts a stream, plain and in a tunnel, and lets nothing begin any more.
func TestByteBudget(t *testing.T) {
	const budget = 1 << 20
	flood := func(conn net.Conn) {
		block := make([]byte, 32<<10)
		for {
			if _, err := conn.Write(block); err != nil {
				return
			}
		}
	}
	r := newRig(t, "")
	r.raw(t, "93.184.215.14:443", flood)
	r.serve(t, "93.184.215.14:80", func(w http.ResponseWriter, _ *http.Request) {
		block := make([]byte, 32<<10)
		for {
			if _, err := w.Write(block); err != nil {
				return
			}
		}
	})
	for _, plain := range []bool{true, false} {
		i := r.identity(t, Budget{Bytes: budget})
		b := connect(t, i)
		port := uint16(443)
		if plain {
			port = 80
			b.send("GET http://good.test/ HTTP/1.1\r\nHost: good.test\r\n\r\n")
		} else if status := b.tunnel("good.test:443"); status != http.StatusOK {
			t.Fatal(status)
		}
		n, _ := io.Copy(io.Discard, b)
		if n < budget*9/10 || n > budget*11/10 {
			t.Errorf("plain %v: %d bytes of %d", plain, n, budget)
		}
		within(t, "the event", func() bool { e, _ := i.Failure("good.test", port); return e.Kind == OverBudget })
		if status := connect(t, i).tunnel("good.test:443"); status != http.StatusForbidden {
			t.Errorf("plain %v: a tunnel after the budget answers %d", plain, status)
		}
	}
}

// F12: one request, connection or host too many is refused.
func TestCountBudgets(t *testing.T) {
	r := newRig(t, "")
	r.serve(t, "93.184.215.14:80", text("ok"))
	r.names.answers["other.test"] = [][]string{{"93.184.215.14"}}
	r.names.answers["third.test"] = [][]string{{"93.184.215.14"}}

	requests := r.identity(t, Budget{Requests: 3})
	b := connect(t, requests)
	for range 3 {
		if _, _, err := b.get("http://good.test/", "good.test"); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := b.get("http://good.test/", "good.test"); err == nil {
		t.Error("the fourth request was served")
	}
	hosts := r.identity(t, Budget{Hosts: 2})
	b = connect(t, hosts)
	for _, host := range []string{"good.test", "other.test", "good.test"} {
		if _, _, err := b.get("http://"+host+"/", host); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := b.get("http://third.test/", "third.test"); err == nil {
		t.Error("the third host was served")
	}
	conns := r.identity(t, Budget{Conns: 2})
	first, second := connect(t, conns), connect(t, conns)
	for _, b := range []*browser{first, second} {
		if _, _, err := b.get("http://good.test/", "good.test"); err != nil {
			t.Fatal(err)
		}
	}
	if rest, _ := io.ReadAll(connect(t, conns)); len(rest) > 0 {
		t.Errorf("the third connection got %q", rest)
	}
	first.Close()
	within(t, "a place again", func() bool {
		b := connect(t, conns)
		defer b.Close()
		if _, err := io.WriteString(b.Conn, "GET http://good.test/ HTTP/1.1\r\nHost: good.test\r\n\r\n"); err != nil {
			return false
		}
		_, _, err := b.answer("GET")
		return err == nil
	})
	for name, i := range map[string]*Identity{"requests": requests, "hosts": hosts, "conns": conns} {
		if got := kinds(i); len(got) == 0 || got[0] != OverBudget {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// F07: a request's head has a limit.
func TestLargeHead(t *testing.T) {
	r := newRig(t, "")
	b := connect(t, r.identity(t, Budget{}))
	go func() {
		_, _ = fmt.Fprintf(b.Conn, "GET http://good.test/ HTTP/1.1\r\nHost: good.test\r\nX: %s\r\n\r\n", strings.Repeat("x", 300<<10))
	}()
	resp, err := http.ReadResponse(b.Reader, nil)
	if err == nil && (resp.StatusCode != http.StatusRequestHeaderFieldsTooLarge || !resp.Close) {
		t.Errorf("%s, close %v", resp.Status, resp.Close)
	}
	if len(r.names.asked) > 0 {
		t.Errorf("asked for %v", r.names.asked)
	}
}

// F07: a head that comes a byte at a time has 10 s.
func TestServerLimitsAreSet(t *testing.T) {
	i := newRig(t, "").identity(t, Budget{})
	if i.server.ReadHeaderTimeout != 10*time.Second || i.server.MaxHeaderBytes != 64<<10 ||
		i.transport.ResponseHeaderTimeout != 30*time.Second {
		t.Errorf("%s, %d, %s", i.server.ReadHeaderTimeout, i.server.MaxHeaderBytes, i.transport.ResponseHeaderTimeout)
	}
	if i.transport.Proxy != nil || !i.transport.DisableCompression {
		t.Error("the transport asks the environment for a proxy, or decompresses")
	}
}

// F13, F14: an answer's head that never ends, in whatever way.
func TestEndlessAnswerHeads(t *testing.T) {
	for name, write := range map[string]func(net.Conn) error{
		"F13 many headers": func(conn net.Conn) error {
			_, err := io.WriteString(conn, "HTTP/1.1 200 OK\r\n"+strings.Repeat("a: b\r\n", 100_000)+"\r\n")
			return err
		},
		"F13 large header": func(conn net.Conn) error {
			_, err := io.WriteString(conn, "HTTP/1.1 200 OK\r\na: "+strings.Repeat("b", 1<<20)+"\r\n\r\n")
			return err
		},
		"F14 flood of 1xx": func(conn net.Conn) error {
			for {
				if _, err := io.WriteString(conn, "HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n"); err != nil {
					return err
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, "")
			r.raw(t, "93.184.215.14:80", func(conn net.Conn) {
				_, _ = conn.Read(make([]byte, 4096))
				_ = write(conn)
			})
			i := r.identity(t, Budget{})
			if _, _, err := connect(t, i).get("http://good.test/", "good.test"); err == nil {
				t.Error("answered")
			}
			if e, _ := i.Failure("good.test", 80); e.Kind != Refused {
				t.Errorf("%+v", e)
			}
		})
	}
}

func TestEventsAreBounded(t *testing.T) {
	r := newRig(t, "")
	i := r.identity(t, Budget{Requests: 5000})
	b := connect(t, i)
	for n := range 2 * maxEvents {
		port := 1024 + n
		if port == 1719 || unsafePort(uint16(port)) {
			continue
		}
		if status := b.tunnel(fmt.Sprintf("127.0.0.1:%d", port)); status != http.StatusForbidden {
			t.Fatal(status)
		}
	}
	if got := len(i.Events()); got != maxEvents {
		t.Errorf("%d events", got)
	}
	if _, found := i.Failure("127.0.0.1", uint16(1024+2*maxEvents-1)); !found {
		t.Error("the latest failure is not found")
	}
}

// Many pages' worth of traffic at once, for the race detector.
func TestConcurrentUse(t *testing.T) {
	r := newRig(t, "")
	r.serve(t, "93.184.215.14:80", text("ok"))
	r.raw(t, "93.184.215.14:443", echo)
	i := r.identity(t, Budget{})
	var work sync.WaitGroup
	for range 16 {
		plain, secure := connect(t, i), connect(t, i)
		work.Go(func() {
			for range 10 {
				if _, body, err := plain.get("http://good.test/", "good.test"); err != nil || body != "ok" {
					t.Error(body, err)
				}
				_, _ = i.Failure("good.test", 80)
				_ = i.Events()
			}
		})
		work.Go(func() {
			if status := secure.tunnel("good.test:443"); status != http.StatusOK {
				t.Error(status)
			}
		})
	}
	work.Wait()
	if n := r.names.lookups("good.test"); n != 1 {
		t.Errorf("%d lookups", n)
	}
}

// What a capture does without is refused before any lookup, uses up no budget, is remembered once, and leaves room for news.
func TestRefuse(t *testing.T) {
	r := newRig(t, "")
	r.serve(t, "93.184.215.14:80", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "here") })
	i := r.identity(t, Budget{Requests: 1, Conns: 400}) // an end is noticed later than it comes
	var asked sync.Map
	i.Refuse(func(host string) bool {
		asked.Store(host, true)
		return host == "ads.test" || host == "192.0.2.9"
	})
	for range 300 {
		b := connect(t, i)
		if status := b.tunnel("Ads.TEST.:443"); status != http.StatusForbidden {
			t.Fatalf("status %d", status)
		}
		b.Close()
	}
	if _, _, err := connect(t, i).get("http://192.0.2.9/x", "192.0.2.9"); err == nil {
		t.Error("a filtered host answered")
	}
	if _, body, err := connect(t, i).get("http://good.test/", "good.test"); err != nil || body != "here" {
		t.Errorf("%q, %v", body, err)
	}
	if n := r.names.lookups("ads.test"); n != 0 {
		t.Errorf("%d lookups of what is refused", n)
	}
	events := i.Events()
	if len(events) != 2 || events[0].Host != "ads.test" || events[0].Port != 443 || events[0].Kind != Filtered || events[1].Kind != Filtered {
		t.Errorf("%d events: %+v", len(events), events[:min(3, len(events))])
	}
	if e, known := i.Failure("ads.test", 443); !known || e.Kind != Filtered {
		t.Errorf("%+v, %v", e, known)
	}
	for _, host := range []string{"ads.test", "192.0.2.9", "good.test"} {
		if _, was := asked.Load(host); !was {
			t.Errorf("%s was not asked about", host)
		}
	}
}
