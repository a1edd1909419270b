package outbound

import (
	"cmp"
	"errors"
	"net"
	"net/http/httptrace"
	"net/url"
	"sync/atomic"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/guard"
)

// Stage is how far a request has come.
type Stage int

// The stages of a request.
const (
	Waiting    Stage = iota // for a connection that is free
	Connecting              // the lookup and the connection
	Connected               // what is sent is on its way
	Sent                    // the answer is awaited
)

// Progress follows one request, or several in a row, so that a timeout names what was awaited. The zero value is ready.
type Progress struct {
	connecting, connected, sent, private atomic.Bool
}

// Trace is given to the request's context.
func (p *Progress) Trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		ConnectStart: func(string, string) { p.connecting.Store(true) },
		GotConn: func(info httptrace.GotConnInfo) {
			p.connected.Store(true)
			p.sent.Store(false)
			p.private.Store(isPrivate(info.Conn))
		},
		WroteRequest: func(httptrace.WroteRequestInfo) { p.Send() },
	}
}

// Send says that all is sent.
func (p *Progress) Send() { p.sent.Store(true) }

// Private reports whether the server has an address that only a rule of the operator opens. What it answers is not for clients.
func (p *Progress) Private() bool { return p.private.Load() }

// Stage is how far the request has come.
func (p *Progress) Stage() Stage {
	switch {
	case p.sent.Load():
		return Sent
	case p.connected.Load():
		return Connected
	case p.connecting.Load():
		return Connecting
	default:
		return Waiting
	}
}

// Failure is what a request without an answer ended with, and a sentence for the client.
func Failure(to *url.URL, err error) (savepage.AttemptOutcome, string) {
	event := guard.Explain(dialled(to), err)
	if broken, ok := errors.AsType[*HandshakeError](err); ok && event.Kind != guard.Timeout {
		return savepage.AttemptTLS, "The TLS handshake failed: " + broken.Err.Error() + "."
	}
	switch event.Kind {
	case guard.Blocked:
		return savepage.AttemptBlocked, event.Detail
	case guard.NotResolved:
		return savepage.AttemptResolve, event.Detail
	case guard.Timeout:
		return savepage.AttemptTimeout, event.Detail
	default:
		return savepage.AttemptRefused, event.Detail
	}
}

// dialled is the "host:port" of an address.
func dialled(to *url.URL) string {
	port := cmp.Or(to.Port(), map[string]string{"http": "80", "https": "443"}[to.Scheme])
	return net.JoinHostPort(to.Hostname(), port)
}
