package manual

import (
	"net/url"
	"strings"
)

// server stands for the address of the service in requests, as in all guides.
const server = "http://127.0.0.1:8080"

// keyed and open say whether a request needs a key.
const keyed, open = true, false

// curlOf writes a request as people paste it. body is nil for none.
func curlOf(needsKey bool, method, address string, query url.Values, body any) string {
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	var b strings.Builder
	b.WriteString("curl")
	if method != "GET" && (method != "POST" || body == nil) {
		b.WriteString(" -X " + method)
	}
	if needsKey {
		b.WriteString(` -H "Authorization: Bearer $KEY"`)
	}
	b.WriteString(" " + quoted(server+address))
	if body != nil {
		b.WriteString(" \\\n  --json " + quoted(compact(body)))
	}
	return b.String()
}

// quoted is a text as a shell reads it.
func quoted(text string) string {
	if strings.Trim(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:=,@%+") == "" {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
