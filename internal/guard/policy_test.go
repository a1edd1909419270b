package guard

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
)

func judge(t *testing.T, p *Policy, addr string, port uint16) *Refusal {
	t.Helper()
	err := p.Check(netip.AddrPortFrom(netip.MustParseAddr(addr), port))
	var refusal *Refusal
	if err != nil && !errors.As(err, &refusal) {
		t.Fatalf("Check(%s) = %v, which is not a refusal", addr, err)
	}
	return refusal
}

// addressTable is the table B of the hostile catalogue.
func addressTable() map[string][]string {
	return map[string][]string{
		"B01": {"127.0.0.1"}, "B02": {"127.8.8.8"}, "B03": {"0.0.0.0"}, "B04": {"0.0.0.1"}, "B05": {"10.0.0.1"},
		"B06": {"172.16.0.1", "172.31.255.255"}, "B07": {"192.168.1.1"}, "B08": {"100.64.0.1"}, "B09": {"169.254.169.254"},
		"B10": {"100.100.100.200"}, "B11": {"192.0.0.192"}, "B12": {"168.63.129.16"},
		"B13": {"192.0.2.1", "198.51.100.1", "203.0.113.1"}, "B14": {"198.18.0.1"}, "B15": {"192.88.99.1"}, "B16": {"224.0.0.1"},
		"B17": {"240.0.0.1"}, "B18": {"255.255.255.255"}, "B19": {"::1"}, "B20": {"::"},
		"B21": {"::ffff:127.0.0.1", "::ffff:7f00:1"}, "B22": {"::127.0.0.1"}, "B23": {"64:ff9b::7f00:1"},
		"B24": {"64:ff9b:1::7f00:1"}, "B25": {"2002:7f00:1::1"}, "B26": {"2001:0:7f00:1::1"}, "B27": {"fd00:ec2::254", "fd20:ce::254"},
		"B28": {"fc00::1"}, "B29": {"fe80::1", "fe80::1%lo"}, "B30": {"fec0::1"}, "B31": {"ff02::1"}, "B32": {"100::1"},
		"B33": {"2001:db8::1", "3fff::1"}, "B34": {"5f00::1"}, "B35": {"2001:2::1", "2001:20::1"},
		"B40": {"2606:4700::1111%lo"},
		"B39": {"169.254.170.2", "169.254.170.23", "fd00:ec2::23"},
	}
}

func publicAddresses() []string {
	return []string{"8.8.8.8", "2606:4700::1111", "172.32.0.1", "100.128.0.1", "172.15.255.255", "100.63.255.255", "::ffff:8.8.8.8"}
}

func TestAddressTable(t *testing.T) {
	p := New(Config{})
	for id, addrs := range addressTable() {
		t.Run(id, func(t *testing.T) {
			for _, addr := range addrs {
				for _, port := range []uint16{80, 443, 8080} {
					if judge(t, p, addr, port) == nil {
						t.Errorf("%s port %d is allowed", addr, port)
					}
				}
				if !p.Private(netip.MustParseAddr(addr)) {
					t.Errorf("%s does not count as private", addr)
				}
			}
		})
	}
	t.Run("B36", func(t *testing.T) {
		for _, addr := range publicAddresses() {
			if r := judge(t, p, addr, 443); r != nil {
				t.Errorf("%s is refused: %v", addr, r)
			}
			if p.Private(netip.MustParseAddr(addr)) {
				t.Errorf("%s counts as private", addr)
			}
		}
	})
}

// B37: the first and the last address of each prefix are refused. Both are written out: a sweep over the code's own table
// would agree with a wrong one.
func TestBoundaries(t *testing.T) {
	p := New(Config{})
	ends := []string{
		"0.0.0.0", "0.255.255.255", "10.0.0.0", "10.255.255.255", "100.64.0.0", "100.127.255.255", "127.0.0.0", "127.255.255.255",
		"169.254.0.0", "169.254.255.255", "172.16.0.0", "172.31.255.255", "192.0.0.0", "192.0.0.255", "192.0.2.0", "192.0.2.255",
		"192.31.196.0", "192.31.196.255", "192.52.193.0", "192.52.193.255", "192.88.99.0", "192.88.99.255", "192.168.0.0",
		"192.168.255.255", "192.175.48.0", "192.175.48.255", "198.18.0.0", "198.19.255.255", "198.51.100.0", "198.51.100.255",
		"203.0.113.0", "203.0.113.255", "224.0.0.0", "239.255.255.255", "240.0.0.0", "255.255.255.255", "168.63.129.16",
		"::", "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "4000::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
		"2001::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
		"2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2620:4f:8000::", "2620:4f:8000:ffff:ffff:ffff:ffff:ffff",
		"3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff",
	}
	for _, addr := range ends {
		if judge(t, p, addr, 443) == nil {
			t.Errorf("%s is allowed", addr)
		}
	}
}

