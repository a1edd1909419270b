package blocklist

import (
	"regexp"
	"slices"
	"strings"
)

// rule is one network rule: a pattern of addresses, and for which requests it holds.
// The syntax is that of https://help.adblockplus.org/hc/en-us/articles/360062733293.
type rule struct {
	pattern string // without its anchors; in lower case unless it matches case
	types   Type
	flags   flags
	more    *more // what few rules have
}

type flags uint16

const (
	hostAnchor  flags = 1 << iota // || the beginning of the host or of a domain above it
	startAnchor                   // | the beginning of the address
	endAnchor                     // | its end
	matchCase
	important // exceptions do not hold against it
	onlyThird
	onlyFirst
	exception
	literal   // neither * nor ^ in the pattern
	wholeHost // the pattern is a host and nothing else
	bad       // takes an equal rule away
)

type more struct {
	domains domains
	expr    *regexp.Regexp // in place of the pattern
}

// domains are the sites that a rule is meant for, or is not.
type domains struct {
	in, out []string // sorted
}

// hold reports whether a rule with these domains holds for a document of these names, the longest first.
func (d domains) hold(names []string) bool {
	for _, name := range names {
		if _, is := slices.BinarySearch(d.out, name); is {
			return false
		}
		if _, is := slices.BinarySearch(d.in, name); is {
			return true
		}
	}
	return len(d.in) == 0
}

// verdict is the result of reading a line of a list.
type verdict int

const (
	used        verdict = iota
	unneeded            // means what no capture does: popups, the page's own address
	unsupported         // has a feature that is not supported
)

// parseRule reads one network rule. types are those of typeOptions.
func parseRule(line string, types map[string]Type) (rule, verdict) {
	r := rule{types: allTypes}
	text, isException := strings.CutPrefix(line, "@@")
	if isException {
		r.flags |= exception
	}
	pattern, options := cutOptions(text)
	if v := r.setOptions(options, types); v != used {
		return r, v
	}
	if inner, is := expression(pattern); is {
		expr, err := regexp.Compile("(?i)" + inner)
		if r.flags&matchCase != 0 {
			expr, err = regexp.Compile(inner)
		}
		if err != nil {
			return r, unsupported
		}
		r.extend().expr = expr
		return r, used
	}
	r.setPattern(pattern)
	return r, used
}

// cutOptions cuts a rule at the $ before its options. A $ in a regular expression or in an address is none of them.
func cutOptions(text string) (pattern, options string) {
	at := strings.LastIndexByte(text, '$')
	if at < 0 || at == len(text)-1 {
		return text, ""
	}
	if strings.HasPrefix(text, "/") && strings.HasSuffix(text, "/") && len(text) > 2 {
		return text, ""
	}
	if end := strings.LastIndex(text, "/$"); strings.HasPrefix(text, "/") && end > 0 {
		at = end + 1
	}
	// What csp= and the like allow in their values may hold a $ too; those rules are left out all the same.
	if first := strings.IndexByte(text, '$'); first < at && strings.Contains(text[first:at], "csp=") {
		at = first
	}
	return text[:at], text[at+1:]
}

// expression reports whether a pattern is a regular expression: /…/.
func expression(pattern string) (inner string, is bool) {
	if len(pattern) < 3 || pattern[0] != '/' || pattern[len(pattern)-1] != '/' {
		return "", false
	}
	return pattern[1 : len(pattern)-1], true
}

func (r *rule) extend() *more {
	if r.more == nil {
		r.more = &more{}
	}
	return r.more
}

func (r *rule) setPattern(pattern string) {
	switch {
	case strings.HasPrefix(pattern, "||"):
		pattern = pattern[2:]
		r.flags |= hostAnchor
	case strings.HasPrefix(pattern, "|"):
		pattern = pattern[1:]
		r.flags |= startAnchor
	}
	if strings.HasSuffix(pattern, "|") {
		pattern = pattern[:len(pattern)-1]
		r.flags |= endAnchor
	}
	if strings.HasPrefix(pattern, "*") {
		pattern = strings.TrimLeft(pattern, "*")
		r.flags &^= hostAnchor | startAnchor
	}
	if strings.HasSuffix(pattern, "*") {
		pattern = strings.TrimRight(pattern, "*")
		r.flags &^= endAnchor
	}
	if r.flags&matchCase == 0 {
		pattern = strings.ToLower(pattern)
	}
	if !strings.ContainsAny(pattern, "*^") {
		r.flags |= literal
	}
	if r.flags&hostAnchor != 0 && !strings.ContainsAny(strings.TrimSuffix(pattern, "^"), "*^/?:=&") {
		r.flags |= wholeHost
	}
	r.pattern = pattern
}

// same reports whether two rules are the same but for being bad.
func (r *rule) same(o *rule) bool {
	if r.pattern != o.pattern || r.types != o.types || r.flags&^bad != o.flags&^bad {
		return false
	}
	a, b := r.rest(), o.rest()
	return a.expression() == b.expression() && slices.Equal(a.domains.in, b.domains.in) && slices.Equal(a.domains.out, b.domains.out)
}

func (r *rule) rest() *more {
	if r.more == nil {
		return &more{}
	}
	return r.more
}

func (m *more) expression() string {
	if m.expr == nil {
		return ""
	}
	return m.expr.String()
}
