// Package note keeps what a render says of itself: what it waits for, which a timeout names, and why its picture is partial.
package note

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"
)

// Notes are those of one render. They are safe for concurrent use.
type Notes struct {
	mu       sync.Mutex
	awaiting string
	reasons  []string
}

// Await notes what is waited for from now on, as a timeout is to name it: "the load event".
func (n *Notes) Await(what string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.awaiting = what
}

// Awaiting is what was noted last.
func (n *Notes) Awaiting() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.awaiting
}

// Partial notes why the picture lacks something, each reason once.
func (n *Notes) Partial(format string, args ...any) {
	reason := fmt.Sprintf(format, args...)
	n.mu.Lock()
	defer n.mu.Unlock()
	if !slices.Contains(n.reasons, reason) {
		n.reasons = append(n.reasons, reason)
	}
}

// Reasons are the noted reasons, in their order.
func (n *Notes) Reasons() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.reasons)
}

// Clean makes a page's text fit for a report or a message: valid, printable, and at most so many characters.
func Clean(s string, maxChars int) string {
	s = strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return ' '
		}
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s[:min(len(s), 8*maxChars)], ""))
	if runes := []rune(s); len(runes) > maxChars {
		return string(runes[:maxChars]) + "…"
	}
	return strings.Clone(s) // the page's own text may be long
}

// Quoted is a text of a client or a page in quotes, fit for a message.
func Quoted(s string) string { return strconv.Quote(Clean(s, 80)) }
