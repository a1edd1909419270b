package guard

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
)

func text(s string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, s) }
}

func kinds(i *Identity) []Kind {
	var kinds []Kind
	for _, e := range i.Events() {
		kinds = append(kinds, e.Kind)
	}
	return kinds
}

// echo answers each line with the same line.
func echo(conn net.Conn) { _, _ = io.Copy(conn, conn) }

func TestForward(t *testing.T) {
	r := newRig(t, "")
	var seen *http.Request
	var body string
	r.serve(t, "93.184.215.14:80", func(w http.ResponseWriter, req *http.Request) {
		bytes, _ := io.ReadAll(req.Body)
		seen, body = req, string(bytes)
		w.Header().Set("X-Answer", "yes")
		w.Header().Set("Proxy-Authenticate", "Basic")
		w.WriteHeader(http.StatusTeapot)
		_, _ = io.WriteString(w, "short and stout")
	})
	b := connect(t, r.identity(t, Budget{}))
	// F03: Host follows the judged authority. F08: nothing for the proxy goes on.
	b.send("POST http://GOOD.test./a%%2Fb|c?x=1&&y HTTP/1.1\r\nHost: internal.admin\r\nProxy-Authorization: Basic c2VjcmV0\r\n" +
		"Proxy-Connection: keep-alive\r\nConnection: X-Drop\r\nX-Drop: 1\r\nX-Keep: 2\r\nTE: trailers\r\n" +
		"Upgrade: h2c\r\nContent-Length: 5\r\n\r\nhello")
	resp, answer, err := b.answer("POST")
	if err != nil || resp.StatusCode != http.StatusTeapot || answer != "short and stout" || resp.Header.Get("X-Answer") != "yes" {
		t.Fatalf("%v %q %v", resp, answer, err)
	}
	if seen.Host != "good.test" || seen.RequestURI != "/a%2Fb|c?x=1&&y" || body != "hello" {
		t.Errorf("the server saw host %q, target %q, body %q", seen.Host, seen.RequestURI, body)
	}
	for name := range seen.Header {
		if !slices.Contains([]string{"X-Keep", "Content-Length"}, name) {
			t.Errorf("the server got %s: %v", name, seen.Header[name])
		}
	}
	if resp.Header.Get("Proxy-Authenticate") != "" {
		t.Error("a server speaks for the proxy")
	}
}

func TestForwardLeavesAnswersAlone(t *testing.T) {
	r := newRig(t, "")
	answers := map[string]string{
		"/bare":    "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>",
		"/closed":  "HTTP/1.0 200 OK\r\n\r\nuntil the end",
		"/empty":   "HTTP/1.1 204 No Content\r\n\r\n",
		"/encoded": "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
	}
	r.raw(t, "93.184.215.14:80", func(conn net.Conn) {
		req, err := http.ReadRequest(bufio.NewReader(conn))
		if err == nil {
			_, _ = io.WriteString(conn, answers[req.URL.Path])
		}
	})
	b := connect(t, r.identity(t, Budget{}))
	for path, want := range map[string]string{"/bare": "<html>", "/closed": "until the end", "/empty": "", "/encoded": "abc"} {
		resp, body, err := b.get("http://good.test"+path, "good.test")
		if err != nil || body != want {
			t.Fatalf("%s: %q, %v", path, body, err)
		}
		for _, name := range []string{"Content-Type", "Date", "Accept-Encoding"} {
			if resp.Header.Get(name) != "" {
				t.Errorf("%s: the proxy added %s: %s", path, name, resp.Header.Get(name))
			}
		}
	}
}

// What a server sends slowly arrives as it is sent.
func TestForwardStreams(t *testing.T) {
	r := newRig(t, "")
	next := make(chan struct{})
	r.serve(t, "93.184.215.14:80", func(w http.ResponseWriter, req *http.Request) {
		for _, part := range []string{"one", "two"} {
			_, _ = io.WriteString(w, part)
			_ = http.NewResponseController(w).Flush()
			<-next
		}
	})
	b := connect(t, r.identity(t, Budget{}))
	b.send("GET http://good.test/ HTTP/1.1\r\nHost: good.test\r\n\r\n")
	resp, err := http.ReadResponse(b.Reader, nil)
	if err != nil {
		t.Fatal(err)
	}
	part := make([]byte, 3)
	for _, want := range []string{"one", "two"} {
		if _, err := io.ReadFull(resp.Body, part); err != nil || string(part) != want {
			t.Fatalf("%q, %v", part, err)
		}
		next <- struct{}{}
	}
}

