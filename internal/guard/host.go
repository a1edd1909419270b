package guard

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// Longest names of the domain name system, in bytes (RFC 1035).
const (
	maxName  = 253
	maxLabel = 63
)

// target is where a request goes, in its one spelling.
type target struct {
	name string     // lower-case ASCII without the last dot; empty when an address was given
	addr netip.Addr // set when name is empty; never IPv4 inside IPv6
	port uint16
}

// parseTarget reads "host", "host:port" or "[address]:port". usual is the port when none is given; 0 requires one.
// The error is a sentence about the host or the port.
func parseTarget(authority string, usual uint16) (target, error) {
	host, port, err := cutPort(authority, usual)
	if err != nil {
		return target{}, err
	}
	if inner, found := strings.CutPrefix(host, "["); found {
		addr, err := parseBracketed(inner)
		return target{addr: addr, port: port}, err
	}
	name, err := asciiName(host)
	if err != nil {
		return target{}, err
	}
	if numeric(name) {
		addr, err := parseQuad(host)
		return target{addr: addr, port: port}, err
	}
	name = strings.TrimSuffix(name, ".")
	return target{name: name, port: port}, checkName(name)
}

// host is the name, or the address without brackets.
func (t target) host() string {
	if t.name != "" {
		return t.name
	}
	return t.addr.String()
}

// String is "host:port", with brackets around IPv6.
func (t target) String() string {
	if t.name != "" {
		return t.name + ":" + strconv.Itoa(int(t.port))
	}
	return netip.AddrPortFrom(t.addr, t.port).String()
}

// authority is String without the port that the scheme implies.
func (t target) authority(usual uint16) string {
	if t.port != usual {
		return t.String()
	}
	if t.addr.Is6() {
		return "[" + t.addr.String() + "]"
	}
	return t.host()
}

// localhost reports whether the name means this machine without any lookup (RFC 6761, and the names of usual hosts files).
func localhost(name string) bool {
	switch name {
	case "localhost", "localhost6", "localhost.localdomain", "localhost6.localdomain6":
		return true
	}
	return strings.HasSuffix(name, ".localhost")
}

// loopback lists what a localhost name leads to.
func loopback() []netip.Addr {
	return []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()}
}

func cutPort(authority string, usual uint16) (host string, port uint16, err error) {
	host, text := authority, ""
	if at := strings.LastIndexByte(authority, ':'); at > strings.LastIndexByte(authority, ']') {
		host, text = authority[:at], authority[at+1:]
	}
	if strings.Contains(host, ":") && !strings.HasPrefix(host, "[") {
		return "", 0, fmt.Errorf("the host %q has too many colons; an IPv6 address needs brackets", host)
	}
	if text == "" && usual != 0 {
		return host, usual, nil
	}
	port, err = parsePort(text)
	if err != nil {
		return "", 0, fmt.Errorf("%w: %q", err, text)
	}
	return host, port, nil
}

func parseBracketed(inner string) (netip.Addr, error) {
	text, found := strings.CutSuffix(inner, "]")
	addr, err := netip.ParseAddr(text)
	if !found || err != nil || !addr.Is6() {
		return netip.Addr{}, fmt.Errorf("the host %q is not an IPv6 address in brackets", "["+inner)
	}
	if addr.Zone() != "" {
		return netip.Addr{}, fmt.Errorf("the host %q has a zone, which means something on one machine only", "["+inner)
	}
	return addr.Unmap(), nil
}

// parseQuad takes an IPv4 address in its usual spelling only. Browsers also read 127.1, 0x7f.1 or 2130706433; those are
// written to pass a filter.
func parseQuad(host string) (netip.Addr, error) {
	addr, err := netip.ParseAddr(host)
	if err != nil || !addr.Is4() {
		return netip.Addr{}, fmt.Errorf("the host %q ends in a number but is not an IPv4 address of four decimal numbers", host)
	}
	return addr, nil
}

// numeric reports whether browsers would take the name for an IPv4 address: its last label is a number.
// Source: "ends in a number checker" in https://url.spec.whatwg.org/
func numeric(name string) bool {
	name = strings.TrimSuffix(name, ".")
	last := name[strings.LastIndexByte(name, '.')+1:]
	if last == "" {
		return false
	}
	if hex, found := strings.CutPrefix(last, "0x"); found {
		return strings.Trim(hex, "0123456789abcdef") == ""
	}
	return strings.Trim(last, "0123456789") == ""
}

// asciiName returns the name as it is looked up, still with its last dot.
func asciiName(host string) (string, error) {
	// ASCII is asked for first: the lower case of some other letters is ASCII (İ gives i), which browsers map otherwise.
	if isASCII(host) {
		if lower := strings.ToLower(host); !strings.Contains(lower, "xn--") {
			return lower, nil
		}
	}
	// Hyphens and underscores are left to checkName: names in use have them where the standard does not.
	profile := idna.New(idna.MapForLookup(), idna.BidiRule(), idna.StrictDomainName(false), idna.CheckHyphens(false))
	name, err := profile.ToASCII(host)
	if err != nil {
		return "", fmt.Errorf("the host %q is not a valid international name", host)
	}
	return name, nil
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func checkName(name string) error {
	if name == "" {
		return errors.New("the host is missing")
	}
	if len(name) > maxName {
		return fmt.Errorf("the host has %d characters; at most %d are possible", len(name), maxName)
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > maxLabel {
			return fmt.Errorf("the host %q has a part that is empty or longer than %d characters", name, maxLabel)
		}
		if strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return fmt.Errorf("the host %q may have only letters, digits, hyphens and dots", name)
		}
	}
	return nil
}
