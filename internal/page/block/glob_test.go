package block

import (
	"regexp"
	"strings"
	"testing"
)

func TestGlob(t *testing.T) {
	long := strings.Repeat("a", 70)
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{"", "", true},
		{"", "a", false},
		{"*", "", true},
		{"*", "anything", true},
		{"a", "a", true},
		{"a", "ab", false},
		{"a*", "ab", true},
		{"*b", "ab", true},
		{"*b", "abc", false},
		{"a?c", "abc", true},
		{"a?c", "ac", false},
		{"?*", "", false},
		{"**", "x", true},
		{"*://ads.example.com/*", "https://ads.example.com/x.js", true},
		{"*://ads.example.com/*", "https://example.com/x.js", false},
		{"*.js", "https://example.com/x.js", true},
		{"*.js", "https://example.com/x.jsx", false},
		{`a\b`, `a\b`, true},
		{long + "*" + long, long + "x" + long, true},
		{long + "*" + long, long + "x" + long + "x", false},
		{strings.Repeat("?", 130), strings.Repeat("x", 130), true},
		{strings.Repeat("?", 130), strings.Repeat("x", 129), false},
	} {
		if got := newGlob(c.pattern).match(c.text); got != c.want {
			t.Errorf("%q matches %q: %v, want %v", c.pattern, c.text, got, c.want)
		}
	}
}

// A pattern that a search with ways back would take minutes for, on a URL of two megabytes, a hundred times.
func TestGlobTakesOneStepForEachByte(t *testing.T) {
	g := newGlob(strings.Repeat("*a", 500) + "b")
	text := strings.Repeat("a", 2<<20)
	for range 100 {
		if g.match(text) {
			t.Fatal("it matches")
		}
	}
}

// Only the beginning of a long URL is compared.
func TestGlobComparesTheBeginning(t *testing.T) {
	text := "https://example.com/" + strings.Repeat("x", maxMatched)
	if !newGlob("https://example.com/*").match(text) || newGlob("*y").match(text+"y") {
		t.Error("more or less than the beginning was compared")
	}
}

// The browser compares with the same patterns, and WebSockets are compared by globExpression in the page.
func FuzzGlob(f *testing.F) {
	for _, seed := range [][2]string{{"*://a/*", "http://a/b"}, {"a?*c", "abbc"}, {"**?", ""}, {"\\", "\\"}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, pattern, text string) {
		for i := range len(pattern + text) {
			if (pattern + text)[i] >= 0x80 {
				return // URLs are ASCII when a browser asks for them
			}
		}
		if len(pattern) > 200 || len(text) > maxMatched {
			return
		}
		want := regexp.MustCompile(globExpression(pattern)).MatchString(text)
		if got := newGlob(pattern).match(text); got != want {
			t.Errorf("%q matches %q: %v, want %v", pattern, text, got, want)
		}
	})
}
