package guard

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func dial(t *testing.T, p *Policy, address string) error {
	t.Helper()
	conn, err := p.DialContext(t.Context(), "tcp", address)
	if err == nil {
		conn.Close()
	}
	return err
}

// Table C of the hostile catalogue, where the answer is a refusal before any dial.
func TestNamesThatLeadInside(t *testing.T) {
	rows := map[string][]string{
		"C01 name-to-loopback": {"127.0.0.1"},
		"C02 multi-a":          {"93.184.215.14", "127.0.0.1"},
		"C06 aaaa-loopback":    {"::1"},
		"C06 aaaa-mapped":      {"::ffff:127.0.0.1"},
		"C07 metadata-name":    {"169.254.169.254"},
		"C08 single-label":     {"10.0.0.1"},
		"zoned answer":         {"fe80::1%lo"},
	}
	maps.Copy(rows, addressTable())
	for name, answers := range rows {
		t.Run(name, func(t *testing.T) {
			for _, order := range [][]string{
				answers, append([]string{"93.184.215.14"}, answers...),
				append(slices.Clone(answers), "93.184.215.14"),
			} {
				r := newRig(t, "")
				r.names.answers["evil.test"] = [][]string{order}
				var refusal *Refusal
				if err := dial(t, r.policy, "evil.test:80"); !errors.As(err, &refusal) {
					t.Errorf("%v: %v", order, err)
				} else if refusal.Host != "evil.test" || refusal.Rule == "" {
					t.Errorf("%v: %+v", order, refusal)
				}
				if dials := r.wires.dials(); len(dials) > 0 {
					t.Errorf("%v: dialled %v", order, dials)
				}
			}
		})
	}
}

func TestDialTheJudgedAddress(t *testing.T) {
	r := newRig(t, "")
	r.serve(t, "93.184.215.14:80", func(http.ResponseWriter, *http.Request) {})
	for _, address := range []string{"good.test:80", "GOOD.test.:80", "93.184.215.14:80", "[::ffff:93.184.215.14]:80"} {
		if err := dial(t, r.policy, address); err != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
	if dials := r.wires.dials(); len(dials) != 4 || slices.ContainsFunc(dials, func(s string) bool { return s != "93.184.215.14:80" }) {
		t.Errorf("dialled %v", dials)
	}
	if n := r.names.lookups("good.test"); n != 2 { // C12: one spelling is asked for
		t.Errorf("%d lookups of good.test: %v", n, r.names.asked)
	}
}

func TestDialRefusesWhatIsNoTarget(t *testing.T) {
	r := newRig(t, "0.0.0.0/0,::/0")
	for _, address := range []string{
		"", "good.test", ":80", "good.test:", "[fe80::1%lo]:80", "127.1:80", "0x7f.1:80", "good.test:0",
		"::1:80", "a b:80",
	} {
		if err := dial(t, r.policy, address); err == nil {
			t.Errorf("%q was dialled", address)
		}
	}
	if len(r.names.asked) > 0 {
		t.Errorf("asked for %v", r.names.asked)
	}
}

// C09: a name without an address is not a refusal of the policy.
func TestLookupErrorsKeepTheirClass(t *testing.T) {
	r := newRig(t, "")
	r.names.answers["empty.test"] = [][]string{{}}
	r.names.errs["servfail.test"] = &net.DNSError{Err: "server misbehaving", Name: "servfail.test", IsTemporary: true}
	r.names.errs["odd.test"] = errors.New("resolver is odd")
	for host, notFound := range map[string]bool{"missing.test": true, "empty.test": true, "servfail.test": false, "odd.test": false} {
		var dns *net.DNSError
		var refusal *Refusal
		err := dial(t, r.policy, host+":80")
		if !errors.As(err, &dns) || errors.As(err, &refusal) || dns.IsNotFound != notFound {
			t.Errorf("%s: %v", host, err)
		}
	}
}

// silent is a name server that never answers.
type silent struct{}

func (silent) LookupNetIP(ctx context.Context, _, _ string) ([]netip.Addr, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// C10: a name server that is too slow.
func TestSlowLookup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := New(Config{Resolver: silent{}})
		start := time.Now()
		_, err := p.DialContext(t.Context(), "tcp", "slow.test:80")
		var dns *net.DNSError
		if !errors.As(err, &dns) || !dns.IsTimeout {
			t.Errorf("got %v", err)
		}
		if took := time.Since(start); took != 5*time.Second {
			t.Errorf("took %s", took)
		}
	})
}

func TestCanceledLookup(t *testing.T) {
	p := New(Config{Resolver: silent{}})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := p.DialContext(ctx, "tcp", "slow.test:80")
	var dns *net.DNSError
	if !errors.Is(err, context.Canceled) || errors.As(err, &dns) {
		t.Errorf("got %v", err)
	}
}

