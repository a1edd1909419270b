package guard

import "net/netip"

// network is a range of addresses that is not public.
type network struct {
	prefix netip.Prefix
	name   string
}

// globalUnicast is the only part of IPv6 that is public. What lies outside (loopback, mapped and translated IPv4, unique
// local, link-local, multicast, segment routing) is refused without being listed.
func globalUnicast() netip.Prefix { return netip.MustParsePrefix("2000::/3") }

// nat64 is the well-known prefix of translated IPv4 addresses (RFC 6052).
func nat64() netip.Prefix { return netip.MustParsePrefix("64:ff9b::/96") }

// specialNetworks lists the networks that are refused unless a rule opens them.
// Sources: IANA IPv4 and IPv6 Special-Purpose Address Registries; for multicast the IANA address space registries.
func specialNetworks() []network {
	rows := []struct{ prefix, name string }{
		{"0.0.0.0/8", "this network"},
		{"10.0.0.0/8", "private use"},
		{"100.64.0.0/10", "shared address space"},
		{"127.0.0.0/8", "loopback"},
		{"169.254.0.0/16", "link-local"},
		{"172.16.0.0/12", "private use"},
		{"192.0.0.0/24", "protocol assignments"},
		{"192.0.2.0/24", "documentation"},
		{"192.31.196.0/24", "AS112"},
		{"192.52.193.0/24", "AMT"},
		{"192.88.99.0/24", "6to4 relay"},
		{"192.168.0.0/16", "private use"},
		{"192.175.48.0/24", "AS112"},
		{"198.18.0.0/15", "benchmarking"},
		{"198.51.100.0/24", "documentation"},
		{"203.0.113.0/24", "documentation"},
		{"224.0.0.0/4", "multicast"},
		{"240.0.0.0/4", "reserved"},
		{"2001::/23", "protocol assignments"},
		{"2001:db8::/32", "documentation"},
		{"2002::/16", "6to4"},
		{"2620:4f:8000::/48", "AS112"},
		{"3fff::/20", "documentation"},
	}
	networks := make([]network, len(rows))
	for i, row := range rows {
		networks[i] = network{netip.MustParsePrefix(row.prefix), row.name}
	}
	return networks
}

// metadataAddresses lists services that hand out a machine's credentials. Each provider documents its own.
func metadataAddresses() []netip.Addr {
	texts := []string{
		"169.254.169.254",    // most clouds
		"169.254.42.42",      // Scaleway
		"169.254.170.2",      // AWS ECS tasks
		"169.254.170.23",     // AWS EKS pods
		"fd00:ec2::254",      // AWS
		"fd00:ec2::23",       // AWS EKS pods
		"fd00:42::42",        // Scaleway
		"fd00:c1::a9fe:a9fe", // Oracle
		"fd20:ce::254",       // Google
		"168.63.129.16",      // Azure WireServer, a public address
		"100.100.100.200",    // Alibaba
		"192.0.0.192",        // Oracle
	}
	addrs := make([]netip.Addr, len(texts))
	for i, text := range texts {
		addrs[i] = netip.MustParseAddr(text)
	}
	return addrs
}

// unsafePort reports whether another protocol than HTTP lives at a port, one that can be made to act by an HTTP request.
// 6379 (Redis) is ours.
func unsafePort(port uint16) bool { return port == 6379 || BrowsersRefuse(port) }

// BrowsersRefuse reports whether browsers open no address with this port. Source: "port blocking" in
// https://fetch.spec.whatwg.org/, which programs that have fetch keep, too, and kRestrictedPorts in Chromium's
// net/base/port_util.cc.
func BrowsersRefuse(port uint16) bool {
	switch port {
	case 0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95,
		101, 102, 103, 104, 109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179,
		389, 427, 465, 512, 513, 514, 515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587,
		601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061,
		6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080:
		return true
	}
	return false
}
