// Package guard decides which network addresses may be reached on behalf of users, and says why not. Everything a user
// names goes through one Policy: the URL of a capture, what its page loads, and callbacks. Chromium goes through an
// Identity, a proxy of its own for each capture. The package judges addresses, never names or contents: what a capture
// does without by name is its caller's to say. It looks into no TLS stream, keeps no cookies and caches no pages.
package guard

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"time"
)

// Setting is the name of the operator's setting that opens addresses, as messages name it.
const Setting = "SAVEPAGE_EGRESS_ALLOW"

// Limits of one connection attempt.
const (
	lookupTimeout = 5 * time.Second
	maxAnswers    = 16 // addresses of one name that are kept
)

// Resolver looks up the addresses of a name. *net.Resolver is one. Network is "ip".
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// DialFunc opens a connection to an address that the policy has judged: "IP:port".
type DialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// Config is what the operator decides. The zero value refuses every private and special address.
type Config struct {
	Allow    []Rule           // addresses opened beyond the public ones
	Own      []netip.AddrPort // the service's own listeners: always refused
	Resolver Resolver         // nil: the system's, without its search list for names of several parts
	Dial     DialFunc         // nil: a net.Dialer that judges the address once more before it connects
}

// Policy judges addresses. It is safe for concurrent use. Make one with New.
type Policy struct {
	allow    []Rule
	denied   []network
	metadata []netip.Addr
	resolver Resolver
	dial     DialFunc

	mu  sync.RWMutex
	own map[uint16][]netip.Addr // listeners of the service by port
}

// New returns the policy of a configuration.
func New(cfg Config) *Policy {
	p := &Policy{
		allow:    cfg.Allow,
		denied:   specialNetworks(),
		metadata: metadataAddresses(),
		resolver: cfg.Resolver,
		dial:     cfg.Dial,
		own:      map[uint16][]netip.Addr{},
	}
	if p.resolver == nil {
		// The C library's resolver does not find a complete name in the hosts file.
		p.resolver = completeNames{&net.Resolver{PreferGo: true}}
	}
	if p.dial == nil {
		p.dial = p.systemDialer().DialContext
	}
	for _, ap := range cfg.Own {
		p.Own(ap)
	}
	return p
}

// Own registers a listener of the service: it is refused from now on, whatever the rules say. A listener on an
// unspecified address (0.0.0.0, ::) stands for every address of this machine.
func (p *Policy) Own(ap netip.AddrPort) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.own[ap.Port()] = append(p.own[ap.Port()], ap.Addr().Unmap().WithZone(""))
}

// disown forgets a listener that is closed.
func (p *Policy) disown(ap netip.AddrPort) {
	p.mu.Lock()
	defer p.mu.Unlock()
	left := p.own[ap.Port()][:0:0]
	for _, addr := range p.own[ap.Port()] {
		if addr != ap.Addr().Unmap().WithZone("") {
			left = append(left, addr)
		}
	}
	if len(left) == 0 {
		delete(p.own, ap.Port())
		return
	}
	p.own[ap.Port()] = left
}
