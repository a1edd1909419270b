// Package hostile is the catalogue of hostile pages: what a page may try against the machine that renders it, and what
// must become of it. It has the pages, the site that serves them, the canaries that they try to reach and the cases by the
// ids of the catalogue (docs/hostile.md). It renders nothing itself: its test runs every page behind the guard, where no
// canary may hear of it, and once more with everything allowed, where each must, so that a case that does nothing shows.
package hostile

import "strings"

// Expect is what must become of a case behind the guard.
type Expect string

// The verdicts. In each the canary must stay silent.
const (
	Silent  Expect = "captured, canary silent"        // SUB: the page is captured, and reaches nothing
	Refused Expect = "address_blocked, canary silent" // MAIN: the page itself leads inside, so the capture fails
)

// Control is how the case shows its teeth when everything is allowed.
type Control string

// The ways. Any other text says why the case reaches the canary in no way, which is checked too.
const (
	Reaches  Control = ""                           // through the proxy, with loopback allowed
	Datagram Control = "without Chromium's flags"   // UDP: no proxy carries it, so the flags are taken away
	Lookup   Control = "a query to the name server" // DNS: seen in a network namespace only
)

// Case is one attempt of a page.
type Case struct {
	ID      string // of the catalogue, and after a slash which variant
	Title   string
	Page    string // the file in pages/ that makes the attempt
	Expect  Expect // Silent where empty
	Control Control
}

// Want is the verdict.
func (c Case) Want() Expect {
	if c.Expect == "" {
		return Silent
	}
	return c.Expect
}

// Bites reports whether the unguarded run must see the canary reached.
func (c Case) Bites() bool {
	return c.Control == Reaches || c.Control == Datagram || c.Control == Lookup
}

// Number is the id without its variant: "D10" of "D10/4".
func (c Case) Number() string {
	number, _, _ := strings.Cut(c.ID, "/")
	return number
}

// Pages lists the pages of the cases, each once, in order.
func Pages(cases []Case) []string {
	var pages []string
	seen := map[string]bool{}
	for _, c := range cases {
		if !seen[c.Page] {
			seen[c.Page] = true
			pages = append(pages, c.Page)
		}
	}
	return pages
}

// On lists the cases of a page.
func On(page string, cases []Case) []Case {
	var found []Case
	for _, c := range cases {
		if c.Page == page {
			found = append(found, c)
		}
	}
	return found
}
