package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"

	"github.com/savepage/savepage"
)

// callsBack tries callbacks with the inbox alone, as somebody would who has no receiver: the event of a capture arrives while
// the page is open, verified; one of the playground is refused for good, and is sent again from its delivery.
func callsBack(p *program, v *visitor) {
	p.t.Helper()
	v.open(p.base + "/ui/inbox")
	v.sees("an empty inbox", `document.querySelector(".empty h2")?.textContent === "Nothing has arrived yet"`)
	v.fine("empty inbox")
	v.keep("inbox-empty")
	p.submit(map[string]any{"html": "<h1>Hello", "width": 320, "height": 240, "async": true, "callback_url": savepage.InboxURL})
	v.sees("the event by itself", `document.querySelector(".arrivals .state.ok")?.textContent === "verified" &&
		document.querySelector(".arrivals .what").textContent.includes("Capture success")`)

	answers(v, "410")
	page := httptest.NewServer(http.HandlerFunc(greenPage))
	defer page.Close()
	v.open(p.base + "/ui/playground")
	v.sees("the box of the inbox, and checks it", `location.pathname === "/ui/playground" &&
		(document.querySelector("[name=inbox]:not(:checked)")?.click(), document.querySelector("[name=inbox]:checked"))`)
	v.fill("#o-url", page.URL+"/")
	v.press("#o-url")
	v.sees("the picture", `document.querySelector(".shown img")?.naturalWidth === 1440 && location.search.includes("inbox.savepage.invalid")`)
	v.open(p.base + "/ui/inbox")
	v.sees("that it was refused", `document.querySelector(".arrivals .number").textContent === "answered 410"`)
	answers(v, "200")
	v.open(p.base + "/ui/deliveries?state=dead")
	v.sees("the dead letter", `document.querySelector(".rows .what").textContent.includes("inbox.savepage.invalid")`)
	v.press(".rows a")
	v.press(`form[action^="/ui/deliveries/msg_"] button`)
	p.eventually("it is sent again", func() bool {
		_, _, text := p.call(http.MethodGet, "/v1/inbox?limit=1", nil)
		return strings.Contains(string(text), `"attempt":2`)
	})
	v.open(p.base + "/ui/inbox")
	v.sees("that it has arrived", `document.querySelector(".arrivals .number").textContent === "attempt 2, answered 200"`)
	v.press(".arrivals a")
	v.sees("the event", `document.querySelector("dd .state.ok")?.textContent === "verified" &&
		document.querySelector(".body").textContent.includes('"status": "success"') &&
		document.querySelector(".shown img")?.naturalWidth === 1440`)
}

// answers sets how the inbox answers.
func answers(v *visitor, answer string) {
	v.t.Helper()
	if err := v.ask(fmt.Sprintf(`document.querySelector("#answer").value = %q`, answer), nil); err != nil {
		v.t.Fatal(err)
	}
	v.press(`form[action="/ui/inbox/answer"] button`)
	v.sees("the answer", fmt.Sprintf(`document.querySelector("#answer option[selected]")?.value === %q`, answer))
}

// arrived is the id of the newest event in the inbox.
func arrived(p *program) string {
	p.t.Helper()
	_, _, text := p.call(http.MethodGet, "/v1/inbox?limit=1", nil)
	return regexp.MustCompile(`evt_\w+`).FindString(string(text))
}
