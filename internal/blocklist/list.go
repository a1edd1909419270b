package blocklist

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// list is one filter list, ready for matching. It never changes.
type list struct {
	name         string
	block, allow *index
	hide         *hiding
	stats        Stats
}

// Stats counts what became of the lines of a list.
type Stats struct {
	Rules       int // network rules in use
	Hiding      int // rules in use that hide elements
	Unneeded    int // network rules about what no capture does: popups, refusing the page itself
	Unsupported int // rules of a kind that is not done here
}

// parse reads a filter list. The error explains why the text is not one.
func parse(text string) (*list, error) {
	if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return nil, errors.New("the text is not UTF-8")
	}
	if strings.HasPrefix(strings.TrimSpace(text), "<") {
		return nil, errors.New("it is a page of HTML or XML, not a list")
	}
	l := &list{hide: newHiding()}
	types := typeOptions()
	lines := strings.Count(text, "\n") + 1
	block, allow := make([]rule, 0, lines), []rule(nil)
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '!' || line[0] == '[' && strings.HasSuffix(line, "]") {
			continue
		}
		if domains, kind, selector, is := cutHiding(line); is {
			l.note(l.hide.add(domains, kind, selector), &l.stats.Hiding)
			continue
		}
		r, v := parseRule(line, types)
		l.note(v, &l.stats.Rules)
		switch {
		case v != used:
		case r.flags&exception != 0:
			allow = append(allow, r)
		default:
			block = append(block, r)
		}
	}
	if n := l.stats.Rules + l.stats.Hiding; n == 0 || l.stats.Unsupported > n {
		return nil, fmt.Errorf("it has %d rules that are understood and %d that are not", n, l.stats.Unsupported)
	}
	l.block, l.allow = newIndex(block), newIndex(allow)
	return l, nil
}

func (l *list) note(v verdict, inUse *int) {
	switch v {
	case used:
		*inUse++
	case unneeded:
		l.stats.Unneeded++
	case unsupported:
		l.stats.Unsupported++
	}
}
