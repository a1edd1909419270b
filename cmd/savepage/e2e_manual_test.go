package main

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// TestManual is a visit to the manual without a key: every page at three widths in both colours, a search with the form, and one
// that is answered while it is typed.
func TestManual(t *testing.T) {
	p := newProgram(t)
	p.start()
	v := newVisitor(t)
	v.open(p.base + "/docs")
	typedSearch(v)
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

// typedSearch finds places while it types, with the keyboard alone.
func typedSearch(v *visitor) {
	v.t.Helper()
	const field, list = `document.querySelector("#q")`, `document.querySelector("#places")`
	v.sees("the whole page", `document.readyState === "complete"`)
	v.do("Input.dispatchKeyEvent", map[string]any{"type": "keyDown", "key": "/", "code": "Slash", "text": "/"}, nil)
	v.sees("the search with the focus", `document.activeElement === `+field+` && `+field+`.value === ""`)
	v.do("Input.insertText", map[string]any{"text": "png ef"}, nil)
	v.sees("places", `!`+list+`.hidden && `+list+`.querySelector("a").textContent.startsWith("png_effort")`)
	v.sees("how many there are", `/^\d+ places?$/.test(document.querySelector(".seek [role=status]").textContent)`)
	v.key("ArrowDown", 40)
	v.sees("the first marked", field+`.getAttribute("aria-activedescendant") === "place-0" &&
		document.querySelector("#place-0").getAttribute("aria-selected") === "true"`)
	v.fine("places while typing")
	v.keep("manual-places")
	v.key("ArrowUp", 38)
	v.sees("none marked", `!`+field+`.hasAttribute("aria-activedescendant")`)
	v.key("ArrowUp", 38)
	v.sees("the last marked", `document.querySelector("#place-all").getAttribute("aria-selected") === "true"`)
	v.key("Escape", 27)
	v.sees("the list closed and the words kept", list+`.hidden && `+field+`.value === "png ef"`)
	v.key("ArrowDown", 40)
	v.sees("the list again, with the first marked", `!`+list+`.hidden && `+field+`.getAttribute("aria-activedescendant") === "place-0"`)
	v.key("Enter", 13)
	v.sees("the option", `location.pathname === "/docs/options" && document.querySelector("#option-png_effort:target")`)

	v.focus("#q")
	v.do("Input.insertText", map[string]any{"text": "xyzzyx"}, nil)
	v.sees("that there is nothing", list+`.textContent.includes("Nothing has all the words of “xyzzyx”")`)
	v.fine("nothing while typing")
	v.key("Enter", 13)
	v.sees("the page of the search", `location.pathname === "/docs/search" && document.querySelector("h1").textContent === "Search"`)
}

// everyWidth looks at a page as people with different windows and colours do.
func everyWidth(v *visitor, base, address string) {
	v.t.Helper()
	for _, scheme := range []string{"light", "dark"} {
		for _, width := range []int{360, 768, 1280} {
			v.looks(width, scheme)
			v.open(base + address)
			v.passes(fmt.Sprintf("%s at %d, %s", address, width, scheme), width)
			v.keep(fmt.Sprintf("manual%s-%d-%s", strings.ReplaceAll(address, "/", "-"), width, scheme))
		}
	}
}
