package blocklist

import (
	"slices"
	"strings"
)

// hiding is a list's rules that hide elements.
type hiding struct {
	named  map[string][]string  // by a class or id that the elements must have, or by whom they link to: ".name", "#name", "@host"
	always []string             // for every site, and without a name
	sites  map[string][]forSite // by a name of the document's host
	except map[string][]string  // selectors that are not used, by a name of the document's host
	never  map[string]bool      // selectors that are used nowhere
}

// forSite is a rule for some sites.
type forSite struct {
	selector string
	out      []string // sites below that it is not for
}

func newHiding() *hiding {
	return &hiding{named: map[string][]string{}, sites: map[string][]forSite{}, except: map[string][]string{}, never: map[string]bool{}}
}

// cutHiding cuts a line at its ##, #@# or another of these marks. A network rule has none.
func cutHiding(line string) (domains, kind, selector string, is bool) {
	for from := 0; ; {
		at := strings.IndexByte(line[from:], '#')
		if at < 0 {
			return "", "", "", false
		}
		at += from
		for _, mark := range []string{"##", "#@#", "#?#", "#@?#", "#$#", "#@$#", "#$?#", "#%#", "#@%#"} {
			if strings.HasPrefix(line[at:], mark) && len(line) > at+len(mark) {
				return line[:at], mark, line[at+len(mark):], true
			}
		}
		from = at + 1
	}
}

func (h *hiding) add(list, kind, selector string) verdict {
	selector = strings.TrimSpace(selector)
	if strings.ContainsAny(kind, "$%") || !plain(selector) {
		return unsupported
	}
	var d domains
	if list != "" {
		var is bool
		if d, is = parseDomains(list, ","); !is {
			return unsupported
		}
	}
	if strings.Contains(kind, "@") {
		h.addException(d, selector)
		return used
	}
	if len(d.in) == 0 {
		h.addGeneric(selector)
		for _, name := range d.out {
			h.except[name] = append(h.except[name], selector)
		}
		return used
	}
	for _, name := range d.in {
		h.sites[name] = append(h.sites[name], forSite{selector, d.out})
	}
	return used
}

func (h *hiding) addException(d domains, selector string) {
	if len(d.in) == 0 {
		h.never[selector] = true
	}
	for _, name := range d.in {
		h.except[name] = append(h.except[name], selector)
	}
}

func (h *hiding) addGeneric(selector string) {
	name := nameOf(selector)
	if name == "" {
		name = linkOf(selector)
	}
	if name == "" {
		h.always = append(h.always, selector)
		return
	}
	h.named[name] = append(h.named[name], selector)
}

// plain reports whether a selector is one that browsers understand, and no procedure or script of a blocker.
func plain(selector string) bool {
	if selector == "" || strings.HasPrefix(selector, "+js(") || strings.HasPrefix(selector, "^") || strings.ContainsAny(selector, "{}") {
		return false
	}
	for _, procedure := range []string{
		":-abp-", ":has-text(", ":contains(", ":xpath(", ":upward(", ":matches-", ":min-text-length(", ":nth-ancestor(", ":remove(", ":remove-",
		":style(", ":watch-attr", ":others(", ":if(", ":if-not(", ":spath(",
	} {
		if strings.Contains(selector, procedure) {
			return false
		}
	}
	return true
}

// nameOf is a class or id without which no element can match: ".name" or "#name". It is empty when the selector has none,
// when it is a list, and when the name is written in a way that would have to be decoded.
func nameOf(selector string) string {
	text := outside(selector)
	at := strings.IndexAny(text, ".#")
	if at < 0 || strings.ContainsAny(text, `,\`) {
		return ""
	}
	end := at + 1
	for end < len(text) && named(text[end]) {
		end++
	}
	if end == at+1 {
		return ""
	}
	return text[at:end]
}

// linkOf is whom a link must lead to for the selector to match it: "@host". It is empty when that is not said.
func linkOf(selector string) string {
	if outside(selector) != "a"+strings.Repeat(" ", len(selector)-1) || strings.Count(selector, "[") != 1 {
		return ""
	}
	_, rest, is := strings.Cut(selector, `[href^="http`)
	rest = strings.TrimPrefix(rest, "s")
	rest, whole := strings.CutPrefix(rest, "://")
	end := strings.IndexAny(rest, `/"?:`)
	if !is || !whole || end < 1 || rest[end] != '/' {
		return ""
	}
	return "@" + strings.ToLower(rest[:end])
}

// named reports whether a character belongs to a name in CSS.
func named(c byte) bool {
	return c != '%' && wordly(c) || c == '-' || c == '_' || c >= 0x80
}

// outside is a selector with blanks in place of what stands in brackets, parentheses and quotes.
func outside(selector string) string {
	text, depth, quote := []byte(selector), 0, byte(0)
	for i, c := range text {
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '(' || c == '[':
			depth++
		case c == ')' || c == ']':
			depth--
		case depth == 0:
			continue
		}
		text[i] = ' '
	}
	return string(text)
}

// Hider finds the elements to hide in one document. It is for one goroutine at a time.
type Hider struct {
	lists  Filter
	except map[string]bool
	shown  bool // nothing general is hidden
	done   map[string]bool
	start  []string
}

// Hider begins with a document.
func (f Filter) Hider(d Document) *Hider {
	h := &Hider{lists: f, except: map[string]bool{}, done: map[string]bool{}, shown: d.exempt&(wholePage|elemHide|genericHide) != 0}
	if d.exempt&(wholePage|elemHide) != 0 {
		return h
	}
	known := names(d.host)
	for _, l := range f {
		for _, name := range known {
			for _, selector := range l.hide.except[name] {
				h.except[selector] = true
			}
		}
	}
	for _, l := range f {
		if !h.shown {
			h.start = h.add(h.start, l.hide.always...)
		}
		if d.exempt&onlySite == 0 {
			h.start = append(h.start, h.site(l, known)...)
		}
	}
	return h
}

func (h *Hider) site(l *list, known []string) []string {
	var all []string
	for _, name := range known {
		for _, one := range l.hide.sites[name] {
			out := func(name string) bool { return slices.Contains(one.out, name) }
			if len(one.out) == 0 || !slices.ContainsFunc(known, out) {
				all = h.add(all, one.selector)
			}
		}
	}
	return all
}

// add takes over what no exception names.
func (h *Hider) add(to []string, selectors ...string) []string {
	for _, selector := range selectors {
		never := slices.ContainsFunc(h.lists, func(l *list) bool { return l.hide.never[selector] })
		if !never && !h.except[selector] {
			to = append(to, selector)
		}
	}
	return to
}

// Start returns the CSS selectors that are hidden in any document.
func (h *Hider) Start() []string { return h.start }

// Names returns the selectors that are hidden in addition, because elements have these classes and ids, or link to these hosts: ".name",
// "#name", "@host". No name counts twice.
func (h *Hider) Names(of []string) []string {
	if h.shown {
		return nil
	}
	var all []string
	for _, name := range of {
		if h.done[name] {
			continue
		}
		h.done[name] = true
		for _, l := range h.lists {
			all = h.add(all, l.hide.named[name]...)
		}
	}
	return all
}
