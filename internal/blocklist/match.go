package blocklist

import "strings"

// holds reports whether a rule holds for a request.
func (r *rule) holds(a *asked) bool {
	if r.types&a.types == 0 {
		return false
	}
	if r.flags&onlyThird != 0 && !a.third || r.flags&onlyFirst != 0 && a.third {
		return false
	}
	if r.more != nil && !r.more.domains.hold(a.fromNames) {
		return false
	}
	return r.matches(a)
}

// matches reports whether the pattern fits the address.
func (r *rule) matches(a *asked) bool {
	if r.more != nil && r.more.expr != nil {
		return r.more.expr.MatchString(a.url)
	}
	url := a.lower
	if r.flags&matchCase != 0 {
		url = a.url
	}
	switch {
	case r.flags&hostAnchor != 0:
		return r.matchHost(url, a.hostFrom, a.hostTo)
	case r.flags&startAnchor != 0:
		return r.matchAt(url, 0)
	case r.flags&(literal|endAnchor) == literal:
		return strings.Contains(url, r.pattern)
	case r.flags&literal != 0:
		return strings.HasSuffix(url, r.pattern)
	default:
		return r.matchAnywhere(url)
	}
}

// matchHost tries the beginning of the host and of each domain above it.
func (r *rule) matchHost(url string, from, to int) bool {
	for at := from; ; {
		if r.matchAt(url, at) {
			return true
		}
		dot := strings.IndexByte(url[at:to], '.')
		if dot < 0 {
			return false
		}
		at += dot + 1
	}
}

func (r *rule) matchAnywhere(url string) bool {
	first, _, _ := strings.Cut(r.pattern, "*")
	for at := 0; ; at++ {
		found, _ := find(url, at, first)
		if found < 0 {
			return false
		}
		if r.matchAt(url, found) {
			return true
		}
		at = found
	}
}

// matchAt reports whether the whole pattern fits from one offset on.
func (r *rule) matchAt(url string, at int) bool {
	part, rest, more := strings.Cut(r.pattern, "*")
	end := fit(url, at, part)
	if end < 0 {
		return false
	}
	for more {
		part, rest, more = strings.Cut(rest, "*")
		if !more && r.flags&endAnchor != 0 {
			return fitEnd(url, end, part)
		}
		if _, end = find(url, end, part); end < 0 {
			return false
		}
	}
	return r.flags&endAnchor == 0 || end == len(url)
}

// fitEnd reports whether a part without * fits the end of the address, not before an offset.
func fitEnd(url string, from int, part string) bool {
	for at := max(from, len(url)-len(part)); at <= len(url); at++ {
		if fit(url, at, part) == len(url) {
			return true
		}
	}
	return false
}

// find looks for a part without * from an offset on. It returns where it begins and ends, or -1.
func find(url string, from int, part string) (at, end int) {
	if from > len(url) {
		return -1, -1
	}
	if !strings.Contains(part, "^") {
		n := strings.Index(url[from:], part)
		if n < 0 {
			return -1, -1
		}
		return from + n, from + n + len(part)
	}
	for at := from; at <= len(url); at++ {
		if part[0] != '^' {
			n := strings.IndexByte(url[at:], part[0])
			if n < 0 {
				return -1, -1
			}
			at += n
		}
		if end := fit(url, at, part); end >= 0 {
			return at, end
		}
	}
	return -1, -1
}

// fit lays a part without * on the address at an offset and returns where it ends, or -1. A ^ stands for one character that
// separates, or for the end.
func fit(url string, at int, part string) int {
	for i := range len(part) {
		if at >= len(url) {
			if part[i:] == "^" {
				return at
			}
			return -1
		}
		if part[i] == '^' {
			if !separates(url[at]) {
				return -1
			}
		} else if part[i] != url[at] {
			return -1
		}
		at++
	}
	return at
}

// separates reports whether a character of an address ends a word of it: none of letters, digits and _ - . %
func separates(c byte) bool {
	switch {
	case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		return false
	case c == '_', c == '-', c == '.', c == '%', c >= 0x80:
		return false
	default:
		return true
	}
}
