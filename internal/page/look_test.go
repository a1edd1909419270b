package page_test

import (
	"encoding/json"
	"fmt"
	"testing"

	cdpage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"

	"github.com/savepage/savepage/internal/blocklist"
	"github.com/savepage/savepage/internal/cdp"
	"github.com/savepage/savepage/internal/consent"
)

// looked goes to a page, puts a document in its place if there is one, looks at it, runs an expression in it, and looks again.
// It reports whether the page was suspect and whether anything was left to hide.
func looked(t *testing.T, url, html, change string) (suspect, left bool) {
	t.Helper()
	rules, err := consent.Load(blocklist.CookieCSS(), blocklist.CookieSelectors())
	if err != nil {
		t.Fatal(err)
	}
	tab, err := shared.pool.Take(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tab.Close()
	s := tab.Session()
	gone, err := cdp.Call(t.Context(), s, cdpage.Navigate, cdpage.NavigateParams{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	var world cdpage.CreateIsolatedWorldResult
	named := map[string]any{"frameId": gone.FrameID, "worldName": "look"}
	if err := s.Execute(t.Context(), cdpage.CommandCreateIsolatedWorld, named, &world); err != nil {
		t.Fatal(err)
	}
	run := func(expression string) json.RawMessage {
		var res struct {
			Result struct {
				Value json.RawMessage `json:"value"`
			} `json:"result"`
			Exception any `json:"exceptionDetails"`
		}
		yes := true
		err := s.Execute(t.Context(), runtime.CommandEvaluate, runtime.EvaluateParams{
			Expression: expression, ContextID: world.ExecutionContextID, AwaitPromise: &yes, ReturnByValue: &yes,
		}, &res)
		if err != nil || res.Exception != nil {
			t.Fatalf("%s: %v, %v", url, err, res.Exception)
		}
		return res.Result.Value
	}
	run(`new Promise(done => document.readyState === 'complete' ? done() : addEventListener('load', done))`)
	if html != "" {
		content := map[string]any{"frameId": gone.FrameID, "html": html}
		if err := s.Execute(t.Context(), cdpage.CommandSetDocumentContent, content, nil); err != nil {
			t.Fatal(err)
		}
	}
	run(`globalThis.said = []; globalThis.` + consent.LookBinding + ` = text => said.push(JSON.parse(text).type); ` + rules.Look())
	said := run(
		fmt.Sprintf(`(async () => { %s; const left = %s; return {left, suspect: said.includes('suspect')} })()`, change, consent.Looks),
	)
	var now struct{ Left, Suspect bool }
	if err := json.Unmarshal(said, &now); err != nil {
		t.Fatal(err)
	}
	return now.Suspect, now.Left
}

// Autoconsent is sent for where there may be something that it knows, and nowhere else: it is large and slow.
func TestWhatIsSuspect(t *testing.T) {
	t.Parallel()
	over := func(style, text string) string {
		return `<div style="position:fixed;bottom:0;` + style + `">` + text + `<button>No</button></div>`
	}
	for name, c := range map[string]struct {
		html, change  string
		suspect, left bool
	}{
		"nothing":             {html: `<p>Bread and cakes</p>`},
		"words in the page":   {html: `<p>Our cookies are crisp</p><footer>Privacy</footer>`, left: true},
		"words over the page": {html: over("", "We use cookies"), suspect: true, left: true},
		"in another language": {html: over("", "Optionale ablehnen"), suspect: true, left: true},
		"words in two pieces": {html: over("", "We use <b>coo</b>kies"), suspect: true, left: true},
		"in a dialog":         {html: `<section role="dialog">We use cookies</section>`, suspect: true, left: true},
		"other words":         {html: over("", "Bread and cakes")},
		"words in scripts":    {html: over("", `Cakes<script type="text/plain">accept cookies</script>`)},
		"not shown":           {html: over("display:none", "We use cookies")},
		"shown by a style sheet": {
			html:   over("", `<p class="text">We use cookies</p>`) + `<style id="s">.text{display:none}</style>`,
			change: `document.getElementById('s').sheet.deleteRule(0)`, suspect: true, left: true,
		},
		"put over the page by a style sheet": {
			html:   `<style id="s"></style><p class="text">We use cookies</p>`,
			change: `document.getElementById('s').sheet.insertRule('.text{position:sticky}')`, suspect: true, left: true,
		},
		"comes later": {
			html: `<p>Bread</p>`, change: `document.body.insertAdjacentHTML('beforeend', '<dialog open>We use cookies</dialog>'); await 0`,
			suspect: true, left: true,
		},
		"a text that changes": {
			html: over("", `<p id="t">Bread</p>`), change: `document.getElementById('t').firstChild.data = 'We use cookies'; await 0`,
			suspect: true, left: true,
		},
		"a tool":                    {html: `<div id="didomi-host"></div>`, suspect: true, left: true},
		"a tool known by code":      {html: `<div class="klaro"></div>`, suspect: true},
		"a tool found by an XPath":  {html: `<div id="modal"><div><header>Bread</header></div></div>`, suspect: true},
		"only hidden by its name":   {html: `<div class="cc-window cc-banner">Bread</div>`, left: true},
		"a page that can't scroll":  {html: `<body class="didomi-popup-open">Bread`, left: true},
		"named by what it is about": {html: `<div class="x-cookie-banner-y">Bread</div>`, left: true},
		"comes after the last look": {
			html: `<p>Bread</p>`, change: consent.Looks + `; document.body.insertAdjacentHTML('beforeend', '<dialog open>We use cookies</dialog>');
				while (!said.includes('suspect')) await new Promise(done => setTimeout(done, 5))`, suspect: true, left: true,
		},
		"is hidden after the last look": {
			html: `<p>Bread</p>`, change: consent.Looks + `; document.body.insertAdjacentHTML('beforeend', '<div id="gdpr-banner">Bread</div>');
				while (document.getElementById('gdpr-banner').checkVisibility()) await new Promise(done => setTimeout(done, 5))`, left: true,
		},
	} {
		suspect, left := looked(t, shared.url("/blank"), c.html, c.change)
		if suspect != c.suspect || left != c.left {
			t.Errorf("%s: suspect is %v, left %v", name, suspect, left)
		}
	}
	for path, want := range map[string]bool{
		"/a": false, "/b": false, "/c": false, "/d": false, "/consent-cookiebot": true, "/consent-accept": true, "/consent-none": true,
	} {
		if suspect, left := looked(t, shared.url(path), "", ""); suspect != want || left != want {
			t.Errorf("%s: suspect is %v, left %v", path, suspect, left)
		}
	}
}
