package truth

import (
	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/testsite"
)

// inLazy wants the i-th lazy picture in the middle of a clip around it.
func inLazy(i int) Check {
	_, _, seed := testsite.LazyCenter(i)
	return Fill("the lazy picture", Box{81, 61, 158, 118}, testsite.PictureColor(seed))
}

// parts are pictures of a part of a page.
func parts() []Case {
	clip := func(x, y, width, height int) *savepage.Clip {
		return &savepage.Clip{X: x, Y: y, Width: width, Height: height}
	}
	lazy := func(i int) *savepage.Clip {
		x, y, _ := testsite.LazyCenter(i)
		return clip(x-testsite.LazyWidth/2, y-testsite.LazyTall/2, testsite.LazyWidth, testsite.LazyTall)
	}
	return []Case{
		{
			Name: "clip of the viewport", Path: "/bands?height=3000", Options: savepage.Options{Clip: clip(100, 200, 400, 300)},
			Checks: []Check{Size(400, 300), Bands(2, 0, 300)},
		},
		{
			Name: "clip that is the viewport", Path: "/layout", Options: savepage.Options{Clip: clip(0, 0, 1440, 900)},
			Checks: []Check{Size(1440, 900), Once("fixed footer", 700, 850, 50, testsite.FooterColor())},
		},
		{
			Name: "clip further down at scale 2", Path: "/bands?height=9000", Options: savepage.Options{Clip: clip(0, 7000, 500, 1900), Scale: 2},
			Checks: []Check{Size(1000, 3800), Bands(70, 0, 1900)},
		},
		{
			Name: "clip in tiles", Path: "/bands?height=40000", Options: savepage.Options{Clip: clip(40, 1000, 1000, 30000)},
			Checks: []Check{Size(1000, 30000), Bands(10, 0, 30000)},
		},
		{
			Name: "clip with a lazy picture", Path: "/d", Options: savepage.Options{Clip: lazy(61)}, Checks: []Check{Size(320, 240), inLazy(61)},
		},
		{
			Name: "clip with an observed picture", Path: "/d",
			Options: savepage.Options{Clip: lazy(80)}, Checks: []Check{Size(320, 240), inLazy(80)},
		},
		{
			Name: "clip to the right of the viewport", Path: "/element", Options: savepage.Options{Clip: clip(2000, 3500, 1000, 80)},
			Checks: []Check{Size(1000, 80), Fill("the wide box", Box{0, 0, 1000, 80}, testsite.BoxColor())}, Blank: true,
		},
		{
			Name: "clip beyond the end of the page", Path: "/bands?height=2000", Options: savepage.Options{Clip: clip(1000, 1800, 2000, 2000)},
			Checks: []Check{Size(440, 200), Bands(18, 0, 200)}, Truncated: true,
		},
		{
			Name: "clip outside of the page", Path: "/bands?height=2000",
			Options: savepage.Options{Clip: clip(0, 2000, 10, 10)}, Fails: savepage.CodeInvalidRequest,
		},
		{
			Name: "clip as a thumbnail", Path: "/bands?height=4000", Options: savepage.Options{Clip: clip(0, 1000, 800, 2000), ThumbWidth: 400},
			Checks: []Check{Size(400, 1000)},
		},
		{
			Name: "clip as webp", Path: "/bands?height=4000",
			Options: savepage.Options{Clip: clip(0, 1000, 800, 2000), Format: savepage.FormatWebP, Quality: 100},
			Checks:  []Check{Size(800, 2000), Bands(10, 0, 2000)},
		},
		{
			Name: "clip too large for a webp", Path: "/bands?height=40000",
			Options: savepage.Options{Clip: clip(0, 0, 320, 20000), Format: savepage.FormatWebP}, Fails: savepage.CodeTooLarge,
		},
	}
}
