package guard

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
)

// ParseNAT64 reads the prefixes of translators, separated by commas: "64:ff9b::/96,2001:db8:64::/48". An address below one
// of them stands for the IPv4 address in it, and is judged as that. The error names every prefix that is wrong.
func ParseNAT64(s string) ([]netip.Prefix, error) {
	var prefixes []netip.Prefix
	var wrong []error
	for text := range strings.SplitSeq(s, ",") {
		text = strings.TrimSpace(text)
		if text == "" {
			continue
		}
		prefix, err := netip.ParsePrefix(text)
		switch {
		case err != nil || !prefix.Addr().Is6() || prefix.Addr().Is4In6():
			wrong = append(wrong, fmt.Errorf("%q is not an IPv6 prefix: write 64:ff9b::/96", text))
		case embeddedAt(prefix.Bits()) == nil:
			wrong = append(wrong, fmt.Errorf("%q: the prefix of a translator has 32, 40, 48, 56, 64 or 96 bits (RFC 6052)", text))
		case prefix != prefix.Masked():
			wrong = append(wrong, fmt.Errorf("%q has bits beyond its prefix length: write %s", text, prefix.Masked()))
		default:
			prefixes = append(prefixes, prefix)
		}
	}
	if err := errors.Join(wrong...); err != nil {
		return nil, err
	}
	return prefixes, nil
}

// embeddedAt lists which bytes of an address below a prefix hold the IPv4 address; nil for a length that no prefix has.
// Source: RFC 6052, section 2.2. Byte 8 is always left out.
func embeddedAt(bits int) []int {
	switch bits {
	case 32:
		return []int{4, 5, 6, 7}
	case 40:
		return []int{5, 6, 7, 9}
	case 48:
		return []int{6, 7, 9, 10}
	case 56:
		return []int{7, 9, 10, 11}
	case 64:
		return []int{9, 10, 11, 12}
	case 96:
		return []int{12, 13, 14, 15}
	}
	return nil
}

// translated reports whether an address lies below one of the operator's translators, and the IPv4 address that it stands
// for: an invalid one when byte 8 is not zero, which RFC 6052 demands.
func (p *Policy) translated(addr netip.Addr) (v4 netip.Addr, below bool) {
	for _, prefix := range p.nat64 {
		if !prefix.Contains(addr) {
			continue
		}
		bytes := addr.As16()
		if bytes[8] != 0 {
			return netip.Addr{}, true
		}
		var embedded [4]byte
		for i, at := range embeddedAt(prefix.Bits()) {
			embedded[i] = bytes[at]
		}
		return netip.AddrFrom4(embedded), true
	}
	return netip.Addr{}, false
}

// judgeTranslated judges what a translator would connect to.
func (p *Policy) judgeTranslated(ap netip.AddrPort, v4 netip.Addr) *Refusal {
	if !v4.IsValid() {
		return &Refusal{Addr: ap, Rule: "a translated address whose byte 8 is not zero (RFC 6052)"}
	}
	refusal := p.judge(netip.AddrPortFrom(v4, ap.Port()))
	if refusal != nil {
		refusal.Addr = ap
	}
	return refusal
}
