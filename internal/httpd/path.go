package httpd

import (
	"strings"
	"unicode"
)

const (
	maxWord   = 24  // bytes of a part of a path that is logged, where no route matched
	maxLogged = 200 // bytes of a path that is logged
)

// keyInPath is the part of a route that stands for a key.
const keyInPath = "{key}"

// loggedPath is a path as the log shows it. Other services take keys in the path, so clients send them here, too: of a route
// with a key the log has the route alone. Else a part that looks like a key or a secret is left out, and where no route
// matched, each part that is not a plain word.
func loggedPath(path, route string) string {
	if strings.Contains(route, keyInPath) {
		return route
	}
	matched := route != unmatched
	parts := strings.Split(path, "/")
	for i, part := range parts {
		if strings.HasPrefix(part, "sp_") || strings.HasPrefix(part, "whsec_") || !matched && !plainWord(part) {
			parts[i] = "…"
		}
	}
	shown := strings.Join(parts, "/")
	if len(shown) > maxLogged {
		return strings.ToValidUTF8(shown[:maxLogged], "") + "…"
	}
	return shown
}

// plainWord reports whether a text is short and has at most two digits, as words have and keys do not.
func plainWord(text string) bool {
	digits := 0
	for _, c := range text {
		if unicode.IsDigit(c) {
			digits++
		}
	}
	return len(text) <= maxWord && digits <= 2
}
