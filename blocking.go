package savepage

import (
	"fmt"
	"strings"
)

// Resource is a kind of request that a page makes.
type Resource string

// The kinds of resources. The browser does not distinguish xhr from fetch: either blocks both. ResourceFrame is a document
// in a frame, ResourceOther everything else, such as the scripts of workers.
const (
	ResourceImage       Resource = "image"
	ResourceStylesheet  Resource = "stylesheet"
	ResourceFont        Resource = "font"
	ResourceScript      Resource = "script"
	ResourceMedia       Resource = "media"
	ResourceXHR         Resource = "xhr"
	ResourceFetch       Resource = "fetch"
	ResourceEventSource Resource = "eventsource"
	ResourceWebSocket   Resource = "websocket"
	ResourceFrame       Resource = "frame"
	ResourcePing        Resource = "ping"
	ResourceOther       Resource = "other"
)

// Resources lists the kinds that block_resources takes.
func Resources() []Resource {
	return []Resource{
		ResourceImage, ResourceStylesheet, ResourceFont, ResourceScript, ResourceMedia, ResourceXHR, ResourceFetch,
		ResourceEventSource, ResourceWebSocket, ResourceFrame, ResourcePing, ResourceOther,
	}
}

// checkBlocking refuses patterns that cannot match: a pattern covers the whole URL.
func (o Options) checkBlocking() []FieldError {
	var wrong []FieldError
	for i, pattern := range o.BlockURLs {
		if pattern != "" && !canMatchURL(pattern) {
			const message = "matches no URL; begin it with * or a scheme, such as *://example.com/*"
			wrong = append(wrong, FieldError{fmt.Sprintf("block_urls[%d]", i), message, pattern})
		}
	}
	return wrong
}

func canMatchURL(pattern string) bool {
	if strings.HasPrefix(pattern, "*") || strings.HasPrefix(pattern, "?") {
		return true
	}
	for _, scheme := range []string{"http", "ws"} {
		rest, found := strings.CutPrefix(pattern, scheme)
		if rest = strings.TrimPrefix(rest, "s"); found && strings.ContainsAny(rest[:min(len(rest), 1)], ":*?") {
			return true
		}
	}
	return false
}

// checkAuthorization refuses a value that could end a header line, and a second one in headers.
func (o Options) checkAuthorization() []FieldError {
	var wrong []FieldError
	if !isHeaderValue(o.Authorization) {
		wrong = append(wrong, FieldError{"authorization", fmt.Sprintf("must be at most %d bytes of printable ASCII", MaxHeaderValue), nil})
	}
	if o.Authorization == "" {
		return wrong
	}
	for name := range o.Headers {
		if strings.EqualFold(name, "Authorization") {
			wrong = append(wrong, FieldError{"authorization", "must not be given together with headers." + name, nil})
		}
	}
	return wrong
}
