package guard

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"time"
)

// Limits of connecting to the addresses of one name.
const (
	connectTimeout = 10 * time.Second
	minShare       = 2 * time.Second // of the time, for one of several addresses
)

// completeNames keeps the search list of resolv.conf out of names of several parts: the last dot says that nothing follows.
// Names of one part are for the hosts file and the search list; without those they lead nowhere.
type completeNames struct{ resolver Resolver }

func (c completeNames) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	if strings.Contains(host, ".") {
		host += "."
	}
	return c.resolver.LookupNetIP(ctx, network, host)
}

// DialContext connects to "host:port" over TCP: it looks the name up once, judges every answer, and dials the judged
// addresses themselves, in order. The error is *Refusal, *net.DNSError, or that of the connection (see errors.As).
// The caller closes the connection.
func (p *Policy) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	conn, _, err := p.Dial(ctx, network, address)
	return conn, err
}

// Dial is DialContext and also returns the address that was judged and connected to.
func (p *Policy) Dial(ctx context.Context, network, address string) (net.Conn, netip.AddrPort, error) {
	to, err := parseTarget(address, 0)
	if err != nil {
		return nil, netip.AddrPort{}, &net.AddrError{Err: err.Error(), Addr: address}
	}
	answers, err := p.lookup(ctx, to)
	if err != nil {
		return nil, netip.AddrPort{}, err
	}
	judged, err := p.judgeAll(to, answers)
	if err != nil {
		p.tell(err)
		return nil, netip.AddrPort{}, err
	}
	return p.connect(ctx, network, judged)
}

// lookup returns the addresses of a target, not yet judged. Only names that do not mean this machine are asked for.
func (p *Policy) lookup(ctx context.Context, to target) ([]netip.Addr, error) {
	if to.name == "" {
		return []netip.Addr{to.addr}, nil
	}
	if localhost(to.name) {
		return loopback(), nil
	}
	if strings.HasSuffix(to.name, ".invalid") { // RFC 6761, 6.4: nobody is to be asked
		return nil, &net.DNSError{Err: "no such host", Name: to.name, IsNotFound: true}
	}
	limited, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	answers, err := p.resolver.LookupNetIP(limited, "ip", to.name)
	if errors.Is(ctx.Err(), context.Canceled) {
		return nil, fmt.Errorf("look up %s: %w", to.name, context.Cause(ctx))
	}
	return answers, lookupError(to.name, len(answers), err)
}

func lookupError(name string, answers int, err error) error {
	var dns *net.DNSError
	switch {
	case err == nil && answers == 0:
		return &net.DNSError{Err: "no address", Name: name, IsNotFound: true}
	case err == nil || errors.As(err, &dns):
		return err
	default:
		timeout := errors.Is(err, context.DeadlineExceeded)
		return &net.DNSError{UnwrapErr: err, Err: err.Error(), Name: name, IsTimeout: timeout, IsTemporary: true}
	}
}

// judgeAll judges every answer of a lookup for the target's port. One that is refused refuses them all: a name that leads
// to a public and a private address is an attack, or a mistake that would show as one.
func (p *Policy) judgeAll(to target, answers []netip.Addr) ([]netip.AddrPort, error) {
	if localhost(to.name) {
		judged, refusal := p.judgeLocalhost(to)
		if refusal != nil {
			return nil, refusal
		}
		return judged, nil
	}
	judged := make([]netip.AddrPort, 0, min(len(answers), maxAnswers))
	for _, addr := range answers {
		ap := netip.AddrPortFrom(addr.Unmap(), to.port)
		if refusal := p.judge(ap); refusal != nil {
			refusal.Host = to.name
			return nil, refusal
		}
		if len(judged) < maxAnswers {
			judged = append(judged, ap)
		}
	}
	return judged, nil
}

// tell passes a refusal on to whoever logs them.
func (p *Policy) tell(err error) {
	if refusal, is := errors.AsType[*Refusal](err); is && p.refused != nil {
		p.refused(refusal)
	}
}

// judgeLocalhost keeps those of the two loopback addresses that are allowed: an operator who opens 127.0.0.0/8 means
// localhost too. A listener of the service on either refuses both.
func (p *Policy) judgeLocalhost(to target) ([]netip.AddrPort, *Refusal) {
	var judged []netip.AddrPort
	var first *Refusal
	for _, addr := range loopback() {
		ap := netip.AddrPortFrom(addr, to.port)
		refusal := p.judge(ap)
		if refusal == nil {
			judged = append(judged, ap)
			continue
		}
		refusal.Host = to.name
		if refusal.own {
			return nil, refusal
		}
		if first == nil {
			first = refusal
		}
	}
	if len(judged) == 0 {
		return nil, first
	}
	return judged, nil
}

// connect dials judged addresses in order, each with a fair share of the time that is left.
func (p *Policy) connect(ctx context.Context, network string, judged []netip.AddrPort) (net.Conn, netip.AddrPort, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	var failures []error
	for i, ap := range judged {
		conn, err := p.dialShare(ctx, network, ap, len(judged)-i)
		if err == nil {
			return conn, ap, nil
		}
		failures = append(failures, err)
		if ctx.Err() != nil {
			break
		}
	}
	return nil, netip.AddrPort{}, errors.Join(failures...)
}

func (p *Policy) dialShare(ctx context.Context, network string, ap netip.AddrPort, left int) (net.Conn, error) {
	if deadline, ok := ctx.Deadline(); ok && left > 1 {
		share := max(time.Until(deadline)/time.Duration(left), minShare)
		limited, cancel := context.WithTimeout(ctx, share)
		defer cancel()
		ctx = limited
	}
	return p.dial(ctx, network, ap.String())
}

// systemDialer judges the address once more before it connects.
func (p *Policy) systemDialer() *net.Dialer {
	return &net.Dialer{Control: func(network, address string, _ syscall.RawConn) error {
		if network != "tcp4" && network != "tcp6" {
			return net.UnknownNetworkError(network)
		}
		ap, err := netip.ParseAddrPort(address)
		if err != nil {
			return fmt.Errorf("read the address to dial: %w", err)
		}
		return p.Check(ap)
	}}
}
