package main

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// TestManual is a visit to the manual without a key: every page at three widths in both colours, and a search with the form.
func TestManual(t *testing.T) {
	p := newProgram(t)
	p.start()
	v := newVisitor(t)
	v.open(p.base + "/docs")
	v.fill("#q", "wait for selector")
	v.press("#q")
	v.sees("the option first", `document.querySelector(".found a")?.textContent === "wait_for_selector"`)
	v.fine("search")
	v.keep("manual-search")
	if err := v.ask(`location.href = document.querySelector(".found a").href`, nil); err != nil {
		t.Fatal(err)
	}
	v.sees("the option", `location.pathname === "/docs/options" && document.querySelector("#option-wait_for_selector:target")`)

	_, _, front := p.call(http.MethodGet, "/docs", nil)
	seen := map[string]bool{}
	for _, link := range regexp.MustCompile(`href="(/docs[^"#?]*)"`).FindAllStringSubmatch(string(front), -1) {
		if address := link[1]; !seen[address] && !strings.Contains(address, "/static/") {
			seen[address] = true
			everyWidth(v, p.base, address)
		}
	}
	if len(seen) < 25 {
		t.Errorf("%d pages", len(seen))
	}
}

// everyWidth looks at a page as people with different windows and colours do.
func everyWidth(v *visitor, base, address string) {
	v.t.Helper()
	for _, scheme := range []string{"light", "dark"} {
		for _, width := range []int{360, 768, 1280} {
			v.looks(width, scheme)
			v.open(base + address)
			v.fine(fmt.Sprintf("%s at %d, %s", address, width, scheme))
			v.keep(fmt.Sprintf("manual%s-%d-%s", strings.ReplaceAll(address, "/", "-"), width, scheme))
		}
	}
}
