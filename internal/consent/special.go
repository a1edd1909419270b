package consent

import (
	"encoding/json"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
)

// special is a rule for some pages.
type special struct {
	at    int
	match *regexp.Regexp
	parts []string // one is in every address that matches: hundreds of expressions take a millisecond, looking for a text does not
}

func (s special) matches(url string) bool {
	in := func(part string) bool { return strings.Contains(url, part) }
	return (len(s.parts) == 0 || slices.ContainsFunc(s.parts, in)) && s.match.MatchString(url)
}

// Meant reports whether autoconsent is to run in a document for its address alone.
func (r *Rules) Meant(url string, main bool) bool {
	among := r.pages
	if !main {
		among = r.inside
	}
	return r.framed.MatchString(url) || slices.ContainsFunc(among, func(one special) bool { return one.matches(url) })
}

// pattern reads the addresses that a rule is for; nil when it is for all, or cannot be read.
func pattern(rule json.RawMessage) *special {
	var fields []json.RawMessage
	var text string
	if json.Unmarshal(rule, &fields) != nil || len(fields) < 4 || json.Unmarshal(fields[3], &text) != nil || text == "" {
		return nil
	}
	match, err := regexp.Compile(text)
	if err != nil {
		return nil
	}
	one := &special{match: match}
	if parsed, err := syntax.Parse(text, syntax.Perl); err == nil {
		one.parts = parts(parsed)
	}
	return one
}

// parts are texts of which one is in everything that an expression matches; none when there are none.
func parts(e *syntax.Regexp) []string {
	switch {
	case e.Op == syntax.OpLiteral && e.Flags&syntax.FoldCase == 0:
		return []string{string(e.Rune)}
	case e.Op == syntax.OpCapture:
		return parts(e.Sub[0])
	case e.Op == syntax.OpConcat:
		var best []string
		for _, sub := range e.Sub {
			if of := parts(sub); shortest(of) > shortest(best) {
				best = of
			}
		}
		return best
	case e.Op == syntax.OpAlternate:
		var all []string
		for _, sub := range e.Sub {
			of := parts(sub)
			if len(of) == 0 {
				return nil
			}
			all = append(all, of...)
		}
		return all
	default:
		return nil
	}
}

// shortest is the length of the shortest text.
func shortest(of []string) int {
	if len(of) == 0 {
		return 0
	}
	return len(slices.MinFunc(of, func(a, b string) int { return len(a) - len(b) }))
}
