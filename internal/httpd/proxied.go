package httpd

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

type secureKey struct{}

// Behind takes from proxies that are trusted who the client is (X-Forwarded-For) and whether it speaks https
// (X-Forwarded-Proto). What others say in these headers is not believed.
func Behind(trusted []netip.Prefix, next http.Handler) http.Handler {
	if len(trusted) == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isTrusted(trusted, addressOf(r.RemoteAddr)) {
			next.ServeHTTP(w, r)
			return
		}
		if client := clientOf(trusted, r.Header.Values("X-Forwarded-For")); client.IsValid() {
			r.RemoteAddr = net.JoinHostPort(client.String(), "0")
		}
		secure := strings.EqualFold(lastOf(r.Header.Values("X-Forwarded-Proto")), "https")
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), secureKey{}, secure)))
	})
}

// Secure reports whether the client's connection is encrypted, to this server or to a trusted proxy before it.
func Secure(r *http.Request) bool {
	secure, _ := r.Context().Value(secureKey{}).(bool)
	return secure || r.TLS != nil
}

// clientOf is the last address that no trusted proxy has: each proxy adds the one that it was asked from at the end.
func clientOf(trusted []netip.Prefix, headers []string) netip.Addr {
	var client netip.Addr
	for _, one := range slices.Backward(strings.Split(strings.Join(headers, ","), ",")) {
		address := addressOf(strings.TrimSpace(one))
		if !address.IsValid() {
			return client
		}
		if client = address; !isTrusted(trusted, address) {
			return client
		}
	}
	return client
}

// addressOf reads an address with or without a port.
func addressOf(text string) netip.Addr {
	if host, _, err := net.SplitHostPort(text); err == nil {
		text = host
	}
	address, err := netip.ParseAddr(strings.Trim(text, "[]"))
	if err != nil {
		return netip.Addr{}
	}
	return address.Unmap().WithZone("")
}

func isTrusted(trusted []netip.Prefix, address netip.Addr) bool {
	return address.IsValid() && slices.ContainsFunc(trusted, func(p netip.Prefix) bool { return p.Contains(address) })
}

func lastOf(headers []string) string {
	all := strings.Split(strings.Join(headers, ","), ",")
	return strings.TrimSpace(all[len(all)-1])
}