func TestForwardKeepsConnections(t *testing.T) {
	r := newRig(t, "")
	r.serve(t, "93.184.215.14:80", text("again"))
	b := connect(t, r.identity(t, Budget{}))
	for range 5 {
		if _, body, err := b.get("http://good.test/", "good.test"); err != nil || body != "again" {
			t.Fatal(body, err)
		}
	}
	if dials := r.wires.dials(); len(dials) != 1 {
		t.Errorf("dialled %d times", len(dials))
	}
}

// A refused or failed plain request gets no page: the connection ends without a byte.
func TestPlainFailuresHaveNoPage(t *testing.T) {
	r := newRig(t, "")
	r.names.answers["inside.test"] = [][]string{{"10.0.0.1"}}
	r.names.answers["refused.test"] = [][]string{{"93.184.215.15"}}
	r.names.answers["silent.test"] = [][]string{{"93.184.215.16"}}
	r.names.answers["odd.test"] = [][]string{{"93.184.215.17"}}
	r.names.answers["switch.test"] = [][]string{{"93.184.215.18"}}
	r.wires.to["93.184.215.15:80"] = "127.0.0.1:1"
	r.raw(t, "93.184.215.16:80", func(net.Conn) {})
	r.raw(t, "93.184.215.17:80", func(conn net.Conn) {
		_, _ = conn.Read(make([]byte, 4096))
		_, _ = io.WriteString(conn, "SSH-2.0-x\r\n")
	})
	r.raw(t, "93.184.215.18:80", func(conn net.Conn) {
		_, _ = conn.Read(make([]byte, 4096))
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n")
		_, _ = io.Copy(io.Discard, conn)
	})
	i := r.identity(t, Budget{})
	for host, kind := range map[string]Kind{
		"127.0.0.1": Blocked, "[::ffff:7f00:1]": Blocked, "localhost": Blocked, "inside.test": Blocked, "missing.test": NotResolved,
		"refused.test": Refused, "silent.test": Refused, "odd.test": Refused, "switch.test": Refused,
	} {
		b := connect(t, i)
		// F02: the Host header makes no difference.
		b.send("GET http://%s/ HTTP/1.1\r\nHost: good.test\r\n\r\n", host)
		if rest, _ := io.ReadAll(b); len(rest) > 0 {
			t.Errorf("%s: got %q", host, rest)
		}
		event, found := i.Failure(host, 80)
		if !found || event.Kind != kind || event.Detail == "" || event.Port != 80 {
			t.Errorf("%s: %v %+v", host, found, event)
		}
		if strings.Contains(event.Detail, "10.0.0.1") {
			t.Errorf("%s: the client gets %q", host, event.Detail)
		}
	}
	if len(i.Events()) != 9 {
		t.Errorf("events: %+v", i.Events())
	}
	if _, found := i.Failure("good.test", 80); found {
		t.Error("good.test is said to have failed")
	}
}

// An answer that breaks off does not look complete.
func TestTruncatedAnswer(t *testing.T) {
	r := newRig(t, "")
	for n, head := range []string{"Content-Length: 100\r\n\r\nhalf", "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"} {
		r.names.answers["cut.test"] = [][]string{{"93.184.215.20"}}
		r.raw(t, "93.184.215.20:80", func(conn net.Conn) {
			_, _ = http.ReadRequest(bufio.NewReader(conn))
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\n"+head)
		})
		i := r.identity(t, Budget{})
		_, body, err := connect(t, i).get("http://cut.test/", "cut.test")
		if err == nil {
			t.Errorf("%d: %q looks complete", n, body)
		}
		within(t, "the event", func() bool { return len(i.Events()) == 1 })
		if e, _ := i.Failure("cut.test", 80); e.Kind != Refused {
			t.Errorf("%d: %+v", n, e)
		}
	}
}

