package truth

import (
	"slices"
	"strings"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/testsite"
)

// motions are pages on which scripts move something: what ends is shown at its end, what does not is named.
func motions() []Case {
	band := testsite.BandColor
	ends := []Check{
		Fill("a canvas", Box{40, 200, 200, 100}, band(301)),
		Fill("a counter", Box{280, 200, 200, 100}, band(302)),
		Fill("moved by a script, faded in by the browser", Box{520, 200, 200, 100}, band(303)),
		Fill("a drawing", Box{760, 200, 200, 100}, band(304)),
		Fill("text that is typed", Box{1000, 200, 190, 20}, band(305)),
		Fill("animations of SVG, one after the other", Box{40, 400, 200, 100}, band(306)),
		Fill("WebGL", Box{280, 400, 200, 100}, band(307)),
		Fill("a part that is scrolled", Box{760, 400, 200, 100}, band(308)),
		Fill("in a shadow tree", Box{1000, 400, 200, 100}, band(309)),
		Fill("in a frame", Box{1240, 200, 200, 100}, band(310)),
		Fill("in a frame of another origin", Box{1240, 400, 200, 100}, band(314)),
		Fill("drawn by a worker", Box{520, 400, 200, 100}, band(311)),
	}
	whole := append(slices.Clone(ends),
		Fill("a counter further down", Box{280, 1500, 200, 100}, band(312)), Fill("a canvas further down", Box{40, 1500, 200, 100}, band(313)))
	still := Moving("nothing moves any more")
	return []Case{
		{Name: "what scripts move ends", Path: "/motion-ends", Checks: append(ends, still), Same: 1},
		{
			Name: "what scripts move ends, whole page", Path: "/motion-ends",
			Options: savepage.Options{Fullpage: true}, Checks: append(whole, still),
		},
		{
			Name: "what scripts move ends, moving", Path: "/motion-ends",
			Options: savepage.Options{Fullpage: true, Animations: savepage.AnimationsAllow}, Checks: append(whole, still),
		},
		{
			Name: "what never ends is told", Path: "/motion-endless",
			Checks: []Check{
				Fill("a chart that is done", Box{520, 200, 200, 100}, band(324)),
				Fill("one that is drawn again and again", Box{760, 200, 200, 100}, band(325)),
				Moving("it is named", "canvas#sprite", "div#turning", "div#typed"),
			},
		},
		{
			Name: "a slide and its dot", Path: "/motion-slides",
			Checks: []Check{Alike("are at the same moment", Box{40, 200, 600, 120}, Box{700, 200, 600, 120}, true)},
		},
		{
			Name: "what does not end in time is told", Path: "/ticker",
			Partial: "an animation did not end in time: p#now", Checks: []Check{Moving("it is named", "p#now")},
		},
	}
}

// Moving wants the report to name what moves, and nothing else.
func Moving(says string, names ...string) Check {
	return Report(says, func(r savepage.Report) string {
		got := slices.Sorted(slices.Values(r.Moving))
		return differ(strings.Join(got, " "), strings.Join(names, " "))
	})
}
