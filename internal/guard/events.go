package guard

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"syscall"
)

// Kind is why a connection failed.
type Kind string

// The kinds of events.
const (
	Blocked     Kind = "blocked"      // refused by the policy
	NotResolved Kind = "not_resolved" // the name has no address, or the name server did not answer
	Refused     Kind = "refused"      // the server refused, closed or broke the connection
	Timeout     Kind = "timeout"      // the server did not answer in time
	OverBudget  Kind = "over_budget"  // the capture has used up what it may
	NoWayOut    Kind = "no_way_out"   // the operator's outbound proxy could not be reached
	Filtered    Kind = "filtered"     // the capture does without the host: see Identity.Refuse
)

// Event is a refused or failed connection of an identity.
type Event struct {
	Host   string // lower case, without a last dot; an address without brackets; empty when none was named yet
	Port   uint16
	Kind   Kind
	Detail string // a sentence that a client may see
}

// Bounds of what an identity remembers.
const (
	maxEvents   = 256  // the first ones are kept
	maxFailures = 1024 // hosts and ports with a failure
)

// journal remembers what an identity refused and what failed.
type journal struct {
	mu     sync.Mutex
	events []Event
	latest map[hostPort]Event
}

type hostPort struct {
	host string
	port uint16
}

// add remembers an event and reports whether it is the first of its host and port that is remembered.
func (j *journal) add(e Event) (first bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	key := hostPort{e.Host, e.Port}
	last, known := j.latest[key]
	if e.Kind == Filtered && last.Kind == Filtered {
		return false // once a host: they must not displace other events
	}
	if len(j.events) < maxEvents {
		j.events = append(j.events, e)
	}
	if known || len(j.latest) < maxFailures {
		j.latest[key] = e
		return !known
	}
	return false
}

func (j *journal) all() []Event {
	j.mu.Lock()
	defer j.mu.Unlock()
	return append([]Event(nil), j.events...)
}

func (j *journal) find(host string, port uint16) (Event, bool) {
	if strings.Contains(host, ":") && !strings.HasPrefix(host, "[") {
		host = "[" + host + "]"
	}
	to, err := parseTarget(host, port)
	if err != nil {
		return Event{}, false
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	e, found := j.latest[hostPort{to.host(), port}]
	return e, found
}

// errOverBudget ends what goes beyond an identity's budget.
var errOverBudget = errors.New("over budget")

// errFiltered ends what the capture does without.
var errFiltered = errors.New("filtered")

// Explain returns the meaning of an error of a dial or of a connection. address is "host:port".
func Explain(address string, err error) Event {
	to, parseErr := parseTarget(address, 0)
	if parseErr != nil {
		return Event{Host: address, Kind: Refused, Detail: fmt.Sprintf("%v.", parseErr)}
	}
	return eventOf(to, err)
}

// eventOf returns the meaning of a failed connection.
func eventOf(to target, err error) Event {
	e := Event{Host: to.host(), Port: to.port}
	var refusal *Refusal
	var dns *net.DNSError
	var network net.Error
	var proxy *OutboundError
	switch {
	case errors.As(err, &refusal):
		e.Kind, e.Detail = Blocked, refusal.Message()
	case errors.As(err, &dns):
		e.Kind, e.Detail = NotResolved, unresolved(to.name, dns)
	case errors.Is(err, errFiltered):
		e.Kind, e.Detail = Filtered, fmt.Sprintf("%s is blocked for this capture.", to)
	case errors.Is(err, errOverBudget):
		e.Kind, e.Detail = OverBudget, fmt.Sprintf("%s was cut off: %v.", to, err)
	case errors.As(err, &proxy) && proxy.Lost:
		e.Kind, e.Detail = NoWayOut, "The service's outbound proxy cannot be reached."
	case errors.As(err, &network) && network.Timeout():
		e.Kind, e.Detail = Timeout, fmt.Sprintf("%s did not answer in time.", to)
	case errors.As(err, &proxy):
		e.Kind, e.Detail = Refused, fmt.Sprintf("%s cannot be reached through the service's outbound proxy.", to)
	default:
		e.Kind, e.Detail = Refused, fmt.Sprintf("%s %s.", to, broken(err))
	}
	return e
}

func unresolved(name string, err *net.DNSError) string {
	switch {
	case err.IsNotFound:
		return fmt.Sprintf("The name %s has no address.", name)
	case err.IsTimeout:
		return fmt.Sprintf("The name server did not answer for %s in time.", name)
	default:
		return fmt.Sprintf("The name %s could not be looked up.", name)
	}
}

func broken(err error) string {
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refused the connection"
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH):
		return "cannot be reached from here"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "broke the connection"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "closed the connection before its answer was complete"
	default:
		return "did not answer as HTTP"
	}
}