// F04, F05, F06: requests that no browser writes reach nobody.
func TestMalformedRequests(t *testing.T) {
	r := newRig(t, "127.0.0.0/8")
	r.serve(t, "93.184.215.14:80", func(http.ResponseWriter, *http.Request) { t.Error("forwarded") })
	i := r.identity(t, Budget{})
	for name, request := range map[string]string{
		"F04 origin-form":     "GET / HTTP/1.1\r\nHost: good.test\r\n\r\n",
		"F04 asterisk":        "OPTIONS * HTTP/1.1\r\nHost: good.test\r\n\r\n",
		"F05 https":           "GET https://good.test/ HTTP/1.1\r\nHost: good.test\r\n\r\n",
		"F05 file":            "GET file:///etc/passwd HTTP/1.1\r\nHost: good.test\r\n\r\n",
		"F05 ftp":             "GET ftp://good.test/ HTTP/1.1\r\nHost: good.test\r\n\r\n",
		"F05 user info":       "GET http://u:p@good.test/ HTTP/1.1\r\nHost: good.test\r\n\r\n",
		"F05 no host":         "GET http:///etc/passwd HTTP/1.1\r\nHost: good.test\r\n\r\n",
		"F05 scheme-relative": "GET //good.test/ HTTP/1.1\r\nHost: good.test\r\n\r\n",
		"F05 opaque":          "GET http:good.test HTTP/1.1\r\nHost: good.test\r\n\r\n",
		"F05 odd host":        "GET http://127.1/ HTTP/1.1\r\nHost: good.test\r\n\r\n",
		"F06 CL and TE": "POST http://good.test/ HTTP/1.1\r\nHost: good.test\r\nContent-Length: 4\r\n" +
			"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"F06 TE":                   "POST http://good.test/ HTTP/1.1\r\nHost: good.test\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"F06 odd TE":               "POST http://good.test/ HTTP/1.1\r\nHost: good.test\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
		"F06 double CL":            "POST http://good.test/ HTTP/1.1\r\nHost: good.test\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcde",
		"F06 list CL":              "POST http://good.test/ HTTP/1.1\r\nHost: good.test\r\nContent-Length: 4, 4\r\n\r\nabcd",
		"F06 space before a colon": "GET http://good.test/ HTTP/1.1\r\nHost: good.test\r\nX : y\r\n\r\n",
		"F06 two hosts":            "GET http://good.test/ HTTP/1.1\r\nHost: good.test\r\nHost: other.test\r\n\r\n",
		"F06 not HTTP":             "SSH-2.0-OpenSSH\r\n\r\n",
		"F06 HTTP/2":               "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
		"F06 TLS":                  "\x16\x03\x01\x00\x05hello\r\n\r\n",
	} {
		b := connect(t, i)
		b.send("%s", request)
		resp, err := http.ReadResponse(b.Reader, nil)
		if err == nil && resp.StatusCode/100 != 4 && resp.StatusCode/100 != 5 {
			t.Errorf("%s: %s", name, resp.Status)
		}
	}
	if dials := r.wires.dials(); len(dials) > 0 {
		t.Errorf("dialled %v", dials)
	}
}

// F06: what net/http reads leniently leaves the proxy as one clean request.
func TestLenientRequestsAreRewritten(t *testing.T) {
	r := newRig(t, "")
	var mu sync.Mutex
	var heads []string
	r.raw(t, "93.184.215.14:80", func(conn net.Conn) {
		head := make([]byte, 4096)
		n, _ := conn.Read(head)
		mu.Lock()
		heads = append(heads, string(head[:n]))
		mu.Unlock()
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
	})
	i := r.identity(t, Budget{})
	for _, request := range []string{
		"GET http://good.test/ HTTP/1.1\nHost: good.test\nX-A: b\n\n",
		"GET http://good.test/ HTTP/1.1\r\nHost: good.test\r\nX-A: b\r\n GET /evil HTTP/1.1\r\n\r\n",
	} {
		b := connect(t, i)
		b.send("%s", request)
		_, _, _ = b.answer("GET")
	}
	for _, head := range heads {
		if strings.Count(head, "\n") != strings.Count(head, "\r\n") || strings.Contains(head, "\n GET") || strings.Count(head, "\r\n\r\n") != 1 {
			t.Errorf("the server got %q", head)
		}
	}
}

func TestTunnel(t *testing.T) {
	r := newRig(t, "")
	r.raw(t, "93.184.215.14:443", echo)
	i := r.identity(t, Budget{})
	b := connect(t, i)
	if status := b.tunnel("good.test:443"); status != http.StatusOK {
		t.Fatalf("status %d", status)
	}
	large := strings.Repeat("0123456789", 100_000)
	go func() { _, _ = io.WriteString(b.Conn, large) }()
	back := make([]byte, len(large))
	if _, err := io.ReadFull(b, back); err != nil || string(back) != large {
		t.Fatalf("the echo differs: %v", err)
	}
	if err := b.Conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if rest, err := io.ReadAll(b); err != nil || len(rest) > 0 {
		t.Errorf("after the end: %q, %v", rest, err)
	}
	if len(i.Events()) > 0 {
		t.Errorf("events: %+v", i.Events())
	}
}

