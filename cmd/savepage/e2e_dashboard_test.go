package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/savepage/savepage/internal/s3server"
)

// TestDashboard is a visit: signing in, a capture from the form to its picture, and every page at three widths in both colours,
// with data and with much of it. Then the server is killed while a capture is watched, and comes back.
func TestDashboard(t *testing.T) {
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusGone) }))
	defer receiver.Close()
	p := newProgram(t)
	out, err := p.command("key", "create", "--account", p.account, "--scopes", "capture,read,admin", "--json")
	var made struct{ Key string }
	if err := errors.Join(err, json.Unmarshal([]byte(out), &made)); err != nil {
		t.Fatal(err)
	}
	p.start()
	v := newVisitor(t)

	v.open(p.base + "/")
	v.sees("the way in", `document.querySelector("h1").textContent === "Sign in to SavePage"`)
	v.fine("sign in")
	v.keep("sign-in")
	v.fill("#key", "sp_wrong")
	v.press("#key")
	v.sees("what is wrong", `document.querySelector(".wrong")?.textContent.includes("not a valid key")`)
	v.forget() // the browser says that the answer was 401
	v.fill("#key", made.Key)
	v.press("#key")
	v.sees("the playground", `document.querySelector("h1")?.textContent === "Playground" && document.querySelector("#o-url")`)
	v.fine("empty playground")
	v.keep("playground-empty")
	nothingYet(p, v)
	makesKey(p, v)
	v.open(p.base + "/ui/playground")

	v.fill("#o-width", "12")
	v.fill("#o-url", "https://example.com/")
	v.sees("what is wrong with the width", `document.querySelector("#o-width-wrong").textContent.includes("from 320 to 3840")`)
	page := httptest.NewServer(http.HandlerFunc(greenPage))
	defer page.Close()
	v.open(p.base + "/ui/playground?fullpage=true")
	v.fill("#o-url", page.URL+"/")
	v.press("#o-url")
	v.sees("the picture", `document.querySelector(".shown img")?.naturalWidth === 1440`)
	v.sees("the whole form in the address", `location.search.includes("fullpage=true") && location.search.includes("capture=cap_")`)
	changesViews(v)

	putsAside(p, v)
	callsBack(p, v)
	failed := p.submit(map[string]any{
		"url": "https://long-long-long-long.invalid/" + strings.Repeat("x", 7960), "async": true, "callback_url": receiver.URL,
	})
	p.eventually("it fails and its callback is dead", func() bool {
		got := p.lookup(failed)
		return got.Status == "failed" && len(got.Deliveries) == 1 && got.Deliveries[0].State == "dead"
	})
	batch := batchOf(p, 60)
	p.eventually("the batch ends", func() bool {
		_, _, text := p.call(http.MethodGet, "/v1/batches/"+batch, nil)
		return strings.Contains(string(text), `"ended"`)
	})
	muchOf(p, v)
	everyPage(p, v, failed, batch)
	v.open(p.base + "/ui/captures/" + batchCapture(p, batch))
	v.sees("its first picture", `document.querySelector(".shown img")?.naturalWidth === 320`)
	v.press("form[action$='/again'] button")
	v.sees("a new capture with the same options", `!location.pathname.endsWith("`+batchCapture(p, batch)+`") &&
		document.querySelector(".shown img")?.naturalWidth === 320 && !document.querySelector("dl").textContent.includes("Batch")`)
	comesBack(p, v)
	refreshes(p, v)
}

// nothingYet looks at the pages while there is nothing to show.
func nothingYet(p *program, v *visitor) {
	p.t.Helper()
	for path, says := range map[string]string{
		"captures": "No captures yet", "batches": "No batches yet", "deliveries": "No callbacks yet", "inbox": "Nothing has arrived yet",
		"webhooks": "Webhooks", "keys": "Keys", "usage": "Usage", "system": "System", "system/storage": "Storage",
	} {
		for width, scheme := range map[int]string{360: "light", 1280: "dark"} {
			v.looks(width, scheme)
			v.open(p.base + "/ui/" + path)
			v.sees("nothing in "+path,
				`Array.from(document.querySelectorAll("h1, .empty h2")).some((e) => e.textContent.trim() === `+quoted(says)+`)`)
			v.fine(fmt.Sprintf("%s without data at %d, %s", path, width, scheme))
			v.keep(fmt.Sprintf("empty-%s-%d-%s", strings.ReplaceAll(path, "/", "-"), width, scheme))
		}
	}
}