// B37: their neighbours are public.
func TestNeighbours(t *testing.T) {
	p := New(Config{})
	public := []string{
		"1.0.0.0", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0", "169.253.255.255",
		"169.255.0.0", "172.15.255.255", "172.32.0.0", "191.255.255.255", "192.0.1.0", "192.0.3.0", "192.31.195.255", "192.31.197.0",
		"192.52.192.255", "192.52.194.0", "192.88.98.255", "192.88.100.0", "192.167.255.255", "192.169.0.0", "192.175.47.255",
		"192.175.49.0", "198.17.255.255", "198.20.0.0", "198.51.99.255", "198.51.101.0", "203.0.112.255", "203.0.114.0",
		"223.255.255.255", "168.63.129.15", "168.63.129.17", "2001:200::", "2001:db7:ffff::", "2001:db9::", "2003::", "2620:4f:7fff::",
		"2620:4f:8001::", "3fff:1000::", "3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2000::", "2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
	}
	for _, addr := range public {
		if r := judge(t, p, addr, 443); r != nil {
			t.Errorf("%s is refused: %v", addr, r)
		}
	}
	if got := len(specialNetworks()); got != 23 {
		t.Errorf("%d networks; the registries have 18 for IPv4 and 5 inside 2000::/3", got)
	}
}

func TestPorts(t *testing.T) {
	p := New(Config{})
	for port, refused := range map[uint16]bool{
		80: false, 443: false, 1024: false, 3000: false, 8080: false, 65535: false,
		0: true, 1: true, 22: true, 25: true, 81: true, 444: true, 1023: true, 6000: true, 6379: true, 6667: true, 10080: true, 5060: true,
	} {
		if got := judge(t, p, "8.8.8.8", port) != nil; got != refused {
			t.Errorf("port %d: refused %v", port, got)
		}
	}
}

func TestRules(t *testing.T) {
	cases := []struct {
		name, allow, addr string
		port              uint16
		allowed           bool
	}{
		{"loopback", "127.0.0.0/8", "127.0.0.1", 3000, true},
		{"mapped loopback", "127.0.0.0/8", "::ffff:127.0.0.1", 3000, true},
		{"other network", "127.0.0.0/8", "10.0.0.1", 3000, false},
		{"other family", "127.0.0.0/8", "::1", 3000, false},
		{"usual ports only", "127.0.0.0/8", "127.0.0.1", 81, false},
		{"named port", "127.0.0.0/8:81", "127.0.0.1", 81, true},
		{"named port only", "127.0.0.0/8:81", "127.0.0.1", 80, false},
		{"range start", "10.0.0.5/32:3000-3999", "10.0.0.5", 3000, true},
		{"range end", "10.0.0.5/32:3000-3999", "10.0.0.5", 3999, true},
		{"beyond range", "10.0.0.5/32:3000-3999", "10.0.0.5", 4000, false},
		{"port of a public address", "8.8.8.8/32:81", "8.8.8.8", 81, true},
		{"unsafe port in range", "10.0.0.0/8:5000-7000", "10.0.0.1", 6000, false},
		{"unsafe port", "0.0.0.0/0", "10.0.0.1", 22, false},
		{"several", "10.0.0.0/8 , 127.0.0.0/8", "127.0.0.1", 80, true},
		{"ipv6", "fd00::/8:443", "fd12::1", 443, true},
		{"ipv6 port", "fd00::/8:443", "fd12::1", 80, false},
		{"M03 metadata in a wider rule", "169.254.0.0/16", "169.254.169.254", 80, false},
		{"M03 neighbour of metadata", "169.254.0.0/16", "169.254.1.1", 80, true},
		{"metadata in everything", "0.0.0.0/0,::/0", "168.63.129.16", 80, false},
		{"ipv6 metadata in everything", "0.0.0.0/0,::/0", "fd00:ec2::254", 80, false},
		{"exact metadata", "169.254.169.254/32", "169.254.169.254", 80, true},
		{"exact ipv6 metadata", "fd00:ec2::254/128", "fd00:ec2::254", 80, true},
		{"zone is never opened", "::/0", "fe80::1%lo", 80, false},
		{"translated public", "64:ff9b::/96", "64:ff9b::8.8.8.8", 443, true},
		{"translated private", "64:ff9b::/96", "64:ff9b::7f00:1", 443, false},
		{"translated metadata", "64:ff9b::/96,0.0.0.0/0", "64:ff9b::169.254.169.254", 80, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			rules, err := ParseAllow(c.allow)
			if err != nil {
				t.Fatal(err)
			}
			p := New(Config{Allow: rules})
			if r := judge(t, p, c.addr, c.port); (r == nil) != c.allowed {
				t.Errorf("%s port %d: %v", c.addr, c.port, r)
			}
		})
	}
}

