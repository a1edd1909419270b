package page

import (
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/savepage/savepage"
)

// htmlOrigin is where the document of the option html lives. The name can not exist (RFC 6761, 6.4), and nothing is ever
// sent there: the document is put in the browser's hands instead. An own https origin keeps it from every other one.
const htmlOrigin = "https://html.savepage.invalid"

// where is the page to render.
type where struct {
	url    string
	origin string // scheme://host[:port], without a default port
	host   string // lower case, without port and brackets
}

// destination reads the address that the options name.
func destination(o savepage.Options) (where, error) {
	if o.HTML != "" {
		return where{url: htmlOrigin + "/", origin: htmlOrigin, host: strings.TrimPrefix(htmlOrigin, "https://")}, nil
	}
	u, err := url.Parse(o.URL)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" {
		return where{}, savepage.Errorf(savepage.CodeInvalidRequest, "url must be an http or https address")
	}
	return where{url: o.URL, origin: originOf(u), host: strings.ToLower(u.Hostname())}, nil
}

func originOf(u *url.URL) string {
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

// authority is the host and port that a URL is fetched from.
func authority(raw string) (host string, port uint16) {
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

// named is a URL as it may be told: without user, query and fragment, and not too long.
func named(raw string) string {
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

// cookieDomain checks that a cookie belongs to the page: to its host, or to a domain above it.
func cookieDomain(to where, index int, domain string) error {
	name := strings.ToLower(strings.TrimPrefix(domain, "."))
	if name == to.host {
		return nil
	}
	if net.ParseIP(to.host) == nil && strings.Contains(name, ".") && strings.HasSuffix(to.host, "."+name) {
		return nil
	}
	return &savepage.Error{
		Code:    savepage.CodeInvalidRequest,
		Message: fmt.Sprintf("cookies[%d].domain must be %s or a domain above it", index, to.host),
		Fields:  []savepage.FieldError{{Location: fmt.Sprintf("cookies[%d].domain", index), Message: "must be the page's host or a domain above it", Value: domain}},
	}
}
