package httpd

import (
	"strings"
	"unicode"
)

const (
	maxWord   = 24  // bytes of a part of a path that is logged, where no route matched
	maxLogged = 200 // bytes of a path that is logged
)

// loggedPath is a path as the log shows it. Other services take keys in the path, so clients send them here, too: a part
// that looks like a key or a secret is left out, and where no route matched, each part that is not a plain word.
func loggedPath(path string, matched bool) string {
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
