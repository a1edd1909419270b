package guard

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

// A letter whose lower case is ASCII is no ASCII letter to a browser: İ is i with a dot of its own, and only K, the sign for
// kelvin, is k.
func TestLettersThatTurnIntoASCII(t *testing.T) {
	p := New(Config{})
	for raw, want := range map[string]string{
		"http://İana.org/":       "http://xn--iana-qwc.org/",
		"http://LOCALHOST.İ/":    "http://localhost.xn--i-9bb/",
		"http://\u212Aube.test/": "http://kube.test/",
	} {
		if got, err := p.Admit(raw); got != want {
			t.Errorf("%s becomes %q, %v; want %s", raw, got, err, want)
		}
	}
}

// A port that one identity leaves and another takes stays shut: the end of the first does not open that of the second.
func TestReusedPortStaysShut(t *testing.T) {
	rules, _ := ParseAllow("127.0.0.0/8")
	p := New(Config{Allow: rules})
	ap := netip.MustParseAddrPort("127.0.0.1:9000")
	p.Own(ap)
	p.Own(ap) // the second came before the first was forgotten
	closed := errors.New("closed")
	if err := p.disown(ap, func() error { return closed }); !errors.Is(err, closed) {
		t.Fatal(err)
	}
	if p.Check(ap) == nil {
		t.Error("the port of the second listener is open")
	}
	if err := p.disown(ap, func() error { return nil }); err != nil {
		t.Fatal(err)
	}
	if err := p.Check(ap); err != nil {
		t.Errorf("refused after the end of both: %v", err)
	}
}

