package page_test

import (
	"image/color"
	"strings"
	"testing"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/testsite"
)

var (
	grey = color.RGBA{200, 200, 200, 255}
	none = color.RGBA{255, 255, 255, 255}
)

// acted renders the page /acts and returns the colours of its boxes by name: off, on, gone.
func acted(t *testing.T, o savepage.Options) (capture.Shot, map[string]string) {
	t.Helper()
	if o.URL == "" {
		o.URL = shared.url("/acts")
	}
	shot := render(t, o)
	img := decode(t, shot)
	states := map[string]string{}
	for i, name := range []string{"a", "b", "late", "open", "more", "far", "link", "slow", "said"} {
		switch got := img.At(100*i+50, 50); {
		case near(got, testsite.BoxColor(), 0):
			states[name] = "on"
		case near(got, grey, 0):
			states[name] = "off"
		case near(got, none, 0):
			states[name] = "gone"
		default:
			t.Errorf("%s is %v", name, got)
		}
	}
	return shot, states
}

func TestHide(t *testing.T) {
	t.Parallel()
	_, all := acted(t, savepage.Options{Delay: 300})
	for _, name := range []string{"a", "b", "late", "open"} {
		if all[name] != "off" {
			t.Fatalf("%s is %s without hide", name, all[name])
		}
	}
	_, got := acted(t, savepage.Options{Delay: 300, Hide: []string{".no-such", ".box", "#b, #open", "#late", "p::before"}})
	for name, want := range map[string]string{"a": "gone", "b": "gone", "open": "gone", "late": "gone", "more": "off", "link": "off"} {
		if got[name] != want {
			t.Errorf("%s is %s, want %s", name, got[name], want)
		}
	}
}

func TestClick(t *testing.T) {
	t.Parallel()
	shot, got := acted(t, savepage.Options{Click: []string{"#open", "#more", "#slow"}})
	if got["open"] != "on" || got["more"] != "on" || got["slow"] != "on" || shot.Report.Title != "Acts open more slow" {
		t.Errorf("%v %q", got, shot.Report.Title)
	}
	// What is further down is clicked as well, and the picture begins at the top nevertheless.
	shot, got = acted(t, savepage.Options{Click: []string{"#far"}})
	if got["open"] != "on" || got["far"] != "gone" || got["a"] != "off" || shot.Report.Title != "Acts far" {
		t.Errorf("%v %q", got, shot.Report.Title)
	}
	// A click that leads to another page is followed, and the next one is for that page.
	shot, got = acted(t, savepage.Options{Click: []string{"#link", "#next"}})
	if got["b"] != "on" || shot.Report.Title != "After next" || shot.Report.FinalURL != shared.url("/acts-after") {
		t.Errorf("%v %+v", got, shot.Report)
	}
	// With the other moments to wait for too.
	for _, moment := range []savepage.WaitUntil{savepage.WaitLoad, savepage.WaitNetworkIdle, savepage.WaitDOMContentLoaded} {
		if _, got := acted(t, savepage.Options{Click: []string{"#open"}, WaitUntil: moment}); got["open"] != "on" {
			t.Errorf("%s: %v", moment, got)
		}
	}
}

func TestNothingToClick(t *testing.T) {
	t.Parallel()
	for _, selector := range []string{"#no-such", "#slow"} {
		_, err := shared.Render(t.Context(), savepage.Options{URL: shared.url("/acts"), Click: []string{"#open", selector}, Timeout: 20_000})
		if code(err) != savepage.CodeSelectorNotFound || !strings.Contains(err.Error(), selector) {
			t.Errorf("%s: %v", selector, err)
		}
	}
}

// What is no selector is named before the page is asked for.
func TestWrongSelectorsAreNamed(t *testing.T) {
	t.Parallel()
	w := ownSite(t)
	for at, o := range map[string]savepage.Options{
		"hide[1]": {Hide: []string{".a", "div[", ":::"}}, "click[0]": {Click: []string{"#"}}, "hide[0]": {Hide: []string{"a{}b"}},
	} {
		w.site.Forget()
		o.URL = w.url("/acts")
		_, err := shared.Render(t.Context(), patient(o))
		if code(err) != savepage.CodeInvalidRequest || !strings.Contains(err.Error(), at+":") {
			t.Errorf("%s: %v", at, err)
		}
		if len(w.site.Seen("/acts")) > 0 {
			t.Errorf("%s: the page was asked for", at)
		}
	}
}

