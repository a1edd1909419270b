package guard

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"

	"golang.org/x/net/proxy"
)

// maxProxyHead bounds what a proxy may answer to CONNECT.
const maxProxyHead = 16 << 10

// OutboundError is a failure of the operator's outbound proxy, or what it refused. It says nothing of the address behind it.
type OutboundError struct {
	Proxy string // its host and port
	Lost  bool   // it cannot be reached or lets nobody in: whatever was asked for has no part in it
	Err   error
}

// Error names the proxy.
func (e *OutboundError) Error() string {
	return fmt.Sprintf("outbound proxy %s: %v", e.Proxy, e.Err)
}

// Unwrap returns the cause.
func (e *OutboundError) Unwrap() error { return e.Err }

// ParseOutbound reads the URL of an outbound proxy: http or socks5, a host, a port, and perhaps a user and password.
func ParseOutbound(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, errors.New("it is no URL") // the error has the password
	}
	switch u.Scheme {
	case "http", "socks5":
	default:
		return nil, fmt.Errorf("its scheme is %q", u.Scheme)
	}
	if u.Hostname() == "" || u.Port() == "" || u.RawQuery != "" || u.Fragment != "" || u.Path != "" && u.Path != "/" {
		return nil, errors.New("it has another form")
	}
	return u, nil
}

// outbound reaches public addresses through a proxy of the operator. It is given addresses that were judged, and hands on these and
// no names: what is reached is what was judged.
type outbound struct {
	policy *Policy
	url    *url.URL
	direct net.Dialer
}

// dial connects to an address: through the proxy, unless only a rule opens it. That is one of the operator's own network.
func (o *outbound) dial(ctx context.Context, network, address string) (net.Conn, error) {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return nil, fmt.Errorf("read the address to dial: %w", err)
	}
	if o.policy.Private(ap.Addr()) {
		return o.policy.systemDialer().DialContext(ctx, network, address)
	}
	if err := o.policy.Check(ap); err != nil { // once more, as a dialer does that connects itself
		return nil, err
	}
	conn, err := o.direct.DialContext(ctx, network, o.url.Host)
	if err != nil {
		return nil, &OutboundError{Proxy: o.url.Host, Lost: !errors.Is(ctx.Err(), context.Canceled), Err: err}
	}
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	if err := o.greet(ctx, conn, address); err != nil {
		if ctx.Err() != nil {
			err = ctx.Err() // which closed the connection
		}
		return nil, errors.Join(&OutboundError{Proxy: o.url.Host, Lost: errors.Is(err, errNotLetIn), Err: err}, conn.Close())
	}
	return conn, nil
}

// errNotLetIn says that the proxy wants another user or password.
var errNotLetIn = errors.New("it wants another user and password (407)")

// WayOut returns nil when the outbound proxy of a URL accepts a connection.
func WayOut(ctx context.Context, proxy *url.URL) error {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", proxy.Host)
	if err != nil {
		return fmt.Errorf("outbound proxy: %w", err)
	}
	return conn.Close()
}

// greet has the proxy connect to the address.
func (o *outbound) greet(ctx context.Context, conn net.Conn, address string) error {
	o.keepClosed(conn)
	if o.url.Scheme == "socks5" {
		return o.socks(ctx, conn, address)
	}
	return o.connect(conn, address)
}

// keepClosed keeps pages from the proxy itself, whatever the rules say: it would take them where the policy does not let them.
func (o *outbound) keepClosed(conn net.Conn) {
	ap, err := netip.ParseAddrPort(conn.RemoteAddr().String())
	if err == nil && !o.policy.owns(netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())) {
		o.policy.Own(ap)
	}
}

func (o *outbound) socks(ctx context.Context, conn net.Conn, address string) error {
	var auth *proxy.Auth
	if user := o.url.User; user != nil {
		password, _ := user.Password()
		auth = &proxy.Auth{User: user.Username(), Password: password}
	}
	dialer, err := proxy.SOCKS5("tcp", o.url.Host, auth, proxy.Direct)
	if err != nil {
		return err
	}
	over, is := dialer.(interface {
		DialWithConn(ctx context.Context, c net.Conn, network, address string) (net.Addr, error)
	})
	if !is {
		return errors.New("no connection can be handed over")
	}
	_, err = over.DialWithConn(ctx, conn, "tcp", address)
	return err
}

// connect asks an HTTP proxy for a tunnel (RFC 9110, section 9.3.6).
func (o *outbound) connect(conn net.Conn, address string) error {
	ask := &http.Request{Method: http.MethodConnect, URL: &url.URL{Opaque: address}, Host: address, Header: http.Header{"User-Agent": {""}}}
	if user := o.url.User; user != nil {
		password, _ := user.Password()
		both := base64.StdEncoding.EncodeToString([]byte(user.Username() + ":" + password))
		ask.Header.Set("Proxy-Authorization", "Basic "+both)
	}
	if err := ask.Write(conn); err != nil {
		return err
	}
	head, err := readHead(conn)
	if err != nil {
		return err
	}
	answer, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(head)), ask) //nolint:bodyclose // it has no body
	if err != nil {
		return err
	}
	switch {
	case answer.StatusCode == http.StatusProxyAuthRequired:
		return errNotLetIn
	case answer.StatusCode/100 != 2:
		return fmt.Errorf("it answered CONNECT with %d %s", answer.StatusCode, http.StatusText(answer.StatusCode))
	}
	return nil
}

// readHead reads an answer up to its body and nothing beyond: that is what the server behind the proxy sends.
func readHead(conn net.Conn) ([]byte, error) {
	head := make([]byte, 0, 256)
	for !bytes.HasSuffix(head, []byte("\r\n\r\n")) {
		if len(head) == maxProxyHead {
			return nil, errors.New("its answer has no end")
		}
		head = append(head, 0)
		if _, err := io.ReadFull(conn, head[len(head)-1:]); err != nil {
			return nil, err
		}
	}
	return head, nil
}