// makesKey makes a key with the form, uses it, and revokes it.
func makesKey(p *program, v *visitor) {
	p.t.Helper()
	v.open(p.base + "/ui/keys")
	v.fill("#name", "backend of the shop")
	v.press("#name")
	v.sees("the key and a request with it", `document.querySelector("#made")?.textContent.startsWith("sp_") &&
		document.querySelector("#made ~ pre").textContent.includes("curl")`)
	v.fine("a new key")
	v.keep("key-new")
	var key string
	if err := v.ask(`document.querySelector("#made").textContent`, &key); err != nil {
		p.t.Fatal(err)
	}
	may := func() int {
		request, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, p.base+"/v1/captures", nil)
		if err != nil {
			p.t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+key)
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			p.t.Fatal(err)
		}
		_ = answer.Body.Close()
		return answer.StatusCode
	}
	if status := may(); status != http.StatusOK {
		p.t.Errorf("a new key is answered %d", status)
	}
	v.open(p.base + "/ui/keys")
	v.sees("its name, and the key no more", `!document.querySelector("#made") && !document.body.textContent.includes(`+quoted(key)+`) &&
		document.querySelector("table").textContent.includes("backend of the shop")`)
	if err := v.ask(`Array.from(document.querySelectorAll("tr"))
		.find((row) => row.textContent.includes("backend of the shop")).id = "ours"`, nil); err != nil {
		p.t.Fatal(err)
	}
	v.press("#ours button")
	v.sees("that it is revoked", `Array.from(document.querySelectorAll("tr")).some((row) =>
		row.textContent.includes("backend of the shop") && row.textContent.includes("revoked"))`)
	p.eventually("it is refused", func() bool { return may() == http.StatusUnauthorized })
}

// putsAside sets up a bucket of the account's own with the form, and tries it.
func putsAside(p *program, v *visitor) {
	v.t.Helper()
	ours := newShelf(v.t)
	v.open(p.base + "/ui/stores")
	v.sees("that there is none", `document.querySelector(".empty h2")?.textContent === "No store yet"`)
	v.fine("no store")
	for field, value := range map[string]string{
		"name": "archive", "endpoint": ours.server.Endpoint(), "bucket": "shots", "access_key_id": s3server.AccessKey,
	} {
		v.fill("#"+field, value)
	}
	v.press("#bucket")
	v.sees("what is missing, and what was given", `document.querySelector(".wrong")?.textContent.includes("secret_access_key is required") &&
		document.querySelector("#access_key_id").value === "`+s3server.AccessKey+`"`)
	v.forget() // the browser says that the answer was 400
	v.fill("#secret_access_key", s3server.SecretKey)
	v.press("#bucket")
	v.sees("the store", `document.querySelector("table code")?.textContent === "archive"`)
	v.press("form[action$='/archive/test'] button")
	v.sees("that it works", `document.querySelector("[aria-label=Test]")?.textContent.includes("Pictures can be put there")`)
	v.fine("a store that was tried")
}

// changesViews goes through the views of a result with the keyboard; the address names each.
func changesViews(v *visitor) {
	v.t.Helper()
	v.press(`[data-tab="code"]`)
	v.sees("the code alone", `location.search.includes("tab=code") && !document.querySelector("[data-panel=code]").hidden &&
		document.querySelector("[data-panel=picture]").hidden && document.querySelector("[aria-current=true]").textContent === "Code"`)
	v.do("Page.reload", nil, nil)
	v.sees("the code again", `document.readyState === "complete" && !document.querySelector("[data-panel=code]").hidden`)
	v.press(`[data-tab="compare"]`)
	v.sees("what may be compared", `document.querySelector("[data-panel=compare]")`)
}

// everyPage looks at all pages.
func everyPage(p *program, v *visitor, failed, batch string) {
	p.t.Helper()
	_, _, text := p.call(http.MethodGet, "/v1/deliveries", nil)
	delivery := regexp.MustCompile(`msg_\w+`).FindString(string(text))
	_, _, text = p.call(http.MethodGet, "/v1/captures?state=success&limit=1", nil)
	good := regexp.MustCompile(`cap_\w+`).FindString(string(text))
	pages := map[string]string{
		"playground": "playground?capture=" + good, "captures": "captures", "none": "captures?state=canceled", "capture": "captures/" + good,
		"compared": "playground?tab=compare&capture=" + good + "&with=" + good, "choosing": "playground?tab=compare&capture=" + good,
		"report": "playground?tab=report&capture=" + good, "timing": "playground?tab=timing&capture=" + good,
		"response": "playground?tab=response&capture=" + good, "code": "playground?tab=code", "failed playground": "playground?capture=" + failed,
		"storage": "system/storage", "found": "captures?url_contains=INVALID",
		"failed": "captures/" + failed, "batches": "batches", "batch": "batches/" + batch, "deliveries": "deliveries",
		"delivery": "deliveries/" + delivery, "inbox": "inbox", "sending": "deliveries/send?state=dead", "event": "inbox/" + arrived(p),
		"webhooks": "webhooks", "stores": "stores", "keys": "keys", "usage": "usage", "system": "system", "nowhere": "nowhere",
	}
	for name, path := range pages {
		for _, width := range []int{360, 768, 1280} {
			for _, scheme := range []string{"light", "dark"} {
				v.looks(width, scheme)
				v.open(p.base + "/ui/" + path)
				if name == "nowhere" {
					v.forget() // the browser says that the answer was 404
				}
				v.passes(fmt.Sprintf("%s at %d, %s", name, width, scheme), width)
				v.keep(fmt.Sprintf("%s-%d-%s", name, width, scheme))
			}
		}
	}
}

