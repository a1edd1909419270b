package page_test

import (
	"image"
	"image/color"
	"strings"
	"testing"

	"github.com/savepage/savepage"
)

// What can be seen of a page without a script is said of it, although most such pages are asked less.
func TestPagesWithoutScripts(t *testing.T) {
	t.Parallel()
	const page = `<!DOCTYPE html><style>@keyframes x { from { background: #f00 } to { background: #00f } }
		div { width: 100px; height: 100px } .corner { position: fixed; top: 0; left: 0 }</style>`
	const moves = `<style>p { margin: 0; height: 100px; background: #00f; animation: x 2s infinite linear }
		@keyframes x { from { background: #f00 } to { background: #00f } }</style><p></p>`
	for name, c := range map[string]struct {
		body   string
		reason string // of a partial picture
		red    bool   // an animation without an end stands at its beginning, in the upper left corner
	}{
		"text":                      {body: "<p>Some text."},
		"a picture to come":         {body: `<img width=90 height=90 data-src="x.png">`, reason: "pictures that have not come: 1"},
		"one far below":             {body: `<div style="height:3000px"></div><img width=90 height=90 data-src="x.png">`},
		"says that it loads":        {body: "<p>Loading…", reason: "the page says that it is loading"},
		"an animation":              {body: `<div class=corner style="animation:x 2s infinite linear">`, red: true},
		"one in a tree of its own":  {body: `<div class=corner><template shadowrootmode=open>` + moves + `</template></div>`, red: true},
		"a place to write in":       {body: `<input autofocus class=corner style="width:90px;height:90px;border:0;background:#f00">`, red: true},
		"a letter that no font has": {body: "<p>\U0001E030"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			shot := render(t, savepage.Options{HTML: page + c.body})
			r := shot.Report
			if said := strings.Join(r.Reasons, "; "); r.Partial != (c.reason != "") || !strings.Contains(said, c.reason) {
				t.Errorf("partial %v: %s; want %q", r.Partial, said, c.reason)
			}
			if missing := r.Fonts.Missing > 0; missing != strings.Contains(name, "no font has") {
				t.Errorf("letters without a glyph: %v", missing)
			}
			if c.red {
				wants(t, decode(t, shot), map[image.Point]color.RGBA{{X: 30, Y: 45}: {R: 255, A: 255}})
			}
		})
	}
}
