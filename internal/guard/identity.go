package guard

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"sync/atomic"
	"time"
)

// Limits of one proxy connection.
const (
	headTimeout   = 10 * time.Second // for a request's head to arrive
	idleTimeout   = 2 * time.Minute  // between requests of the browser
	answerTimeout = 30 * time.Second // for an answer's head to arrive
	maxHeadBytes  = 64 << 10         // of a request
	maxAnswerHead = 256 << 10        // of an answer
)

// Identity is the proxy of one capture: an HTTP/1.1 forward proxy with CONNECT on a loopback port of its own. What a name
// resolved to first is kept for the identity's life, so a name cannot move to another address under a page. Nothing is
// shared with other identities. It is safe for concurrent use.
type Identity struct {
	policy    *Policy
	listener  net.Listener
	owned     bool // the policy refuses its address
	server    *http.Server
	transport *http.Transport
	meter     *meter
	journal   *journal
	pins      *pins
	refuse    atomic.Pointer[func(host string) bool]
	cut       context.CancelFunc // ends every lookup, dial and request
	conns     *connections
	waits     *waits
}

// NewIdentity opens the proxy of one capture on 127.0.0.1 and serves it. The caller closes it.
func (p *Policy) NewIdentity(b Budget) (*Identity, error) {
	var listening net.ListenConfig
	listening.SetMultipathTCP(false) // plain TCP sockets can be spliced
	listener, err := listening.Listen(context.Background(), "tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("open the proxy of a capture: %w", err)
	}
	i := newIdentity(p, b, listener)
	i.owned = true
	p.Own(i.address())
	i.serve()
	return i, nil
}

// NewIdentityAt is NewIdentity on a listener that nothing else on this machine can reach: one in the network namespace of a
// browser. The identity closes it.
func NewIdentityAt(p *Policy, b Budget, listener net.Listener) *Identity {
	i := newIdentity(p, b, listener)
	i.serve()
	return i
}

func newIdentity(p *Policy, b Budget, listener net.Listener) *Identity {
	life, cut := context.WithCancel(context.Background())
	i := &Identity{
		policy:   p,
		listener: listener,
		meter:    &meter{budget: b.withDefaults(), hosts: map[string]struct{}{}},
		journal:  &journal{latest: map[hostPort]Event{}},
		pins:     newPins(func(to target) ([]netip.Addr, error) { return p.lookup(life, to) }),
		cut:      cut,
		waits:    newWaits(),
	}
	limit := i.meter.budget.Conns
	i.conns = &connections{max: limit, open: map[net.Conn]bool{}, tooMany: func() {
		i.journal.add(Event{Kind: OverBudget, Detail: fmt.Sprintf("The page had more than %d connections at once.", limit)})
	}}
	i.transport = i.newTransport(life)
	i.server = i.newServer(life)
	return i
}

func (i *Identity) serve() {
	i.conns.work.Go(func() { _ = i.server.Serve(i.listener) }) // always ends with the error of a closed listener
}

// ProxyURL is what Chromium gets as proxyServer: "http://127.0.0.1:PORT".
func (i *Identity) ProxyURL() string { return "http://" + i.address().String() }

// Refuse has the identity refuse further hosts, those for which refuse is true, from the next request on. What is refused
// so is an Event of the kind Filtered, one for a host and port, and uses up nothing of the budget. refuse gets the host in
// lower-case ASCII, without port, brackets and last dot; it is called for several requests at once, and each waits for it.
func (i *Identity) Refuse(refuse func(host string) bool) { i.refuse.Store(&refuse) }

// Nowhere is a host that every identity refuses at once, as Filtered and without a look-up: for requests that must reach nothing.
const Nowhere = "nowhere.savepage.invalid"

// request admits one request to a host. The error wraps errFiltered or errOverBudget.
func (i *Identity) request(to target) error {
	if to.host() == Nowhere {
		return errFiltered
	}
	if refuse := i.refuse.Load(); refuse != nil && (*refuse)(to.host()) {
		return errFiltered
	}
	return i.meter.request(to.host())
}

// Events returns what was refused or failed, oldest first. The first 256 are kept.
func (i *Identity) Events() []Event { return i.journal.all() }

// Failure returns the latest event of a host and port, in any spelling of the host that a URL may have.
func (i *Identity) Failure(host string, port uint16) (Event, bool) { return i.journal.find(host, port) }

// Close cuts every connection at once and waits for the goroutines. Closing again does nothing.
func (i *Identity) Close() error {
	if !i.conns.end() {
		i.conns.work.Wait()
		return nil
	}
	i.cut()
	err := i.closeListener()
	_ = i.server.Close() // the listener is closed; what is left are its connections
	i.conns.closeAll()
	i.conns.work.Wait()
	i.transport.CloseIdleConnections()
	if err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("close the proxy of a capture: %w", err)
	}
	return nil
}

func (i *Identity) closeListener() error {
	if !i.owned {
		return i.listener.Close()
	}
	return i.policy.disown(i.address(), i.listener.Close)
}

func (i *Identity) newServer(life context.Context) *http.Server {
	return &http.Server{
		Handler:                      http.HandlerFunc(i.handle),
		ReadHeaderTimeout:            headTimeout,
		IdleTimeout:                  idleTimeout,
		MaxHeaderBytes:               maxHeadBytes,
		DisableGeneralOptionsHandler: true,
		ErrorLog:                     log.New(io.Discard, "", 0), // a page's broken requests are nothing to log
		BaseContext:                  func(net.Listener) context.Context { return life },
		ConnState:                    i.connState,
	}
}

// newTransport reaches servers for plain requests. It finishes dials that no request waits for any more, hence life.
func (i *Identity) newTransport(life context.Context) *http.Transport {
	return &http.Transport{
		DialContext: func(ctx context.Context, _, address string) (net.Conn, error) {
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			defer context.AfterFunc(life, cancel)()
			return i.dialMetered(ctx, address)
		},
		DisableCompression:     true,
		MaxIdleConnsPerHost:    8,
		IdleConnTimeout:        idleTimeout,
		ResponseHeaderTimeout:  answerTimeout,
		MaxResponseHeaderBytes: maxAnswerHead,
		ReadBufferSize:         32 << 10,
	}
}

func (i *Identity) address() netip.AddrPort {
	return netip.MustParseAddrPort(i.listener.Addr().String())
}
