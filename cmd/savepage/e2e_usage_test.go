package main

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/savepage/savepage"
)

// fillHours writes what ended in each of the last 30 days, as if much had.
func fillHours(p *program) {
	p.t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(p.data, "savepage.db"))
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	const days = `WITH RECURSIVE d(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM d WHERE i < 719) `
	now := time.Now().Unix() / 3600
	for _, statement := range []string{
		days + `INSERT OR REPLACE INTO hours (account, hour, success, shared, failed, canceled, bytes, delivered, dead)
			SELECT ?, ? - i, 1000 + i % 37 * 40, 200 + i % 11 * 20, 30 + i % 7 * 12, 3, 1000000000 + i % 37 * 30000000, 1100 + i % 5 * 40, i % 9 * 30
			FROM d`,
		days + `INSERT OR REPLACE INTO render_times (account, hour, ms, n)
			SELECT ?, ? - i, 400 + m.ms * 120 + i % 7 * 100, 100 / (m.ms + 1) FROM d, (SELECT i AS ms FROM d WHERE i < 40) AS m`,
	} {
		if _, err := db.ExecContext(p.t.Context(), statement, p.account, now); err != nil {
			p.t.Fatal(err)
		}
	}
}

// signedIn is a visitor who has signed in with a key that may everything.
func signedIn(p *program) *visitor {
	p.t.Helper()
	out, err := p.command("key", "create", "--account", p.account, "--scopes", "capture,read,admin", "--json")
	var made struct{ Key string }
	if err := errors.Join(err, json.Unmarshal([]byte(out), &made)); err != nil {
		p.t.Fatal(err)
	}
	v := newVisitor(p.t)
	v.open(p.base + "/")
	v.fill("#key", made.Key)
	v.press("#key")
	v.sees("the playground", `document.querySelector("h1")?.textContent === "Playground"`)
	return v
}

// TestUsage looks at the usage when nothing has ended, when a little has, and when very much has.
func TestUsage(t *testing.T) {
	p := newProgram(t)
	p.start()
	v := signedIn(p)
	everyUsage(p, v, "usage-none", "")
	v.sees("that nothing has ended", `document.querySelector(".empty h3").textContent === "Nothing ended in this time" &&
		!document.querySelector("canvas")`)

	page := servePage(t, greenPage)
	options := map[string]any{"url": page, "cache_ttl": 600}
	p.call(http.MethodPost, "/v1/capture", options)
	p.call(http.MethodPost, "/v1/capture", options)
	p.call(http.MethodPost, "/v1/capture", map[string]any{"url": "http://nowhere.invalid/"})
	_, _, text := p.call(http.MethodGet, "/v1/usage/history?span=7d", nil)
	var past savepage.UsageHistory
	if err := json.Unmarshal(text, &past); err != nil {
		t.Fatal(err)
	}
	if total := past.Total; total.Success != 1 || total.Shared != 1 || total.Failed != 1 || total.Bytes == 0 || total.RenderMSP95 == nil ||
		len(past.Points) != 7 {
		t.Errorf("%s", text)
	}
	everyUsage(p, v, "usage-little", "?span=7d")
	v.sees("four charts and a table", `document.querySelectorAll("figure:not([hidden]) canvas").length === 4 &&
		document.querySelectorAll("#numbers tbody tr").length === 7`)
	v.focus("figure .plot")
	v.key("End", 35)
	v.sees("the last day read out", `/success 1, shared or cached 1, failed 1$/.test(document.querySelector(".readout").textContent)`)
	v.key("ArrowLeft", 37)
	v.sees("the day before", `/success 0, shared or cached 0, failed 0$/.test(document.querySelector(".readout").textContent)`)
	if status, _, text := p.call(http.MethodGet, "/v1/usage/history?span=1y", nil); status != http.StatusBadRequest {
		t.Errorf("another span answers %d %s", status, text)
	}

	if err := p.terminate(); err != nil {
		t.Fatal(err)
	}
	fillHours(p)
	v.forget()
	p.start()
	v.open(p.base + "/ui/usage")
	for _, span := range savepage.HistorySpans() {
		everyUsage(p, v, "usage-much-"+string(span), "?span="+string(span))
		v.sees("a row for each point", fmt.Sprintf(`document.querySelectorAll("#numbers tbody tr").length === %d`, span.Points()))
	}
	inked(v)
}

// inked expects that each chart paints with the colour that a part has in the page.
func inked(v *visitor) {
	v.t.Helper()
	for _, scheme := range []string{"light", "dark"} {
		v.looks(1280, scheme)
		v.sees("charts in the colours of "+scheme, `Array.from(document.querySelectorAll("figure")).every((figure) => {
			const canvas = figure.querySelector("canvas"), swatch = figure.querySelector(".swatch");
			const want = getComputedStyle(swatch).borderTopColor.match(/\d+/g).map(Number);
			const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
			for (let i = 0; i < data.length; i += 4) if (want.every((c, k) => Math.abs(data[i + k] - c) < 3) && data[i + 3] === 255) return true;
			return false;
		})`)
	}
}

// everyUsage looks at the page at three widths in both colours.
func everyUsage(p *program, v *visitor, name, query string) {
	p.t.Helper()
	for _, scheme := range []string{"light", "dark"} {
		for _, width := range []int{360, 768, 1280} {
			v.looks(width, scheme)
			v.open(p.base + "/ui/usage" + query)
			v.fine(fmt.Sprintf("%s at %d, %s", name, width, scheme))
			v.keep(fmt.Sprintf("%s-%d-%s", name, width, scheme))
		}
	}
}