// C11: of many answers the first 16 are dialled, and every one is judged.
func TestManyAnswers(t *testing.T) {
	var answers []string
	for n := range 500 {
		answers = append(answers, fmt.Sprintf("93.184.%d.%d", n/250, 1+n%250))
	}
	var tried []string
	refuse := func(_ context.Context, _, address string) (net.Conn, error) {
		tried = append(tried, address)
		return nil, errors.New("not here")
	}
	names := &script{answers: map[string][][]string{"many.test": {answers}, "poisoned.test": {append(answers, "10.0.0.1")}}}
	p := New(Config{Resolver: names, Dial: refuse})
	if err := dial(t, p, "many.test:80"); err == nil || len(tried) != 16 || tried[15] != "93.184.0.16:80" {
		t.Errorf("tried %d: %v, %v", len(tried), tried, err)
	}
	var refusal *Refusal
	if err := dial(t, p, "poisoned.test:80"); !errors.As(err, &refusal) {
		t.Errorf("got %v", err)
	}
}

// One address that hangs leaves time for the next.
func TestFairShareOfTheTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := net.Pipe()
		defer server.Close()
		hang := func(ctx context.Context, _, address string) (net.Conn, error) {
			if address == "93.184.215.15:80" {
				return client, nil
			}
			<-ctx.Done()
			return nil, ctx.Err()
		}
		names := &script{answers: map[string][][]string{"two.test": {{"93.184.215.14", "93.184.215.15"}}}}
		p := New(Config{Resolver: names, Dial: hang})
		start := time.Now()
		conn, ap, err := p.Dial(t.Context(), "tcp", "two.test:80")
		if err != nil {
			t.Fatal(err)
		}
		conn.Close()
		if ap.String() != "93.184.215.15:80" || time.Since(start) != 5*time.Second {
			t.Errorf("reached %s after %s", ap, time.Since(start))
		}
	})
}

// M01: localhost leads to this machine without a lookup, to those of its addresses that are opened.
func TestLocalhost(t *testing.T) {
	r := newRig(t, "127.0.0.0/8")
	r.serve(t, "127.0.0.1:3000", func(http.ResponseWriter, *http.Request) {})
	for _, host := range []string{"localhost", "LOCALHOST.", "app.localhost"} {
		if err := dial(t, r.policy, host+":3000"); err != nil {
			t.Errorf("%s: %v", host, err)
		}
	}
	if len(r.names.asked) > 0 {
		t.Errorf("asked for %v", r.names.asked)
	}
	var refusal *Refusal
	if err := dial(t, newRig(t, "").policy, "localhost:3000"); !errors.As(err, &refusal) {
		t.Errorf("closed: %v", err)
	}
	r.policy.Own(netip.MustParseAddrPort("[::1]:4000"))
	if err := dial(t, r.policy, "localhost:4000"); !errors.As(err, &refusal) {
		t.Errorf("own listener: %v", err)
	}
}

// The dialer judges once more, whatever was judged before.
func TestSystemDialerJudges(t *testing.T) {
	address := listen(t, func(conn net.Conn) { _, _ = io.WriteString(conn, "inside") })
	_, err := New(Config{}).systemDialer().DialContext(t.Context(), "tcp", address)
	if _, refused := errors.AsType[*Refusal](err); !refused {
		t.Errorf("got %v", err)
	}
	if _, err := New(Config{}).systemDialer().DialContext(t.Context(), "udp", "8.8.8.8:443"); err == nil {
		t.Error("opened a UDP socket")
	}
	rules, _ := ParseAllow("127.0.0.0/8")
	conn, err := New(Config{Allow: rules}).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if text, err := io.ReadAll(conn); err != nil || string(text) != "inside" {
		t.Errorf("read %q, %v", text, err)
	}
}

// C13: a name of several parts is asked for as it is, so that no search list applies. C08: one of one part may need it.
func TestNoSearchList(t *testing.T) {
	names := &script{}
	for _, host := range []string{"a.b", "intranet"} {
		_, _ = completeNames{names}.LookupNetIP(t.Context(), "ip", host)
	}
	if !slices.Equal(names.asked, []string{"a.b.", "intranet"}) {
		t.Errorf("asked for %v", names.asked)
	}
	addrs, err := New(Config{}).resolver.LookupNetIP(t.Context(), "ip", "localhost")
	if err != nil || !slices.ContainsFunc(addrs, func(a netip.Addr) bool { return a.Unmap().IsLoopback() }) {
		t.Errorf("the hosts file is not read: %v, %v", addrs, err)
	}
}
