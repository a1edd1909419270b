// Package blocklist recognizes the requests and elements of advertisements, trackers and chat windows by filter lists in the syntax
// of Adblock Plus: EasyList, EasyPrivacy and a small list of this project. It owns the embedded lists, the matching of requests and the
// choice of what is hidden. It refuses and hides nothing itself and loads nothing from the network: data/README.md says
// where the lists come from and how they are renewed.
package blocklist

// Wanted are the lists that a capture uses.
type Wanted struct {
	Ads, Trackers, Chats bool
}

// Any reports whether some list is wanted.
func (w Wanted) Any() bool { return w != Wanted{} }

// Lists are the lists in use. They never change and are safe for concurrent use. Source has them.
type Lists struct {
	ads, trackers, chats *list
}

// Filter is some of the lists, taken together: an exception of one holds against a rule of another. It is safe for
// concurrent use.
type Filter []*list

// Filter takes the lists that are wanted.
func (l *Lists) Filter(w Wanted) Filter {
	var f Filter
	for _, one := range []struct {
		is   bool
		list *list
	}{{w.Ads, l.ads}, {w.Trackers, l.trackers}, {w.Chats, l.chats}} {
		if one.is {
			f = append(f, one.list)
		}
	}
	return f
}

// Document reads a document's URL and what the lists except on it.
func (f Filter) Document(raw string) Document {
	d := NewDocument(raw)
	a, is := Request{URL: raw, Document: d}.ready()
	if !is {
		return d
	}
	words := wordsOf(a.lower)
	for _, kind := range []Type{wholePage, elemHide, genericHide, onlySite} {
		a.types = kind
		if f.allows(&a, words) {
			d.exempt |= kind
		}
	}
	return d
}

// Decision is the lists' answer for a request.
type Decision struct {
	Blocked   bool
	List      string // "ads", "trackers" or "chats": whose rule it is
	WholeHost bool   // the rule names the host and nothing else
}

// Decide reports whether the lists block a request. A URL without a host is never blocked.
func (f Filter) Decide(r Request) Decision {
	if r.Document.exempt&wholePage != 0 {
		return Decision{}
	}
	a, is := r.ready()
	if !is {
		return Decision{}
	}
	words := wordsOf(a.lower)
	d := f.blocks(&a, words, 0)
	if d.Blocked && f.allows(&a, words) {
		return f.blocks(&a, words, important)
	}
	return d
}

func (f Filter) blocks(a *asked, words []uint32, with flags) Decision {
	for _, l := range f {
		if r := l.block.find(a, words, with); r != nil {
			return Decision{Blocked: true, List: l.name, WholeHost: r.flags&wholeHost != 0}
		}
	}
	return Decision{}
}

func (f Filter) allows(a *asked, words []uint32) bool {
	for _, l := range f {
		if l.allow.find(a, words, 0) != nil {
			return true
		}
	}
	return false
}
