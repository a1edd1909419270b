package main

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/guard"
)

// withScheme completes an address without a scheme, such as example.com or localhost:3000: with http where it names this
// machine, a private network or port 80, else with https.
func withScheme(address string) string {
	if hasScheme(address) {
		return address
	}
	u, err := url.Parse("//" + address)
	if err != nil || u.Port() != "443" && (u.Port() == "80" || isNearby(u.Hostname())) {
		return "http://" + address
	}
	return "https://" + address
}

// hasScheme reports whether an address begins with a scheme. One in its path or query does not count.
func hasScheme(address string) bool {
	before, _, found := strings.Cut(address, "://")
	return found && !strings.ContainsAny(before, "/?#")
}

// isNearby reports whether a host is of this machine or of a private network, where hardly anything speaks TLS.
func isNearby(host string) bool {
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr.IsLoopback() || addr.IsPrivate() || addr.IsUnspecified() || addr.IsLinkLocalUnicast()
	}
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	last := host[strings.LastIndexByte(host, '.')+1:]
	return host != "" && (last == host || slices.Contains([]string{"localhost", "local", "internal", "test", "lan"}, last))
}

// inPlain returns the address with http in place of an https that was guessed, where the failure may come from the guess:
// nothing listens for TLS, or what does so on a port of its own speaks something else.
func inPlain(typed, address string, failure error) (plain string, may bool) {
	fault, known := errors.AsType[*savepage.Error](failure)
	rest, secure := strings.CutPrefix(address, "https://")
	if !known || !secure || hasScheme(typed) {
		return "", false
	}
	u, err := url.Parse(address)
	ownPort := err == nil && u.Port() != "" && u.Port() != "443"
	may = fault.Code == savepage.CodeConnectionFailed || fault.Code == savepage.CodeTLSError && ownPort
	return "http://" + rest, may
}

// notAFile refuses the name of a file where a URL is wanted.
func notAFile(argument string) error {
	if hasScheme(argument) {
		return nil
	}
	if info, err := os.Stat(argument); err == nil && info.Mode().IsRegular() {
		return fmt.Errorf("%s is a file: to capture it, give --html @%s in place of the URL", argument, argument)
	}
	return nil
}

// reach is the guard of a command, and what it refused that a flag could open.
type reach struct {
	policy *guard.Policy

	mu    sync.Mutex
	first *guard.Refusal
}

func newReach(s Settings) *reach {
	r := &reach{}
	cfg := s.guard(nil)
	cfg.OnRefusal = func(refused *guard.Refusal) {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.first == nil && refused.Hint != "" {
			r.first = refused
		}
	}
	r.policy = guard.New(cfg)
	return r
}

// inWords says which flag opens the address of the page, where that is why the capture failed. The user of a command is the
// operator, and may know where a name leads.
func (r *reach) inWords(address string, err error) error {
	fault, known := errors.AsType[*savepage.Error](err)
	if !known || fault.Code != savepage.CodeAddressBlocked {
		return err
	}
	rule, why := guard.Remedy(r.policy, address)
	r.mu.Lock()
	defer r.mu.Unlock()
	if rule == "" && r.first != nil {
		rule, why = r.first.Hint, r.first.Rule
	}
	if rule == "" {
		return err
	}
	const message = "%s is closed to captures: %s. Open it with --egress-allow %s, or with the variable %s"
	return savepage.Errorf(savepage.CodeAddressBlocked, message, address, why, rule, guard.Setting)
}
