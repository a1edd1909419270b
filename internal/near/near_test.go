package near

import (
	"strings"
	"testing"
)

func TestName(t *testing.T) {
	known := []string{"concurrency", "retention", "listen", "fullpage", "wait_for_selector", "js"}
	for given, want := range map[string]string{
		"conkurency": "concurrency", "listne": "listen", "fullPage": "fullpage", "full-page": "fullpage", "waitForSelectr": "wait_for_selector",
		"retain": "", "": "", "xy": "", "jx": "js", strings.Repeat("listen", 20): "", "LISTEN": "listen",
	} {
		if got := Name(given, known); got != want {
			t.Errorf("name near %q is %q, want %q", given, got, want)
		}
	}
	if got := Name("listen", nil); got != "" {
		t.Errorf("%q of no names", got)
	}
}

func TestClosest(t *testing.T) {
	known := []string{"iPhone 15", "iPhone 15 Pro", "Pixel 7"}
	for given, want := range map[string]string{
		"iphone15pro max": "iPhone 15 Pro", "": "Pixel 7", "pixl-7": "Pixel 7", strings.Repeat("x", 500): "Pixel 7",
	} {
		if got := Closest(given, known); got != want {
			t.Errorf("closest to %q is %q, want %q", given, got, want)
		}
	}
	if got := Closest("x", nil); got != "" {
		t.Errorf("%q of no names", got)
	}
}

func TestHint(t *testing.T) {
	if got := Hint("widht", []string{"width"}); got != `; did you mean "width"?` {
		t.Errorf("%q", got)
	}
	if got := Hint("colour", []string{"width"}); got != "" {
		t.Errorf("%q", got)
	}
}

func TestDistance(t *testing.T) {
	for pair, want := range map[[2]string]int{
		{"", ""}: 0, {"", "abc"}: 3, {"abc", ""}: 3, {"kitten", "sitting"}: 3, {"width", "widht"}: 2, {"same", "same"}: 0,
	} {
		if got := distance(pair[0], pair[1]); got != want {
			t.Errorf("%q: %d, want %d", pair, got, want)
		}
	}
}