// F01: no spelling of a loopback target, and nothing that is no target, opens a tunnel.
func TestConnectSpellings(t *testing.T) {
	r := newRig(t, "")
	r.names.answers["evil.test"] = [][]string{{"127.0.0.1"}}
	i := r.identity(t, Budget{})
	spellings := []string{
		"127.0.0.1:9001", "127.8.8.8:9001", "localhost:9001", "LOCALHOST.:9001", "a.localhost:9001", "[::1]:9001", "[::]:9001",
		"[::ffff:127.0.0.1]:9001", "[::ffff:7f00:1]:9001", "[::127.0.0.1]:9001", "[64:ff9b::7f00:1]:9001", "[fe80::1%25lo]:9001",
		"2130706433:9001", "0x7f000001:9001", "017700000001:9001", "127.1:9001", "0:9001", "0.0.0.0:9001", "127.0.0.1.:9001",
		"evil.test:9001", "user@127.0.0.1:9001", "good.test:443@127.0.0.1:9001", "http://127.0.0.1:9001/", "127.0.0.1", "127.0.0.1:",
		"/127.0.0.1:9001", "good.test:22", "%31%32%37.0.0.1:9001", "127.0.0.1:9001/x", "１２７.0.0.1:9001", i.address().String(),
	}
	for _, spelling := range spellings {
		b := connect(t, i)
		if status := b.tunnel(spelling); status/100 == 2 {
			t.Errorf("%s: %d", spelling, status)
		}
	}
	if status := connect(t, i).tunnel("127.0.0.1:9001"); status != http.StatusForbidden {
		t.Errorf("a refused tunnel answers %d", status)
	}
	if dials := r.wires.dials(); len(dials) > 0 {
		t.Errorf("dialled %v", dials)
	}
	for _, host := range []string{"LOCALHOST.", "::1", "[::1]", "::ffff:127.0.0.1", "evil.test"} {
		if _, found := i.Failure(host, 9001); !found {
			t.Errorf("no failure of %s", host)
		}
	}
	if e, found := i.Failure("127.0.0.1", 9001); !found || e.Kind != Blocked {
		t.Errorf("%v %+v", found, e)
	}
}

// C03, C05: a name keeps the address that it had first, whatever port it is asked for.
func TestRebinding(t *testing.T) {
	r := newRig(t, "")
	r.names.answers["rebind.test"] = [][]string{{"93.184.215.14"}, {"127.0.0.1"}, {"10.0.0.1"}}
	r.serve(t, "93.184.215.14:80", text("outside"))
	r.serve(t, "93.184.215.14:9001", text("outside"))
	r.raw(t, "93.184.215.14:443", echo)
	i := r.identity(t, Budget{})
	for range 3 { // C04: each on a connection of its own
		b := connect(t, i)
		b.send("GET http://rebind.test/ HTTP/1.1\r\nHost: rebind.test\r\nConnection: close\r\n\r\n")
		if _, body, err := b.answer("GET"); err != nil || body != "outside" {
			t.Fatal(body, err)
		}
	}
	if _, body, err := connect(t, i).get("http://REBIND.test.:9001/", "x"); err != nil || body != "outside" {
		t.Errorf("other port: %q, %v", body, err)
	}
	if status := connect(t, i).tunnel("rebind.test:443"); status != http.StatusOK {
		t.Errorf("tunnel: %d", status)
	}
	if n := r.names.lookups("rebind.test"); n != 1 {
		t.Errorf("%d lookups", n)
	}
	// Another capture asks again and is refused.
	if status := connect(t, r.identity(t, Budget{})).tunnel("rebind.test:443"); status != http.StatusForbidden {
		t.Errorf("the second identity: %d", status)
	}
}

// C02, M04, M05: one private answer refuses the name; a rule opens one network, not what a name there leads to.
func TestRulesHoldInTheProxy(t *testing.T) {
	r := newRig(t, "10.20.0.0/16:443")
	r.names.answers["wiki.test"] = [][]string{{"10.20.0.1"}}
	r.names.answers["mixed.test"] = [][]string{{"10.20.0.1", "10.30.0.1"}}
	r.raw(t, "10.20.0.1:443", echo)
	i := r.identity(t, Budget{})
	for authority, want := range map[string]int{"wiki.test:443": 200, "wiki.test:8443": 403, "mixed.test:443": 403, "10.30.0.1:443": 403} {
		if status := connect(t, i).tunnel(authority); status != want {
			t.Errorf("%s: %d", authority, status)
		}
	}
}

// F15, D68, D69: no proxy is reached through another, also with loopback opened.
func TestProxiesAreOwn(t *testing.T) {
	r := newRig(t, "127.0.0.0/8,::/0")
	first, second := r.identity(t, Budget{}), r.identity(t, Budget{})
	port := second.address().Port()
	for _, host := range []string{"127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0.0.0.0"} {
		if status := connect(t, first).tunnel(fmt.Sprintf("%s:%d", host, port)); status != http.StatusForbidden {
			t.Errorf("%s: %d", host, status)
		}
	}
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
	if r.policy.Check(second.address()) != nil {
		t.Error("the port stays shut after the identity's end")
	}
}
