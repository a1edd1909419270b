package guard

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/savepage/savepage"
)

// Admit takes an absolute http or https URL in a strict spelling and returns its normal form: lower-case scheme and host,
// no last dot, no usual port, never an empty path. Addresses in it, and the names that mean this machine, are judged at
// once; other names are judged when they are dialled. It asks no name server. A refusal is *savepage.Error:
// CodeInvalidRequest for a URL that is malformed, CodeAddressBlocked for an address that is not allowed.
func (p *Policy) Admit(raw string) (string, error) {
	u, to, err := parseURL(raw)
	if err != nil {
		return "", savepage.Errorf(savepage.CodeInvalidRequest, "%v", err)
	}
	if refusal := p.judgeUnresolved(to); refusal != nil {
		return "", savepage.Errorf(savepage.CodeAddressBlocked, "%s", refusal.Message())
	}
	_, rest := cutAuthority(raw)
	if !strings.HasPrefix(rest, "/") {
		rest = "/" + rest
	}
	normal := u.Scheme + "://" + to.authority(schemePort(u.Scheme)) + escapeNonASCII(rest)
	if len(normal) > savepage.MaxURLBytes {
		return "", savepage.Errorf(savepage.CodeInvalidRequest,
			"the URL must have at most %d bytes; escaped it has %d", savepage.MaxURLBytes, len(normal))
	}
	return normal, nil
}

// Remedy returns the rule that would open a URL which Admit does not allow, as ParseAllow reads it, and why the URL is not
// allowed; empty where no rule would, or where Admit allows it.
func Remedy(p *Policy, raw string) (rule, why string) {
	_, to, err := parseURL(raw)
	if err != nil {
		return "", ""
	}
	refusal := p.judgeUnresolved(to)
	if refusal == nil || refusal.Hint == "" || !refusal.Addr.Addr().IsValid() {
		return "", ""
	}
	return refusal.Hint, refusal.Rule
}

// judgeUnresolved judges a target before any lookup.
func (p *Policy) judgeUnresolved(to target) *Refusal {
	switch {
	case to.name == "":
		return p.judge(netip.AddrPortFrom(to.addr, to.port))
	case localhost(to.name):
		_, refusal := p.judgeLocalhost(to)
		return refusal
	case !p.mayOpen(to.port):
		return &Refusal{Host: to.name, Addr: netip.AddrPortFrom(netip.Addr{}, to.port), Rule: closedPort(to.port), Hint: "CIDR:PORT"}
	}
	return nil
}

func parseURL(raw string) (*url.URL, target, error) {
	if err := checkText(raw); err != nil {
		return nil, target{}, err
	}
	u, err := url.Parse(raw)
	if err != nil {
		if inner, ok := errors.AsType[*url.Error](err); ok {
			err = inner.Err // without the URL, which the caller knows
		}
		return nil, target{}, fmt.Errorf("the URL cannot be read: %w", err)
	}
	if err := checkShape(u); err != nil {
		return nil, target{}, err
	}
	// net/url decodes escapes in a host, and browsers decode them once more.
	if authority, _ := cutAuthority(raw); strings.Contains(authority, "%") {
		return nil, target{}, errors.New("the host must not be escaped with %")
	}
	to, err := parseTarget(u.Host, schemePort(u.Scheme))
	if err == nil && unsafePort(to.port) {
		err = fmt.Errorf("port %d belongs to another protocol than HTTP and is never fetched", to.port)
	}
	return u, to, err
}

// checkText refuses what programs read differently: browsers drop or turn around characters that others keep.
func checkText(raw string) error {
	if raw == "" {
		return errors.New("the URL is missing")
	}
	if len(raw) > savepage.MaxURLBytes {
		return fmt.Errorf("the URL must have at most %d bytes; it has %d", savepage.MaxURLBytes, len(raw))
	}
	if !utf8.ValidString(raw) {
		return errors.New("the URL must be valid UTF-8")
	}
	for _, r := range raw {
		switch {
		case r <= ' ' || r == 0x7f || (r >= 0x80 && r <= 0x9f):
			return fmt.Errorf("the URL must not contain a space or control character (%U): write it as %%%02X", r, r)
		case r == '\\':
			return errors.New("the URL must not contain a backslash: write / or %5C")
		}
	}
	return nil
}

func checkShape(u *url.URL) error {
	switch {
	case u.Scheme == "":
		return errors.New("the URL must begin with http:// or https://")
	case u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("the URL must begin with http:// or https://, not %q", u.Scheme+":")
	case u.Opaque != "" || u.Host == "":
		return fmt.Errorf("the URL must have a host after %s://", u.Scheme)
	case u.User != nil:
		return errors.New("the URL must not contain a user name or password: send them as an Authorization header")
	}
	return nil
}

// cutAuthority returns the text between "//" and the path, and the text from the path on, as they came in.
func cutAuthority(raw string) (authority, rest string) {
	_, rest, _ = strings.Cut(raw, "//")
	if end := strings.IndexAny(rest, "/?#"); end >= 0 {
		return rest[:end], rest[end:]
	}
	return rest, ""
}

// escapeNonASCII leaves everything else as it is: net/url would change escapes in the path that mean something.
func escapeNonASCII(s string) string {
	if isASCII(s) {
		return s
	}
	var b strings.Builder
	for i := range len(s) {
		if s[i] < utf8.RuneSelf {
			b.WriteByte(s[i])
			continue
		}
		fmt.Fprintf(&b, "%%%02X", s[i])
	}
	return b.String()
}

func schemePort(scheme string) uint16 {
	if scheme == "https" {
		return 443
	}
	return 80
}