// comesBack kills the server while somebody watches a capture.
func comesBack(p *program, v *visitor) {
	p.t.Helper()
	hang := make(chan struct{})
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-hang:
			greenPage(w, r)
		case <-r.Context().Done():
		}
	}))
	defer page.Close()
	id := p.submit(map[string]any{"url": page.URL, "async": true})
	v.open(p.base + "/ui/captures/" + id)
	v.sees("the capture's phase", `document.querySelector("[data-step=navigate].now")`)
	p.kill()
	v.sees("that the connection is lost", `document.querySelector("[data-lost]").hidden === false`)
	v.forget()
	close(hang)
	p.start()
	v.sees("the picture by itself", `document.querySelector(".shown img")?.naturalWidth === 1440`)
	v.forget()
}

// muchOf submits 10,000 captures that share one picture, and looks at their number and through their pages.
func muchOf(p *program, v *visitor) {
	p.t.Helper()
	captures := make([]map[string]any, 1000)
	for i := range captures {
		captures[i] = map[string]any{"html": "<body style='background:#123'>much", "cache_ttl": 3600, "width": 320, "height": 240}
	}
	for range 10 {
		status, _, text := p.call(http.MethodPost, "/v1/batches", map[string]any{"captures": captures})
		if status != http.StatusAccepted {
			p.t.Fatalf("%d %s", status, text)
		}
	}
	p.eventually("all of them have ended", func() bool {
		_, _, text := p.call(http.MethodGet, "/v1/captures?limit=1&state=queued,running", nil)
		return strings.Contains(string(text), `"captures":[]`)
	})
	v.open(p.base + "/ui/captures")
	v.sees("how many there are", `/^10,0\d\d$/.test(document.querySelector(".count").textContent)`)
	v.press(".pager a:last-child")
	v.sees("the next fifty", `document.readyState === "complete" && location.search.includes("cursor=") &&
		document.querySelectorAll(".rows li").length === 50`)
	v.do("Input.dispatchKeyEvent", map[string]any{"type": "keyDown", "key": "/", "code": "Slash", "text": "/"}, nil)
	v.sees("the search with the focus", `document.activeElement === document.querySelector("#q")`)
	v.do("Input.insertText", map[string]any{"text": "LONG-long.invalid"}, nil)
	v.key("Enter", 13)
	v.sees("that it is among older ones", `document.querySelector(".empty h2")?.textContent.includes("10,000 captures that were looked at")`)
	v.press(".empty a")
	v.sees("the capture", `document.querySelector(".rows .what")?.textContent.startsWith("long-long")`)
}

// batchOf submits small captures as a batch and returns its id.
func batchOf(p *program, count int) string {
	p.t.Helper()
	var captures []map[string]any
	for n := range count {
		captures = append(captures, map[string]any{"html": fmt.Sprintf("<body style='background:#00%02x00'>%d", n, n)})
	}
	small := map[string]any{"width": 320, "height": 240}
	_, _, text := p.call(http.MethodPost, "/v1/batches", map[string]any{"captures": captures, "options": small})
	return regexp.MustCompile(`bat_\w+`).FindString(string(text))
}

// batchCapture is a capture of a batch.
func batchCapture(p *program, batch string) string {
	p.t.Helper()
	_, _, text := p.call(http.MethodGet, "/v1/captures?limit=1&batch_id="+batch, nil)
	return regexp.MustCompile(`cap_\w+`).FindString(string(text))
}

// refreshes kills the server while a page that refreshes itself is open.
func refreshes(p *program, v *visitor) {
	p.t.Helper()
	v.open(p.base + "/ui/system")
	v.sees("the state", `document.querySelector("#system")`)
	p.kill()
	v.sees("that the connection is lost", `document.querySelector("[data-lost]").hidden === false`)
	p.start()
	v.sees("that it is back", `document.querySelector("[data-lost]").hidden`)
	v.forget()
}
