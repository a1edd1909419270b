package api

import (
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// docLegacy describes the older API of savepage.io.
func docLegacy() *huma.Operation {
	op := operation("legacyPost", tagOlder, "The older API of savepage.io: the picture's bytes", nil)
	op.Description = "A request with key or q, on /v1 or /v1/; GET takes the same in the query. Unknown parameters are ignored, and numbers " +
		"out of range are clamped. CORS allows every origin. Errors are never 2xx."
	op.Security = []map[string][]string{}
	form := &huma.Schema{
		Type: huma.TypeObject, Properties: map[string]*huma.Schema{}, Required: []string{"key", "q"}, AdditionalProperties: true,
	}
	for _, p := range legacyTable() {
		form.Properties[p[0]] = &huma.Schema{Type: huma.TypeString, Description: p[1]}
	}
	example := map[string]string{"key": "KEY", "q": samplePage, "fullpage": "true", "format": "png"}
	op.RequestBody = &huma.RequestBody{Content: map[string]*huma.MediaType{
		"application/x-www-form-urlencoded": {Schema: form, Example: example}, "application/json": {Schema: form, Example: example},
		"text/plain": {
			Schema:  &huma.Schema{Type: huma.TypeString, Description: "The same JSON or form, as pages send it without a preflight."},
			Example: `{"key":"KEY","q":"` + samplePage + `"}`,
		},
	}}
	op.Responses["200"] = &huma.Response{Description: "The picture.", Content: pictures()}
	fault := &huma.Schema{Type: huma.TypeObject, Properties: map[string]*huma.Schema{"error": text()}}
	for status, example := range map[string]string{"4XX": badKey, "5XX": "502 - getaddrinfo ENOTFOUND nope.invalid"} {
		op.Responses[status] = &huma.Response{
			Description: "The error.", Content: map[string]*huma.MediaType{
				"application/json": {Schema: fault, Example: map[string]string{"error": example}},
			},
		}
	}
	return op
}

func legacyTable() [][2]string {
	return [][2]string{
		{"key", "API key."},
		{"q", "URL of the page to capture; http if it has no scheme."},
		{"width", "Viewport width, 320 to 3840; 1440 by default."},
		{"height", "Viewport height, 240 to 2160; 900 by default."},
		{"fullpage", "true, True or 1: capture the whole scrollable page."},
		{"thumb_width", "Scale the picture to this width, 1 to 3840."},
		{"delay", "Additional wait in seconds, up to 30."},
		{"nocookie", "true, True or 1: reject cookies in cookie banners, or hide the banners."},
		{"noads", "true, True or 1: load no advertisements and trackers."},
		{"format", strings.Join(legacyFormats(), ", ") + "; jpeg by default."},
		{"refresh", "Maximum age of a cached picture in seconds; one day by default. A negative value always takes a new picture."},
		{"maxage", "Seconds for Cache-Control."},
		{"user_agent", "User-Agent of the requests for the page."},
		{"accept_language", "Accept-Language of the requests for the page."},
		{"cookie", "Cookie header of the requests for the page."},
		{"hash", "Hex md5 of the decoded q followed by the API secret; only for accounts that have one."},
	}
}
