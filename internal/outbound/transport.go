// Package outbound is HTTP to servers that users name: connections that go through the guard's policy and follow no redirect,
// what is to be said of one that fails, and how long to wait before the next attempt. It refuses to know what is sent.
package outbound

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/savepage/savepage/internal/guard"
)

// Limits of the connections to servers.
const (
	ConnectTimeout = 5 * time.Second // lookup and connection; the TLS handshake has the same again
	idleTimeout    = 30 * time.Second
	maxHeadBytes   = 16 << 10
)

// judgedConn is a connection to an address that the policy has judged.
type judgedConn struct {
	net.Conn
	private bool // reached only because a rule of the operator opens it
}

// HandshakeError is a failure of TLS, and not of the connection under it.
type HandshakeError struct{ Err error }

// Error says what failed.
func (e *HandshakeError) Error() string { return "tls handshake: " + e.Err.Error() }

// Unwrap returns the cause.
func (e *HandshakeError) Unwrap() error { return e.Err }

// Conns is how many connections to one host and port a transport has.
type Conns struct {
	Most int // at once; 0: any number
	Idle int // that are kept open
}

// NewTransport reaches servers through the policy only: no proxy from the environment, no HTTP/2, no decompression.
func NewTransport(policy *guard.Policy, config *tls.Config, conns Conns) *http.Transport {
	return &http.Transport{
		Proxy: nil,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			return dial(ctx, policy, network, address)
		},
		DialTLSContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			return dialTLS(ctx, policy, address, config)
		},
		DisableCompression:     true,
		MaxConnsPerHost:        conns.Most,
		MaxIdleConnsPerHost:    conns.Idle,
		IdleConnTimeout:        idleTimeout,
		MaxResponseHeaderBytes: maxHeadBytes,
	}
}

func dial(ctx context.Context, policy *guard.Policy, network, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, ConnectTimeout)
	defer cancel()
	conn, judged, err := policy.Dial(ctx, network, address)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	return &judgedConn{Conn: conn, private: policy.Private(judged.Addr())}, nil
}

func dialTLS(ctx context.Context, policy *guard.Policy, address string, config *tls.Config) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("read the address: %w", err)
	}
	conn, err := dial(ctx, policy, "tcp", address)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, ConnectTimeout)
	defer cancel()
	config = config.Clone()
	config.ServerName = host
	secured := tls.Client(conn, config)
	if err := secured.HandshakeContext(ctx); err != nil {
		return nil, errors.Join(&HandshakeError{err}, conn.Close())
	}
	return secured, nil
}

// isPrivate reports whether a connection leads to an address that only a rule opens.
func isPrivate(conn net.Conn) bool {
	if secured, ok := conn.(*tls.Conn); ok {
		conn = secured.NetConn()
	}
	judged, ok := conn.(*judgedConn)
	return !ok || judged.private
}
