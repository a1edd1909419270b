package guard

import (
	"bufio"
	"math/rand/v2"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
)

// specialRanges are the networks of the IANA special-purpose registries and of multicast, written out once more.
func specialRanges() []string {
	return []string{
		"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.0.0/29",
		"192.0.0.8/32", "192.0.0.9/32", "192.0.0.10/32", "192.0.0.170/32", "192.0.0.171/32", "192.0.2.0/24", "192.31.196.0/24",
		"192.52.193.0/24", "192.88.99.0/24", "192.88.99.2/32", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24",
		"203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4", "255.255.255.255/32", "168.63.129.16/32", "100.100.100.200/32",
		"::/128", "::1/128", "::ffff:0:0/96", "::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "100:0:0:1::/64", "2001::/23", "2001::/32",
		"2001:1::1/128", "2001:1::2/128", "2001:1::3/128", "2001:2::/48", "2001:3::/32", "2001:4:112::/48", "2001:10::/28", "2001:20::/28",
		"2001:30::/28", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10",
		"ff00::/8", "2000::/3", "fd00:ec2::254/128", "fd20:ce::254/128", "fd00:42::42/128", "fd00:c1::a9fe:a9fe/128",
	}
}

// questions are the first and the last address of each range with their neighbours, and addresses at random: in all of
// IPv4, in public IPv6, in all of IPv6, and in each range.
func questions() []netip.Addr {
	random := rand.New(rand.NewPCG(1, 2))
	asked := map[netip.Addr]bool{}
	for _, text := range specialRanges() {
		prefix := netip.MustParsePrefix(text)
		first, last := prefix.Masked().Addr(), randomIn(prefix, func() byte { return 0xff })
		for _, addr := range []netip.Addr{first.Prev(), first, last, last.Next()} {
			asked[addr.Unmap()] = addr.IsValid()
		}
		for range 3 {
			asked[randomIn(prefix, func() byte { return byte(random.Uint32()) }).Unmap()] = true
		}
	}
	for _, text := range []string{"0.0.0.0/0", "2000::/3", "::/0"} {
		for range 500 {
			asked[randomIn(netip.MustParsePrefix(text), func() byte { return byte(random.Uint32()) }).Unmap()] = true
		}
	}
	var list []netip.Addr
	for addr, valid := range asked {
		if valid {
			list = append(list, addr)
		}
	}
	slices.SortFunc(list, netip.Addr.Compare)
	return list
}

// randomIn fills the bits behind a prefix.
func randomIn(prefix netip.Prefix, next func() byte) netip.Addr {
	bytes := prefix.Masked().Addr().AsSlice()
	for i := range bytes {
		keep := min(max(prefix.Bits()-8*i, 0), 8)
		bytes[i] |= next() & byte(0xff>>keep)
	}
	addr, _ := netip.AddrFromSlice(bytes)
	return addr
}

// different lists where we refuse what smokescreen allows, and why. It allows nothing there that is public.
func different() map[string]string {
	return map[string]string{
		"0.0.0.0/8":         "this network (RFC 1122): Linux connects 0.0.0.0 to itself, and the rest is never a destination",
		"192.0.0.0/24":      "protocol assignments (RFC 6890): among them the metadata service of Oracle, 192.0.0.192",
		"192.0.2.0/24":      "documentation (RFC 5737): routed only where somebody uses it inside",
		"198.51.100.0/24":   "documentation",
		"203.0.113.0/24":    "documentation",
		"192.31.196.0/24":   "AS112 (RFC 7535): answered by whichever host is nearest, which may be the operator's",
		"192.175.48.0/24":   "AS112 (RFC 7534)",
		"192.52.193.0/24":   "AMT (RFC 7450)",
		"192.88.99.0/24":    "6to4 relays (RFC 7526): withdrawn",
		"198.18.0.0/15":     "benchmarking (RFC 2544): used inside by proxies and virtual machines",
		"240.0.0.0/4":       "reserved: some clouds route it inside",
		"168.63.129.16/32":  "the metadata service of Azure has a public address",
		"::/3":              "outside 2000::/3 nothing is public: loopback, IPv4 in other clothes, local translators, discard, segment routing",
		"4000::/2":          "not assigned",
		"8000::/2":          "not assigned",
		"c000::/3":          "not assigned",
		"e000::/4":          "not assigned",
		"f000::/5":          "not assigned",
		"f800::/6":          "not assigned",
		"fe00::/9":          "not assigned",
		"fec0::/10":         "site-local (RFC 3879): withdrawn, still routed inside",
		"2001::/23":         "protocol assignments (RFC 2928): Teredo, benchmarking, ORCHID",
		"2001:db8::/32":     "documentation",
		"2620:4f:8000::/48": "AS112",
		"3fff::/20":         "documentation (RFC 9637)",
	}
}

// B38: the verdict of another project on each address: scripts/smokescreen asked github.com/stripe/smokescreen v0.1.0. Ours
// is the same, or stricter in one of the networks above, and nowhere laxer.
func TestDifferential(t *testing.T) {
	if path := os.Getenv("SAVEPAGE_TEST_QUESTIONS"); path != "" { // for scripts/smokescreen
		var text strings.Builder
		for _, addr := range questions() {
			text.WriteString(addr.String() + "\n")
		}
		if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	theirs := verdicts(t)
	p := New(Config{})
	differs := map[string]bool{}
	for _, addr := range questions() {
		their, asked := theirs[addr]
		if !asked {
			t.Fatalf("%s is not in testdata/smokescreen.txt", addr)
		}
		ours := p.Check(netip.AddrPortFrom(addr, 443)) == nil
		switch network := networkOf(addr); {
		case ours == their:
		case ours:
			t.Errorf("%s is allowed, and refused by smokescreen", addr)
		case network == "":
			t.Errorf("%s is refused, and allowed by smokescreen: for which reason?", addr)
		default:
			differs[network] = true
		}
	}
	for network := range different() {
		if !differs[network] {
			t.Errorf("the verdicts on %s do not differ any more", network)
		}
	}
}

func networkOf(addr netip.Addr) string {
	for text := range different() {
		if netip.MustParsePrefix(text).Contains(addr) {
			return text
		}
	}
	return ""
}

func verdicts(t *testing.T) map[netip.Addr]bool {
	t.Helper()
	file, err := os.Open("testdata/smokescreen.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	found := map[netip.Addr]bool{}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		text, verdict, _ := strings.Cut(lines.Text(), " ")
		if verdict != "allow" && verdict != "refuse" {
			t.Fatalf("testdata/smokescreen.txt: %q", lines.Text())
		}
		found[netip.MustParseAddr(text)] = verdict == "allow"
	}
	return found
}