func TestCSS(t *testing.T) {
	t.Parallel()
	shot, got := acted(t, savepage.Options{
		CSS: "#b, #open, .late { background: rgb(120,40,160) } @media screen { #link { background: rgb(120,40,160) } } } " +
			"broken { #more { background: rgb(120,40,160) } ",
	})
	if got["b"] != "on" || got["open"] != "on" || got["link"] != "on" || got["said"] != "off" || shot.Report.Console.Errors != 0 {
		t.Errorf("%v %+v", got, shot.Report.Console)
	}
}

func TestJS(t *testing.T) {
	t.Parallel()
	const turn = `document.getElementById('said').className = 'on';`
	for title, script := range map[string]string{
		"secret":   turn + `document.title = ofThePage`,
		"awaited":  `await new Promise(done => setTimeout(done, 200)); ` + turn + ` document.title = 'awaited'`,
		"promised": `new Promise(done => setTimeout(done, 200)).then(() => { ` + turn + ` document.title = 'promised' })`,
		"returned": `if (ofThePage) { ` + turn + ` document.title = 'returned'; return }`,
		"later":    `function f() { ` + turn + ` document.title = 'later' } setTimeout("f", 0); setTimeout(f, 80) // a comment`,
		"added": `const s = document.createElement('script'); s.nonce = 'own'; s.textContent = "` + turn + `"; ` +
			`document.body.append(s); document.title = 'added'`,
	} {
		shot, got := acted(t, savepage.Options{JS: script})
		if got["said"] != "on" || shot.Report.Title != title || shot.Report.Partial {
			t.Errorf("%s: %v %q %q", script, got, shot.Report.Title, shot.Report.Reasons)
		}
	}
	// It runs after the clicks, and may lead the page elsewhere.
	o := savepage.Options{Click: []string{"#open"}, JS: `if (document.title === 'Acts open') location = '/acts-after'`}
	if shot, got := acted(t, o); shot.Report.Title != "After" || got["b"] != "off" {
		t.Errorf("%v %q", got, shot.Report.Title)
	}
}

// What a page does within half a second of a script or a click is waited for, however long it had been at rest before.
func TestWhatFollowsIsWaitedFor(t *testing.T) {
	t.Parallel()
	const rest = `for (const end = performance.now() + 900; performance.now() < end;);`
	const then = `setTimeout(() => { document.title = 'later' }, 300)`
	words := "<p>" + strings.Repeat("Ships come in with the tide. ", 40)
	for name, o := range map[string]savepage.Options{
		"js":           {HTML: words, JS: rest + then},
		"js of a page": {HTML: words + `<script>0</script>`, JS: rest + then},
		"click": {
			HTML:  words + `<button onclick="` + then + `">b</button>`,
			Steps: []savepage.Step{{Type: "delay", MS: 900}, click("button")},
		},
	} {
		if r := render(t, o).Report; r.Title != "later" {
			t.Errorf("%s: %q", name, r.Title)
		}
	}
}

func TestJSThatGoesWrong(t *testing.T) {
	t.Parallel()
	for want, script := range map[string]string{
		"the script of the option js failed: Error: no harbour": `document.getElementById('said').className='on'; throw new Error('no harbour')`,
		"the script of the option js failed: no boat":           `document.getElementById('said').className='on'; Promise.reject('no boat')`,
		"the script of the option js failed: TypeError: no net": `document.getElementById('said').className='on'; ` +
			`await Promise.reject(new TypeError('no net'))`,
	} {
		shot, got := acted(t, savepage.Options{JS: script})
		r := shot.Report
		if got["said"] != "on" || !r.Partial || len(r.Reasons) != 1 || r.Reasons[0] != want || r.Console.Errors != 1 {
			t.Errorf("%s: %v %q %+v", script, got, r.Reasons, r.Console)
		}
	}
	shot, _ := acted(t, savepage.Options{JS: `this is no script`})
	if r := shot.Report; !r.Partial || !strings.HasPrefix(r.Reasons[0], "the script of the option js failed: SyntaxError: ") {
		t.Errorf("%q", r.Reasons)
	}
	for _, script := range []string{`for (;;);`, `await new Promise(() => 0)`} {
		shot, got := acted(t, savepage.Options{JS: script, Timeout: 6000})
		if r := shot.Report; got["a"] != "off" || !r.Partial || r.Reasons[0] != "the script of the option js did not end" {
			t.Errorf("%s: %v %q", script, got, r.Reasons)
		}
	}
}