// While an identity ends, nobody finds its port open before it is closed, nor closed after another program took it.
func TestEndOfAListenerIsOneStep(t *testing.T) {
	rules, _ := ParseAllow("127.0.0.0/8")
	p := New(Config{Allow: rules})
	ap := netip.MustParseAddrPort("127.0.0.1:9000")
	p.Own(ap)
	judged := make(chan error, 1)
	if err := p.disown(ap, func() error {
		asked := make(chan struct{})
		go func() {
			close(asked)
			judged <- p.Check(ap)
		}()
		<-asked
		select {
		case err := <-judged:
			t.Errorf("judged while the listener was being closed: %v", err)
			judged <- err
		default:
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := <-judged; err != nil {
		t.Errorf("whoever waited for the end finds the port shut: %v", err)
	}
}

// A client learns nothing of where a name leads: the same words for every network. The log has it.
func TestRefusedNamesTellNothing(t *testing.T) {
	r := newRig(t, "127.0.0.9/32")
	own := netip.MustParseAddrPort("127.0.0.9:8080")
	r.policy.Own(own)
	var told []*Refusal
	r.policy.refused = func(refusal *Refusal) { told = append(told, refusal) }
	words := map[string][]string{}
	for name, address := range map[string]string{
		"a.test": "10.0.0.1", "b.test": "127.0.0.1", "c.test": "169.254.169.254", "d.test": "fd00::1", "e.test": "127.0.0.9",
		"f.test": "192.168.7.7", "g.test": "::1", "h.test": "100.64.0.1",
	} {
		r.names.answers[name] = [][]string{{address}}
		i := r.identity(t, Budget{})
		if status := connect(t, i).tunnel(name + ":8080"); status != 403 {
			t.Errorf("%s: %d", name, status)
		}
		e, _ := i.Failure(name, 8080)
		words[strings.ReplaceAll(e.Detail, name, "NAME")] = append(words[strings.ReplaceAll(e.Detail, name, "NAME")], name)
		_, err := r.policy.DialContext(t.Context(), "tcp", name+":8080")
		if event := Explain(name+":8080", err); event.Detail != e.Detail {
			t.Errorf("%s: a page is told %q, a callback %q", name, e.Detail, event.Detail)
		}
	}
	if len(words) != 1 {
		t.Errorf("the answers differ: %v", words)
	}
	if !slices.ContainsFunc(told, func(r *Refusal) bool { return r.Host == "a.test" && strings.Contains(r.Error(), "10.0.0.0/8") }) {
		t.Errorf("the log has %v", told)
	}
	if len(told) != 16 { // eight pages and eight callbacks, each once
		t.Errorf("%d refusals in the log", len(told))
	}
}

// A page that asks for a refused name again and again fills no log.
func TestRefusalsAreToldOnce(t *testing.T) {
	r := newRig(t, "")
	r.names.answers["inside.test"] = [][]string{{"10.0.0.1"}}
	told := 0
	r.policy.refused = func(*Refusal) { told++ }
	b := connect(t, r.identity(t, Budget{}))
	for range 50 {
		if status := b.tunnel("inside.test:443"); status != 403 {
			t.Fatalf("status %d", status)
		}
	}
	if told != 1 {
		t.Errorf("told %d times", told)
	}
}

func TestMoreMetadataServices(t *testing.T) {
	rules, _ := ParseAllow("0.0.0.0/0,::/0")
	p := New(Config{Allow: rules})
	for _, addr := range []string{"169.254.42.42", "fd00:42::42", "fd00:c1::a9fe:a9fe", "::ffff:169.254.42.42"} {
		if judge(t, p, addr, 80) == nil {
			t.Errorf("%s is opened by a rule that is not for it alone", addr)
		}
	}
	exact, _ := ParseAllow("169.254.42.42/32,fd00:42::42/128,fd00:c1::a9fe:a9fe/128")
	p = New(Config{Allow: exact})
	for _, addr := range []string{"169.254.42.42", "fd00:42::42", "fd00:c1::a9fe:a9fe"} {
		if r := judge(t, p, addr, 80); r != nil {
			t.Errorf("%s: %v", addr, r)
		}
	}
}

// The examples of RFC 6052, section 2.4, and private addresses at each length.
func TestTranslators(t *testing.T) {
	for _, c := range []struct{ prefix, public, private, metadata string }{
		{"2001:db8::/32", "2001:db8:808:808::", "2001:db8:a00:1::", "2001:db8:a9fe:a9fe::"},
		{"2001:db8:100::/40", "2001:db8:108:808:8::", "2001:db8:10a::0:0:0:0", "2001:db8:1a9:fea9:fe::"},
		{"2001:db8:122::/48", "2001:db8:122:808:8:800::", "2001:db8:122:a00:0:100::", "2001:db8:122:a9fe:a9:fe00::"},
		{"2001:db8:122:300::/56", "2001:db8:122:308:8:808::", "2001:db8:122:30a:0:1::", "2001:db8:122:3a9:fe:a9fe::"},
		{"2001:db8:122:344::/64", "2001:db8:122:344:8:808:800:0", "2001:db8:122:344:a:0:100:0", "2001:db8:122:344:a9:fea9:fe00:0"},
		{"2001:db8:122:344::/96", "2001:db8:122:344::8.8.8.8", "2001:db8:122:344::10.0.0.1", "2001:db8:122:344::169.254.169.254"},
		{"64:ff9b::/96", "64:ff9b::8.8.8.8", "64:ff9b::7f00:1", "64:ff9b::169.254.169.254"},
		// a public prefix: 10.0.0.1 behind it would be too
		{"2a00:1:2:3::/64", "2a00:1:2:3:8:808:800:0", "2a00:1:2:3:7f:0:100:0", "2a00:1:2:3:a9:fea9:fe00:0"},
	} {
		prefixes, err := ParseNAT64(c.prefix)
		if err != nil {
			t.Fatal(err)
		}
		rules, _ := ParseAllow("::/0")
		for name, p := range map[string]*Policy{
			"": New(Config{NAT64: prefixes}), ", everything of IPv6 opened": New(Config{NAT64: prefixes, Allow: rules}),
		} {
			public := netip.MustParseAddr(c.public)
			if r := judge(t, p, c.public, 443); r != nil || p.Private(public) {
				t.Errorf("%s%s: %s is refused: %v", c.prefix, name, c.public, r)
			}
			for _, addr := range []string{c.private, c.metadata} {
				r := judge(t, p, addr, 443)
				if r == nil || !p.Private(netip.MustParseAddr(addr)) {
					t.Errorf("%s%s: %s is allowed", c.prefix, name, addr)
				} else if r.Addr.Addr() != netip.MustParseAddr(addr) {
					t.Errorf("%s%s: the refusal of %s names %s", c.prefix, name, addr, r.Addr)
				}
			}
		}
	}
}

// Byte 8 is zero in every translated address; what stands there could be read as another IPv4 address.
func TestTranslatedAddressesHaveOneForm(t *testing.T) {
	prefixes, err := ParseNAT64("2001:db8:122::/48")
	if err != nil {
		t.Fatal(err)
	}
	p := New(Config{NAT64: prefixes})
	if judge(t, p, "2001:db8:122:808:108:800::", 443) == nil {
		t.Error("an address whose byte 8 is not zero is allowed")
	}
	own := netip.MustParseAddrPort("8.8.8.8:443")
	p.Own(own)
	if judge(t, p, "2001:db8:122:808:8:800::", 443) == nil {
		t.Error("the service's own listener is reached through a translator")
	}
}

func TestParseNAT64(t *testing.T) {
	got, err := ParseNAT64(" 64:ff9b::/96 , 2001:db8::/32,")
	if err != nil || len(got) != 2 {
		t.Errorf("%v, %v", got, err)
	}
	for _, wrong := range []string{"64:ff9b::", "64:ff9b::/95", "10.0.0.0/8", "::ffff:10.0.0.0/104", "64:ff9b::1/96", "x"} {
		if _, err := ParseNAT64(wrong); err == nil || !strings.Contains(err.Error(), wrong) {
			t.Errorf("%s: %v", wrong, err)
		}
	}
}
