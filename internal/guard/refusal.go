package guard

import (
	"fmt"
	"net/netip"
)

// Refusal means that the policy does not allow an address, and holds the reason.
type Refusal struct { //nolint:errname // the word of the domain; callers write guard.Refusal
	Host string         // the name that led to the address; empty when the address itself was asked for
	Addr netip.AddrPort // the address that was judged
	Rule string         // the reason: "10.0.0.0/8 (private use)"
	Hint string         // the rule that would open it: "10.0.0.1/32"; empty when nothing does

	own bool
}

// Error is for the log: it names the address also where a name led to it.
func (r *Refusal) Error() string {
	if r.Host == "" {
		return fmt.Sprintf("address %s refused: %s", r.Addr, r.Rule)
	}
	return fmt.Sprintf("address %s of %s refused: %s", r.Addr, r.Host, r.Rule)
}

// Message is for clients: it names the remedy, and nothing that the client did not know. Where a name leads, and even into
// which network, is for the log only: whoever may ask for any name would read the operator's name server.
func (r *Refusal) Message() string {
	switch {
	case r.Host == "":
		return fmt.Sprintf("%s is not allowed: %s%s.", r.Addr, r.Rule, r.advice("="+r.Hint))
	case localhost(r.Host):
		return fmt.Sprintf("%s is not allowed: %s%s.", r.Host, r.Rule, r.advice("="+r.Hint))
	case !r.Addr.Addr().IsValid():
		return fmt.Sprintf("%s is not allowed: %s%s.", r.Host, r.Rule, r.advice(""))
	default:
		return fmt.Sprintf("%s leads to an address that is not allowed; with %s the operator can open networks.", r.Host, Setting)
	}
}

func (r *Refusal) advice(value string) string {
	if r.Hint == "" {
		return ""
	}
	return "; with " + Setting + value + " the operator can open it"
}
