package main

import "github.com/savepage/savepage/internal/guard"

// egressSettings say what pages and callbacks may reach, and how.
func egressSettings() []setting {
	return []setting{
		{
			name: "EGRESS_ALLOW", kind: "list", shown: "none",
			form: "networks with optional ports, such as 127.0.0.0/8,10.20.0.0/16:443,10.0.0.5/32:3000-3999",
			doc:  "Private and reserved addresses that pages and callbacks may reach. The server's own ports remain closed.",
			set:  func(s *Settings, text string) (err error) { s.EgressAllow, err = guard.ParseAllow(text); return err },
		},
		{
			name: "NAT64_PREFIX", kind: "list", shown: "none",
			form: "IPv6 prefixes of 32, 40, 48, 56, 64 or 96 bits, such as 64:ff9b::/96",
			doc: "Prefixes of the network's NAT64 translators (RFC 6052). An address below one of them is judged as the IPv4 " +
				"address that it stands for.",
			set: func(s *Settings, text string) (err error) { s.NAT64Prefix, err = guard.ParseNAT64(text); return err },
		},
		{
			name: "OUTBOUND_PROXY", kind: "proxy", shown: "none", secret: true,
			form: "http:// or socks5:// with host and port, such as http://proxy.internal:3128, or with user:password@ before the host",
			doc: "Proxy through which pages and callbacks reach public addresses. The server looks names up and judges the addresses as without " +
				"it, and gives them to the proxy. Addresses that EGRESS_ALLOW opens are reached directly.",
			set: func(s *Settings, text string) (err error) { s.Outbound, err = guard.ParseOutbound(text); return err },
		},
	}
}
