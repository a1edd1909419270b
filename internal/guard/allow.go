package guard

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// Rule opens addresses that are closed otherwise.
type Rule struct {
	Prefix netip.Prefix
	First  uint16 // first open port; 0: the usual ones, 80, 443 and those from 1024
	Last   uint16 // last open port; 0 with First 0
}

// ParseAllow reads rules separated by commas: a network in CIDR form and, after a colon, a port or a range of ports.
// "127.0.0.0/8,10.20.0.0/16:443,fd00::/8:3000-3999". The error names every rule that is wrong and the form expected.
func ParseAllow(s string) ([]Rule, error) {
	var rules []Rule
	var wrong []error
	for text := range strings.SplitSeq(s, ",") {
		text = strings.TrimSpace(text)
		if text == "" {
			continue
		}
		rule, err := parseRule(text)
		if err != nil {
			wrong = append(wrong, fmt.Errorf("%q: %w", text, err))
			continue
		}
		rules = append(rules, rule)
	}
	if err := errors.Join(wrong...); err != nil {
		return nil, err
	}
	return rules, nil
}

// String returns the rule in the form that ParseAllow reads.
func (r Rule) String() string {
	switch r.First {
	case 0:
		return r.Prefix.String()
	case r.Last:
		return fmt.Sprintf("%s:%d", r.Prefix, r.First)
	default:
		return fmt.Sprintf("%s:%d-%d", r.Prefix, r.First, r.Last)
	}
}

func (r Rule) matches(ap netip.AddrPort) bool {
	if r.First == 0 {
		return usualPort(ap.Port()) && r.Prefix.Contains(ap.Addr())
	}
	return r.opensPort(ap.Port()) && r.Prefix.Contains(ap.Addr())
}

// opensPort reports whether the rule names the port.
func (r Rule) opensPort(port uint16) bool {
	return r.First != 0 && r.First <= port && port <= r.Last
}

// ruleFor is the narrowest rule that opens an address.
func ruleFor(ap netip.AddrPort) string {
	rule := Rule{Prefix: netip.PrefixFrom(ap.Addr(), ap.Addr().BitLen())}
	if !usualPort(ap.Port()) {
		rule.First, rule.Last = ap.Port(), ap.Port()
	}
	return rule.String()
}

func parseRule(text string) (Rule, error) {
	address, rest, found := strings.Cut(text, "/")
	if !found {
		return Rule{}, errors.New("has no prefix length: write 10.0.0.0/8, or 10.0.0.5/32 for one address, and a port as in 10.0.0.5/32:3000")
	}
	bits, ports, hasPorts := strings.Cut(rest, ":")
	prefix, err := netip.ParsePrefix(address + "/" + bits)
	if err != nil {
		return Rule{}, errors.New("is not a network: write 10.0.0.0/8 or fd00::/8, and a port as in 10.0.0.0/8:443")
	}
	if prefix.Addr().Is4In6() {
		return Rule{}, errors.New("is IPv4 inside IPv6: write it as IPv4")
	}
	if prefix != prefix.Masked() {
		return Rule{}, fmt.Errorf("has bits beyond its prefix length: write %s", prefix.Masked())
	}
	rule := Rule{Prefix: prefix}
	if hasPorts {
		rule.First, rule.Last, err = parsePorts(ports)
	}
	return rule, err
}

func parsePorts(text string) (first, last uint16, err error) {
	from, to, isRange := strings.Cut(text, "-")
	if !isRange {
		to = from
	}
	first, errFirst := parsePort(from)
	last, errLast := parsePort(to)
	if errFirst != nil || errLast != nil || first > last {
		return 0, 0, fmt.Errorf("has the port %q: write a port from 1 to 65535 or a range such as 3000-3999", text)
	}
	if first == last && unsafePort(first) {
		return 0, 0, fmt.Errorf("has port %d, which belongs to another protocol than HTTP and is never opened", first)
	}
	return first, last, nil
}

func parsePort(text string) (uint16, error) {
	if text == "" || strings.Trim(text, "0123456789") != "" {
		return 0, errors.New("the port is not a number")
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil || port == 0 {
		return 0, errors.New("the port must be from 1 to 65535")
	}
	return uint16(port), nil
}
