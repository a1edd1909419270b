package httpd

import (
	"encoding/json"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// Hosts are the names under which a server is asked. A page in a browser on the same machine can have a name of its own
// lead to loopback (DNS rebinding) and would then read answers; its requests name that host.
type Hosts struct {
	names []string // lower case, without port
	any   bool
}

// NewHosts returns the hosts of a server that listens on an address: any when it can be reached from elsewhere and no name
// is given; else loopback addresses, localhost, the host of the address, those of the URLs and the names.
func NewHosts(listen net.Addr, urls, names []string) Hosts {
	var h Hosts
	if tcp, is := listen.(*net.TCPAddr); is {
		h.any = !tcp.IP.IsLoopback() && len(names) == 0
		h.names = append(h.names, tcp.IP.String())
	}
	for _, one := range urls {
		if u, err := url.Parse(one); err == nil && u.Hostname() != "" {
			h.names = append(h.names, strings.ToLower(u.Hostname()))
		}
	}
	for _, name := range names {
		h.names = append(h.names, strings.ToLower(name))
	}
	return h
}

// Allows reports whether a server may answer a request with this Host header.
func (h Hosts) Allows(header string) bool {
	if h.any {
		return true
	}
	host := header
	if name, _, err := net.SplitHostPort(header); err == nil {
		host = name
	}
	host = strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
	if addr, err := netip.ParseAddr(host); err == nil && addr.IsLoopback() {
		return true
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || slices.Contains(h.names, host)
}

// Wrap answers requests to other hosts with refuse, before anything else sees them.
func (h Hosts) Wrap(next http.Handler, refuse http.HandlerFunc) http.Handler {
	if h.any {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !h.Allows(r.Host) {
			refuse(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// Local serves requests that come from this machine without a proxy in between, and answers others with refuse.
func Local(next http.Handler, refuse http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !direct(r) {
			refuse(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// direct reports whether a request comes from loopback, and no proxy says that it has passed one on.
func direct(r *http.Request) bool {
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !from.Addr().Unmap().IsLoopback() {
		return false
	}
	for _, name := range []string{"Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip"} {
		if r.Header.Get(name) != "" {
			return false
		}
	}
	return true
}

// Refusal answers with one fixed problem (RFC 9457), which repeats nothing of the request.
func Refusal(status int, code, detail string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		body, err := json.Marshal(map[string]any{
			"type": "about:blank", "title": http.StatusText(status), "status": status, "detail": detail, "code": code,
			"request_id": w.Header().Get(HeaderRequestID),
		})
		if err != nil {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/problem+json")
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(status)
		_, _ = w.Write(append(body, '\n')) // the client has gone
	}
}
