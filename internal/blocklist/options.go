package blocklist

import (
	"slices"
	"strings"
)

// typeOptions are the options that name kinds of resources.
func typeOptions() map[string]Type {
	return map[string]Type{
		"script": Script, "image": Image, "stylesheet": Stylesheet, "css": Stylesheet, "object": Object,
		"object-subrequest": Object, "xmlhttprequest": XHR, "xhr": XHR, "subdocument": Frame, "frame": Frame, "ping": Ping,
		"beacon": Ping, "websocket": WebSocket, "media": Media, "font": Font, "other": Other, "all": allTypes,
		"document": wholePage, "doc": wholePage, "elemhide": elemHide, "ehide": elemHide, "generichide": genericHide,
		"ghide": genericHide, "specifichide": onlySite, "shide": onlySite,
		// No capture does these.
		"popup": 0, "popunder": 0, "webrtc": 0, "inline-script": 0, "inline-font": 0, "genericblock": 0,
	}
}

// setOptions reads what stands after the $. A rule that would block nothing that a capture asks for is unneeded.
func (r *rule) setOptions(options string, types map[string]Type) verdict {
	if options == "" {
		return used
	}
	var with, without Type
	named := false
	for option := range strings.SplitSeq(options, ",") {
		option = strings.TrimSpace(option)
		name, negated := strings.CutPrefix(option, "~")
		if t, is := types[name]; is {
			if negated {
				without |= t
			} else {
				with, named = with|t, true
			}
			continue
		}
		if !r.setOption(option) {
			return unsupported
		}
	}
	if named {
		r.types = with
	}
	r.types &^= without
	if r.flags&exception == 0 {
		r.types &^= pageTypes // a page is never kept from being captured
	}
	if r.types == 0 {
		return unneeded
	}
	return used
}

func (r *rule) setOption(option string) bool {
	name, value, valued := strings.Cut(option, "=")
	if valued {
		switch name {
		case "domain", "from":
			return r.setDomains(value)
		case "redirect": // what would stand in its place is left out with it
			return true
		default:
			return false
		}
	}
	switch name {
	case "third-party", "3p", "~first-party", "~1p":
		r.flags |= onlyThird
	case "~third-party", "~3p", "first-party", "1p":
		r.flags |= onlyFirst
	case "match-case":
		r.flags |= matchCase
	case "important":
		r.flags |= important
	case "badfilter":
		r.flags |= bad
	case "":
	default:
		return false
	}
	return true
}

func (r *rule) setDomains(value string) bool {
	d, is := parseDomains(value, "|")
	if is {
		r.extend().domains = d
	}
	return is
}

// parseDomains reads a list of domains, those with ~ being excepted.
func parseDomains(list, separator string) (domains, bool) {
	var d domains
	for name := range strings.SplitSeq(list, separator) {
		name = strings.ToLower(strings.TrimSpace(name))
		out := strings.HasPrefix(name, "~")
		name = strings.TrimPrefix(name, "~")
		switch {
		case name == "" || strings.ContainsAny(name, "/^[]"):
			return d, false
		case out:
			d.out = append(d.out, name)
		default:
			d.in = append(d.in, name)
		}
	}
	slices.Sort(d.in)
	slices.Sort(d.out)
	return d, true
}
