package agent

import (
	"strings"
	"testing"
)

// The brands are those that Chrome of these versions sends.
func TestHintsAreThoseOfChrome(t *testing.T) {
	t.Parallel()
	written := func(list []Brand) string {
		var all []string
		for _, b := range list {
			all = append(all, b.Brand+" "+b.Version)
		}
		return strings.Join(all, ", ")
	}
	for version, want := range map[string]string{
		"131": "Google Chrome 131, Chromium 131, Not_A Brand 24",
		"120": "Not_A Brand 8, Chromium 120, Google Chrome 120",
		"124": "Chromium 124, Google Chrome 124, Not-A.Brand 99",
	} {
		m := Hints("Mozilla/5.0 (X11; Linux x86_64) Chrome/"+version+".0.0.0 Safari/537.36", "HeadlessChrome/"+version+".0.7.9")
		if got := written(m.Brands); got != want {
			t.Errorf("%s: %s, want %s", version, got, want)
		}
		if got := written(m.FullVersionList); !strings.Contains(got, "Google Chrome "+version+".0.7.9") {
			t.Errorf("%s: %s", version, got)
		}
	}
	for userAgent, want := range map[string]bool{
		"Mozilla/5.0 (X11; Linux x86_64) Chrome/88.0.1.2 Safari/537.36":     false,
		"Mozilla/5.0 (Windows NT 10.0) Chrome/64.0 Safari/537.36 Edge/17.1": false,
		"Mozilla/5.0 (Windows NT 10.0) Chrome/140.0.1.2 Edg/140.0.3.4":      true,
		"Mozilla/5.0 (Windows) Firefox/140.0":                               false,
		"Harbour/1.0":                                                       false,
	} {
		if got := Hints(userAgent, "Chrome/140.0.7.9") != nil; got != want {
			t.Errorf("%s: hints %v", userAgent, got)
		}
	}
}

func TestOrdinary(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"Mozilla/5.0 (X11) HeadlessChrome/156.0.8078.79 Safari/537.36": "Mozilla/5.0 (X11) Chrome/156.0.0.0 Safari/537.36",
		"Mozilla/5.0 (X11) Chrome/156.0.0.0 Safari/537.36":             "Mozilla/5.0 (X11) Chrome/156.0.0.0 Safari/537.36",
	} {
		if got := Ordinary(given); got != want {
			t.Errorf("%s: %s", given, got)
		}
	}
}