// F15, M07: the service's own listeners stay shut, in every spelling.
func TestOwnListeners(t *testing.T) {
	rules, _ := ParseAllow("0.0.0.0/0,::/0,0.0.0.0/0:1-65535")
	cases := []struct {
		name, own, addr string
		refused         bool
	}{
		{"itself", "127.0.0.1:8080", "127.0.0.1:8080", true},
		{"mapped", "127.0.0.1:8080", "[::ffff:127.0.0.1]:8080", true},
		{"unspecified target", "127.0.0.1:8080", "0.0.0.0:8080", true},
		{"unspecified IPv6 target", "127.0.0.1:8080", "[::]:8080", true},
		{"other loopback address", "127.0.0.1:8080", "127.0.0.2:8080", false},
		{"other port", "127.0.0.1:8080", "127.0.0.1:8081", false},
		{"any IPv4", "0.0.0.0:8080", "127.9.9.9:8080", true},
		{"any IPv6", "[::]:8080", "[::1]:8080", true},
		{"any IPv6 serves IPv4", "[::]:8080", "127.0.0.1:8080", true},
		{"any, elsewhere", "0.0.0.0:8080", "8.8.8.8:8080", false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			p := New(Config{Allow: rules, Own: []netip.AddrPort{netip.MustParseAddrPort(c.own)}})
			err := p.Check(netip.MustParseAddrPort(c.addr))
			if (err != nil) != c.refused {
				t.Errorf("%s with listener %s: %v", c.addr, c.own, err)
			}
		})
	}
	t.Run("registered later and closed", func(t *testing.T) {
		p := New(Config{Allow: rules})
		ap := netip.MustParseAddrPort("127.0.0.1:9000")
		p.Own(ap)
		if p.Check(ap) == nil {
			t.Error("allowed after Own")
		}
		if err := p.disown(ap, func() error {
			// It is refused until it is closed: whoever judges now waits for the end.
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if err := p.Check(ap); err != nil {
			t.Errorf("refused after its end: %v", err)
		}
	})
}

func TestRefusalSaysWhatToDo(t *testing.T) {
	p := New(Config{})
	literal := judge(t, p, "10.0.0.1", 81)
	if got := literal.Message(); !strings.Contains(got, "10.0.0.0/8") || !strings.Contains(got, "SAVEPAGE_EGRESS_ALLOW=10.0.0.1/32:81") {
		t.Errorf("literal: %s", got)
	}
	named := judge(t, p, "10.0.0.1", 80)
	named.Host = "intranet.test"
	if got := named.Message(); strings.Contains(got, "10.0.0.1") || !strings.Contains(got, "intranet.test") ||
		!strings.Contains(got, Setting) {
		t.Errorf("named: %s", got)
	}
	if got := named.Error(); !strings.Contains(got, "10.0.0.1:80") {
		t.Errorf("log: %s", got)
	}
	if got := judge(t, p, "2606:4700::1111%lo", 443).Message(); !strings.Contains(got, "zone") {
		t.Errorf("zone: %s", got)
	}
	if got := judge(t, p, "8.8.8.8", 22).Message(); strings.Contains(got, Setting) {
		t.Errorf("an unsafe port cannot be opened: %s", got)
	}
}
