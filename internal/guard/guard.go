// Package guard decides which network addresses may be reached on behalf of users, and says why not. Everything a user
// names goes through one Policy: the URL of a capture, what its page loads, and callbacks. Chromium goes through an
// Identity, a proxy of its own for each capture. The package judges addresses, never names or contents: what a capture
// does without by name is its caller's to say. It looks into no TLS stream, keeps no cookies and caches no pages.
package guard

import (
	"context"
	"net"
	"net/netip"
	"net/url"
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
	Outbound *url.URL         // proxy through which public addresses are reached, as ParseOutbound reads it; nil: none
	NAT64    []netip.Prefix   // of the operator's own translators (RFC 6052), as ParseNAT64 reads them

	// OnRefusal is told of what was not dialled. A refusal of a name says more than its client may know. nil: nobody is told.
	OnRefusal func(*Refusal)
}

// Policy judges addresses. It is safe for concurrent use. Make one with New.
type Policy struct {
	allow    []Rule
	denied   []network
	metadata []netip.Addr
	nat64    []netip.Prefix
	resolver Resolver
	dial     DialFunc
	refused  func(*Refusal)

	mu  sync.RWMutex
	own map[uint16]map[netip.Addr]int // listeners of the service: by port and address, how many
}

// New returns the policy of a configuration.
func New(cfg Config) *Policy {
	p := &Policy{
		allow:    cfg.Allow,
		denied:   specialNetworks(),
		metadata: metadataAddresses(),
		resolver: cfg.Resolver,
		dial:     cfg.Dial,
		nat64:    cfg.NAT64,
		refused:  cfg.OnRefusal,
		own:      map[uint16]map[netip.Addr]int{},
	}
	if p.resolver == nil {
		// The C library's resolver does not find a complete name in the hosts file.
		p.resolver = completeNames{&net.Resolver{PreferGo: true}}
	}
	switch {
	case p.dial != nil:
	case cfg.Outbound != nil:
		p.dial = (&outbound{policy: p, url: cfg.Outbound}).dial
		if ap, err := netip.ParseAddrPort(cfg.Outbound.Host); err == nil {
			p.Own(ap) // of a name, when it is first reached
		}
	default:
		p.dial = p.systemDialer().DialContext
	}
	for _, ap := range cfg.Own {
		p.Own(ap)
	}
	return p
}

// Own registers a listener of the service: it is refused from now on, whatever the rules say. A listener on an
// unspecified address (0.0.0.0, ::) stands for every address of this machine. Registered twice, it must end twice.
func (p *Policy) Own(ap netip.AddrPort) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.own[ap.Port()] == nil {
		p.own[ap.Port()] = map[netip.Addr]int{}
	}
	p.own[ap.Port()][ownAddr(ap)]++
}

// disown closes a listener and forgets it. Nothing is judged meanwhile: the port is refused until it is closed, and not
// any more when another program may have taken it.
func (p *Policy) disown(ap netip.AddrPort, closeListener func() error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	err := closeListener()
	addrs := p.own[ap.Port()]
	if addrs[ownAddr(ap)]--; addrs[ownAddr(ap)] <= 0 {
		delete(addrs, ownAddr(ap))
	}
	if len(addrs) == 0 {
		delete(p.own, ap.Port())
	}
	return err
}

func ownAddr(ap netip.AddrPort) netip.Addr { return ap.Addr().Unmap().WithZone("") }
