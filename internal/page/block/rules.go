package block

import (
	_ "embed" // for the script
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/chromedp/cdproto/fetch"
	"github.com/chromedp/cdproto/network"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/page/address"
)

// locationRule allows the origin of each document of the page to ask for its location, before the document is asked for: its
// first script may ask.
func locationRule(allow func(origin string)) rule {
	documents := []*fetch.RequestPattern{{URLPattern: "*", ResourceType: network.ResourceTypeDocument}}
	return rule{patterns: documents, judge: func(a asked) verdict {
		if a.main && a.origin != "" {
			allow(a.origin)
		}
		return verdict{}
	}}
}

// headersRule sends headers to the page's own origin and to no other one.
func headersRule(to address.Page, headers savepage.Headers) rule {
	return rule{patterns: within(to.Origin), judge: func(a asked) verdict {
		if a.origin != to.Origin { // the pattern matched a text that only looks like the origin
			return verdict{}
		}
		return verdict{headers: headers}
	}}
}

// cookiesRule keeps cookies without a domain from other origins on the page's host: to a browser a cookie belongs to a host,
// whatever its port. The https address of a page that was named as http may have them: that is where such pages lead. The
// zero rule when there is no such cookie.
func cookiesRule(to address.Page, cookies savepage.Cookies) rule {
	own := map[string]bool{}
	for _, c := range cookies {
		if c.Domain == "" {
			own[c.Name+"="+c.Value] = true
		}
	}
	if len(own) == 0 {
		return rule{}
	}
	host := to.Host
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	secure := "https://" + host
	return rule{patterns: neighbours(to.Origin, host), judge: func(a asked) verdict {
		u, err := url.Parse(a.origin)
		if err != nil || strings.ToLower(u.Hostname()) != to.Host || a.origin == to.Origin || to.Origin == "http://"+host && a.origin == secure {
			return verdict{}
		}
		kept := slices.DeleteFunc(strings.Split(a.cookie, "; "), func(pair string) bool { return own[pair] })
		if text := strings.Join(kept, "; "); text != a.cookie {
			return verdict{headers: savepage.Headers{"Cookie": text}}
		}
		return verdict{}
	}}
}

// neighbours matches the other origins of a host, and where it cannot be helped the origin itself.
func neighbours(origin, host string) []*fetch.RequestPattern {
	patterns := []*fetch.RequestPattern{{URLPattern: "*://" + host + ":*"}}
	for _, one := range []string{"http://" + host, "https://" + host} {
		if one != origin {
			patterns = append(patterns, &fetch.RequestPattern{URLPattern: one + "/*"})
		}
	}
	return patterns
}

// within matches the addresses of an origin.
func within(origin string) []*fetch.RequestPattern {
	return []*fetch.RequestPattern{{URLPattern: origin + "/*"}}
}

// blockedURLs refuses what matches a pattern of the option block_urls.
func blockedURLs(patterns []string) rule {
	var r rule
	var all []*glob
	for _, pattern := range patterns {
		// The browser's own patterns are the same, but for the backslash.
		r.patterns = append(r.patterns, &fetch.RequestPattern{URLPattern: strings.ReplaceAll(pattern, `\`, `\\`)})
		all = append(all, newGlob(pattern))
	}
	r.judge = func(a asked) verdict {
		if slices.ContainsFunc(all, func(one *glob) bool { return one.match(a.url) }) {
			return verdict{refuse: "block_urls"}
		}
		return verdict{}
	}
	return r
}

// globExpression is a pattern as a regular expression of a browser, for the script that refuses WebSockets.
func globExpression(glob string) string {
	var b strings.Builder
	b.WriteByte('^')
	for _, c := range glob {
		switch c {
		case '*':
			b.WriteString(`[\s\S]*`)
		case '?':
			b.WriteString(`[\s\S]`)
		default:
			b.WriteString(regexp.QuoteMeta(string(c)))
		}
	}
	return b.String() + "$"
}

// kindsOf are the browser's names for what block_resources names. Sockets are no requests to it.
func kindsOf(r savepage.Resource) []network.ResourceType {
	switch r {
	case savepage.ResourceXHR, savepage.ResourceFetch:
		return []network.ResourceType{network.ResourceTypeXHR}
	case savepage.ResourceImage:
		return []network.ResourceType{network.ResourceTypeImage}
	case savepage.ResourceStylesheet:
		return []network.ResourceType{network.ResourceTypeStylesheet}
	case savepage.ResourceFont:
		return []network.ResourceType{network.ResourceTypeFont}
	case savepage.ResourceScript:
		return []network.ResourceType{network.ResourceTypeScript}
	case savepage.ResourceMedia:
		return []network.ResourceType{network.ResourceTypeMedia}
	case savepage.ResourceEventSource:
		return []network.ResourceType{network.ResourceTypeEventSource}
	case savepage.ResourceFrame:
		return []network.ResourceType{network.ResourceTypeDocument}
	case savepage.ResourcePing:
		return []network.ResourceType{network.ResourceTypePing}
	case savepage.ResourceOther:
		return []network.ResourceType{network.ResourceTypeOther, network.ResourceTypeCSPViolationReport}
	default:
		return nil
	}
}

// blockedKinds refuses the kinds of requests that the option block_resources names.
func blockedKinds(resources []savepage.Resource) rule {
	kinds := map[network.ResourceType]bool{}
	for _, one := range resources {
		for _, kind := range kindsOf(one) {
			kinds[kind] = true
		}
	}
	var r rule
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		if kind == network.ResourceTypeEventSource {
			kind = network.ResourceTypeXHR // as which it is paused: see kindOf
		}
		r.patterns = append(r.patterns, &fetch.RequestPattern{URLPattern: "*", ResourceType: kind})
	}
	r.judge = func(a asked) verdict {
		if kinds[a.kind] {
			return verdict{refuse: "block_resources"}
		}
		return verdict{}
	}
	return r
}

//go:embed sockets.js
var socketsScript string

// sockets is the script that refuses WebSockets, which cannot be paused; empty when there is no need.
func sockets(o savepage.Options) string {
	all := slices.Contains(o.BlockResources, savepage.ResourceWebSocket)
	if !all && len(o.BlockURLs) == 0 {
		return ""
	}
	expressions := make([]string, len(o.BlockURLs))
	for i, glob := range o.BlockURLs {
		expressions[i] = globExpression(glob)
	}
	list, err := json.Marshal(expressions)
	if err != nil {
		return ""
	}
	return fmt.Sprintf("(%s)(%t,%s,%q)", socketsScript, all, list, address.Nowhere)
}
