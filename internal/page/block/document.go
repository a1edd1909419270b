package block

import (
	"net/http"
	"net/url"
	"path"
	"strings"

	"github.com/chromedp/cdproto/fetch"
	"github.com/chromedp/cdproto/network"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/page/address"
)

// documentRule serves the document of the option html at its address: what the main frame asks for first, and again if it is
// loaded anew. Its own origin has no other document; that of the option base_url has those that are there. What else a page
// asks of its own origin is not paused, because to pause it costs the browser as much as its address and body are long: the
// guard knows that nothing is there.
func documentRule(to address.Page, html string) rule {
	documents := &fetch.RequestPattern{URLPattern: to.Origin + "/*", ResourceType: network.ResourceTypeDocument}
	if to.Origin != address.HTMLOrigin {
		documents.URLPattern = "*" // however the browser writes the address
	}
	page := answer{
		status: http.StatusOK, headers: map[string]string{"Content-Type": "text/html; charset=utf-8"}, body: []byte(html),
	}
	served := "" // the address as the browser has it
	return rule{patterns: []*fetch.RequestPattern{documents}, judge: func(a asked) verdict {
		if served == "" && a.main {
			served = withoutFragment(a.url)
		}
		u, err := url.Parse(a.url)
		switch {
		case a.main && withoutFragment(a.url) == served, a.origin == address.HTMLOrigin && err == nil && u.Path == "/":
			return verdict{answer: &page}
		case a.origin == address.HTMLOrigin:
			return verdict{answer: &answer{status: http.StatusNotFound}}
		default:
			return verdict{}
		}
	}}
}

func withoutFragment(address string) string {
	before, _, _ := strings.Cut(address, "#")
	return before
}

// assetsRule serves files from beside the document, but never in its place. A query of the address makes no difference, as with
// a server of files.
func assetsRule(to address.Page, assets []savepage.Asset) rule {
	files := map[string]savepage.Asset{}
	var patterns []*fetch.RequestPattern
	base, err := url.Parse(to.URL)
	if err != nil {
		base = &url.URL{Path: "/"}
	}
	for _, asset := range assets {
		at := base.ResolveReference(&url.URL{Path: asset.Name})
		files[at.Path] = asset
		patterns = append(patterns, &fetch.RequestPattern{URLPattern: to.Origin + literal(at.EscapedPath()) + "*"})
	}
	return rule{patterns: patterns, judge: func(a asked) verdict {
		u, err := url.Parse(a.url)
		if err != nil || a.origin != to.Origin || a.main {
			return verdict{}
		}
		asset, there := files[u.Path]
		if !there {
			return verdict{}
		}
		return verdict{answer: &answer{status: http.StatusOK, headers: map[string]string{
			"Content-Type": mediaType(asset), "X-Content-Type-Options": "nosniff", "Access-Control-Allow-Origin": "*",
		}, body: asset.Data}}
	}}
}

// literal escapes what a pattern of the protocol takes for wildcards.
func literal(text string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`).Replace(text)
}

// mediaTypes are the types of files by their extensions: the same on every machine, which mime.TypeByExtension is not.
func mediaTypes() map[string]string {
	return map[string]string{
		".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".mjs": "text/javascript; charset=utf-8",
		".html": "text/html; charset=utf-8", ".htm": "text/html; charset=utf-8", ".txt": "text/plain; charset=utf-8",
		".json": "application/json", ".xml": "application/xml", ".svg": "image/svg+xml", ".png": "image/png", ".jpg": "image/jpeg",
		".jpeg": "image/jpeg", ".gif": "image/gif", ".webp": "image/webp", ".avif": "image/avif", ".ico": "image/vnd.microsoft.icon",
		".woff": "font/woff", ".woff2": "font/woff2", ".ttf": "font/ttf", ".otf": "font/otf", ".mp4": "video/mp4", ".webm": "video/webm",
		".mp3": "audio/mpeg", ".wasm": "application/wasm",
	}
}

// mediaType is the type of a file, by its extension or else by its first bytes.
func mediaType(asset savepage.Asset) string {
	if known, is := mediaTypes()[strings.ToLower(path.Ext(asset.Name))]; is {
		return known
	}
	return http.DetectContentType(asset.Data)
}
