package guard

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
)

// Check judges one address. The order: zoned addresses are refused, IPv4 inside IPv6 is unwrapped, the service's own
// listeners and unsafe ports are refused always; then what a translator stands for is judged, a rule of the operator opens,
// the special networks are refused, and what is left is public and allowed. A refusal is *Refusal.
func (p *Policy) Check(ap netip.AddrPort) error {
	if refusal := p.judge(ap); refusal != nil {
		return refusal
	}
	return nil
}

// Private reports whether an address is private, special or a cloud's metadata service: it can be reached only because a
// rule of the operator opens it.
func (p *Policy) Private(addr netip.Addr) bool {
	if !addr.IsValid() || addr.Zone() != "" {
		return true
	}
	if v4, translated := p.translated(addr); translated {
		return !v4.IsValid() || p.special(v4) != ""
	}
	return p.special(addr.Unmap()) != ""
}

func (p *Policy) judge(ap netip.AddrPort) *Refusal {
	if !ap.Addr().IsValid() || ap.Addr().Zone() != "" {
		return &Refusal{Addr: ap, Rule: "an address with a zone is never allowed"}
	}
	addr := ap.Addr().Unmap()
	ap = netip.AddrPortFrom(addr, ap.Port())
	switch {
	case p.owns(ap):
		return &Refusal{Addr: ap, Rule: "the service's own address", own: true}
	case unsafePort(ap.Port()):
		return &Refusal{Addr: ap, Rule: fmt.Sprintf("port %d belongs to another protocol than HTTP", ap.Port())}
	}
	if v4, translated := p.translated(addr); translated {
		return p.judgeTranslated(ap, v4)
	}
	if p.opened(ap) {
		return p.judgeEmbedded(ap)
	}
	if reason := p.special(addr); reason != "" {
		return &Refusal{Addr: ap, Rule: reason, Hint: ruleFor(ap)}
	}
	if !usualPort(ap.Port()) {
		return &Refusal{Addr: ap, Rule: closedPort(ap.Port()), Hint: ruleFor(ap)}
	}
	return nil
}

// judgeEmbedded judges the IPv4 address that a translated one stands for, after a rule has opened the translated one.
func (p *Policy) judgeEmbedded(ap netip.AddrPort) *Refusal {
	if !nat64().Contains(ap.Addr()) {
		return nil
	}
	bytes := ap.Addr().As16()
	return p.judge(netip.AddrPortFrom(netip.AddrFrom4([4]byte(bytes[12:])), ap.Port()))
}

// opened reports whether a rule opens the address. Only a rule for exactly this one address opens a metadata service.
func (p *Policy) opened(ap netip.AddrPort) bool {
	metadata := p.isMetadata(ap.Addr())
	for _, rule := range p.allow {
		if rule.matches(ap) && (!metadata || rule.Prefix.IsSingleIP()) {
			return true
		}
	}
	return false
}

// mayOpen reports whether the port could be open on some address, which only a lookup would show.
func (p *Policy) mayOpen(port uint16) bool {
	if usualPort(port) {
		return true
	}
	for _, rule := range p.allow {
		if rule.opensPort(port) {
			return true
		}
	}
	return false
}

func (p *Policy) isMetadata(addr netip.Addr) bool {
	return slices.Contains(p.metadata, addr)
}

// special names the network that makes an address not public; empty for a public one.
func (p *Policy) special(addr netip.Addr) string {
	if p.isMetadata(addr) {
		return "the metadata service of a cloud"
	}
	if addr.Is6() && !globalUnicast().Contains(addr) {
		return "outside " + globalUnicast().String() + " (public IPv6)"
	}
	for _, net := range p.denied {
		if net.prefix.Contains(addr) {
			return net.prefix.String() + " (" + net.name + ")"
		}
	}
	return ""
}

// owns reports whether a connection to the address would reach a listener of this service.
func (p *Policy) owns(ap netip.AddrPort) bool {
	p.mu.RLock()
	defer p.mu.RUnlock()
	for own := range p.own[ap.Port()] {
		// The kernel takes an unspecified destination for loopback.
		if own == ap.Addr() || ap.Addr().IsUnspecified() {
			return true
		}
		if own.IsUnspecified() && ofThisMachine(ap.Addr()) {
			return true
		}
	}
	return false
}

// ofThisMachine asks each time: interfaces come and go while the service runs.
func ofThisMachine(addr netip.Addr) bool {
	if addr.IsLoopback() {
		return true
	}
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return true
	}
	for _, one := range addrs {
		if ipnet, ok := one.(*net.IPNet); ok && ipnet.IP.Equal(addr.AsSlice()) {
			return true
		}
	}
	return false
}

func usualPort(port uint16) bool { return port == 80 || port == 443 || port >= 1024 }

func closedPort(port uint16) string {
	return fmt.Sprintf("port %d is closed; 80, 443 and those from 1024 are open", port)
}
