// Package address reads the addresses of a capture: where its page lies, what belongs to its origin, and how an address may
// be shown to a client. It asks nobody: whether an address may be reached is internal/guard's to say.
package address

import (
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/guard"
)

// HTMLOrigin is where the document of the option html lives. The name cannot exist (RFC 6761, 6.4), and nothing is ever
// sent there: the document is put in the browser's hands instead. An own https origin keeps it from every other one.
const HTMLOrigin = "https://html.savepage.invalid"

// Nowhere is where a refused socket is sent instead: the proxy refuses it. Its own address stands behind it.
const Nowhere = "wss://" + guard.Nowhere + "/"

// Page is the page to render.
type Page struct {
	URL    string
	Origin string // scheme://host[:port], without a default port
	Host   string // lower case, without port and brackets
}

// Of reads the address that the options name.
func Of(o savepage.Options) (Page, error) {
	if o.HTML != "" && o.BaseURL == "" {
		return Page{URL: HTMLOrigin + "/", Origin: HTMLOrigin, Host: strings.TrimPrefix(HTMLOrigin, "https://")}, nil
	}
	named := o.URL
	if o.HTML != "" {
		named = o.BaseURL
	}
	u, err := url.Parse(named)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" {
		return Page{}, savepage.Errorf(savepage.CodeInvalidRequest, "url must be an http or https address")
	}
	return Page{URL: named, Origin: Origin(u), Host: strings.ToLower(u.Hostname())}, nil
}

// Trusted reports whether the browser takes the page for one that nobody can change on its way.
func (p Page) Trusted() bool {
	if strings.HasPrefix(p.Origin, "https:") || p.Host == "localhost" || strings.HasSuffix(p.Host, ".localhost") {
		return true
	}
	ip := net.ParseIP(p.Host)
	return ip != nil && ip.IsLoopback()
}

// Origin is the origin of a URL: scheme://host[:port], without a default port.
func Origin(u *url.URL) string {
	scheme, host := strings.ToLower(u.Scheme), strings.ToLower(u.Host)
	if port := u.Port(); port == defaultPort(scheme) {
		host = strings.TrimSuffix(host, ":"+port)
	}
	return scheme + "://" + strings.TrimSuffix(host, ":")
}

func defaultPort(scheme string) string {
	switch scheme {
	case "http", "ws":
		return "80"
	case "https", "wss":
		return "443"
	default:
		return ""
	}
}

// Authority is the host and port that a URL is fetched from.
func Authority(raw string) (host string, port uint16) {
	u, err := url.Parse(raw)
	if err != nil {
		return "", 0
	}
	text := u.Port()
	if text == "" {
		text = defaultPort(u.Scheme)
	}
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return "", 0
	}
	return u.Hostname(), uint16(n)
}

// Named is a URL as it may be told: without user, query and fragment, and not too long.
func Named(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "an address"
	}
	if u.Host == "" {
		return u.Scheme + ":…"
	}
	path := u.EscapedPath()
	if len(path) > 160 {
		path = path[:160] + "…"
	}
	return u.Scheme + "://" + u.Host + path
}

// CheckCookieDomain checks that a cookie belongs to the page: to its host, or to a domain above it.
func CheckCookieDomain(to Page, index int, domain string) error {
	name := strings.ToLower(strings.TrimPrefix(domain, "."))
	if name == to.Host {
		return nil
	}
	if net.ParseIP(to.Host) == nil && strings.Contains(name, ".") && strings.HasSuffix(to.Host, "."+name) {
		return nil
	}
	return &savepage.Error{
		Code:    savepage.CodeInvalidRequest,
		Message: fmt.Sprintf("cookies[%d].domain must be %s or a domain above it", index, to.Host),
		Fields: []savepage.FieldError{{
			Location: fmt.Sprintf("cookies[%d].domain", index), Message: "must be the page's host or a domain above it", Value: domain,
		}},
	}
}
