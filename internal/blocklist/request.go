package blocklist

import (
	"net"
	"net/url"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// Type is a set of kinds of resources, as the options of rules name them. A request has one of them.
type Type uint32

// The kinds of resources.
const (
	Script Type = 1 << iota
	Image
	Stylesheet
	Object // plug-ins
	XHR    // XMLHttpRequest and fetch
	Frame  // the document of a frame in the page
	Ping   // beacons
	WebSocket
	Media
	Font
	Other
	wholePage   // exceptions: nothing is blocked on the page
	elemHide    // exceptions: nothing is hidden on the page
	genericHide // exceptions: only what names the site is hidden
	onlySite    // exceptions: what names the site is not hidden

	allTypes  = wholePage - 1
	pageTypes = wholePage | elemHide | genericHide | onlySite
)

// Request is what a page is about to ask of the network.
type Request struct {
	URL      string // absolute: http, https, ws or wss
	Type     Type   // one
	Document Document
}

// Document is what asks: a page, or a frame in it. Make it with NewDocument.
type Document struct {
	url    string
	host   string
	site   string // the registrable domain, or the whole address
	exempt Type   // what the lists do not do in it
}

// NewDocument reads a document's URL. One that has no host is of no site: what it asks for is a third party's.
func NewDocument(raw string) Document {
	host := hostOf(raw)
	return Document{url: raw, host: host, site: siteOf(host)}
}

// hostOf is the host of a URL as rules name it: lower case, without port, brackets and last dot.
func hostOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
}

// siteOf is the part of a host that one owner has: the public suffix and one label more. An address is its own site.
func siteOf(host string) string {
	if host == "" || net.ParseIP(host) != nil {
		return host
	}
	site, err := publicsuffix.EffectiveTLDPlusOne(host)
	if err != nil {
		return host
	}
	return site
}

// asked is a request made ready for matching.
type asked struct {
	url       string // as it is
	lower     string
	host      string
	hostFrom  int // where the host stands in lower
	hostTo    int
	types     Type
	from      Document
	third     bool
	fromNames []string // the names that domain= may have for the document: its host, those above it, and its name.*
}

func (r Request) ready() (asked, bool) {
	a := asked{url: r.URL, lower: strings.ToLower(r.URL), types: r.Type, from: r.Document}
	scheme := strings.Index(a.lower, "://")
	if scheme < 0 || len(a.lower) != len(a.url) {
		return a, false
	}
	a.hostFrom = scheme + len("://")
	end := len(a.lower)
	if n := strings.IndexAny(a.lower[a.hostFrom:], "/?#"); n >= 0 {
		end = a.hostFrom + n
	}
	if at := strings.LastIndexByte(a.lower[a.hostFrom:end], '@'); at >= 0 {
		a.hostFrom += at + 1
	}
	a.hostTo = end
	if colon := strings.LastIndexByte(a.lower[a.hostFrom:end], ':'); colon >= 0 && !strings.HasSuffix(a.lower[:end], "]") {
		a.hostTo = a.hostFrom + colon
	}
	a.host = strings.Trim(strings.TrimSuffix(a.lower[a.hostFrom:a.hostTo], "."), "[]")
	a.third = r.Document.site == "" || siteOf(a.host) != r.Document.site
	a.fromNames = names(r.Document.host)
	return a, true
}

// names are those by which rules may mean a host: itself, the domains above it, and both without their public suffix.
func names(host string) []string {
	if host == "" {
		return nil
	}
	var all []string
	for name := host; ; {
		all = append(all, name)
		_, above, more := strings.Cut(name, ".")
		if !more {
			break
		}
		name = above
	}
	if net.ParseIP(host) != nil {
		return all[:1]
	}
	suffix, _ := publicsuffix.PublicSuffix(host)
	if stem, is := strings.CutSuffix(host, "."+suffix); is {
		for {
			all = append(all, stem+".*")
			_, above, more := strings.Cut(stem, ".")
			if !more {
				break
			}
			stem = above
		}
	}
	return all
}
