package truth

import (
	"fmt"
	"image/color"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/testsite"
)

// below wants n boxes below each other, each with the colour of the band of its number.
//
//nolint:revive // where the boxes are
func below(n, left, first, step, width, height int) []Check {
	checks := make([]Check, n)
	for i := range checks {
		checks[i] = Fill(fmt.Sprintf("box %d", i), Box{left, first + i*step, width, height}, testsite.BandColor(i))
	}
	return checks
}

// revealed are pages that show their parts only when they are scrolled to.
func revealed() []Case {
	ways, panels := append(below(10, 150, 900+250, 600, 300, 130), Size(1440, 6900)), below(8, 220, 900+350, 800, 460, 180)
	timelines := below(5, 220, 900+220, 700, 360, 260)
	feed := []Check{Size(1440, 40*300), Fill("the last post", Box{400, 39*300 + 20, 600, 200}, testsite.BandColor(39))}
	list := func(n int) []Check { return below(n, 1100, 100+10, 60, 200, 40) }
	whole, moves := savepage.Options{Fullpage: true}, savepage.Options{Fullpage: true, Animations: savepage.AnimationsAllow}
	return []Case{
		{Name: "ten ways to hide what is not in view", Path: "/reveal-kinds", Options: whole, Checks: ways},
		{Name: "ten ways to hide what is not in view, moving", Path: "/reveal-kinds", Options: moves, Checks: ways},
		{
			Name: "ten ways to hide what is not in view, on a phone", Path: "/reveal-kinds",
			Options: savepage.Options{Fullpage: true, Width: 400, Height: 800},
			Checks:  below(10, 150, 900+250, 600, 100, 130),
		},
		{Name: "panels that follow the page", Path: "/scrub", Options: whole, Checks: panels},
		{Name: "panels that follow the page, moving", Path: "/scrub", Options: moves, Checks: panels},
		{Name: "animations driven by scrolling", Path: "/timelines", Options: whole, Checks: timelines},
		{Name: "animations driven by scrolling, moving", Path: "/timelines", Options: moves, Checks: timelines},
		{Name: "page moved by a script in a fixed root", Path: "/smooth?by=fixed", Options: whole, Checks: below(7, 220, 220, 700, 360, 260)},
		{
			Name: "page moved by a script in a box", Path: "/smooth", Options: whole,
			Checks: append(below(7, 220, 220, 700, 360, 260), Size(1440, 4900)),
		},
		{
			Name: "seven screens moved by a script", Path: "/smooth?by=screens", Options: whole,
			Checks: append(below(7, 220, 220, 900, 360, 260), Size(1440, 6300)),
		},
		{Name: "feed that waits for scrolling to end", Path: "/feed-late", Options: whole, Checks: feed},
		{
			Name: "list of which only the rows in the window are there", Path: "/window-list", Options: whole, Checks: list(120),
		},
		{
			Name: "the same, with rows that follow one another", Path: "/window-list?by=flow", Options: whole, Checks: list(120),
		},
	}
}

// unfolded are pages with several parts that scroll.
func unfolded() []Case {
	whole, end := savepage.Options{Fullpage: true}, Once("end", 700, 1900, 100, testsite.BoxColor())
	mail := []Check{Size(1440, 3060), Bands(0, 60, 3000, 210, 590), Bands(100, 110, 2200, 700, 1400)}
	return []Case{
		{Name: "mail with two columns that scroll", Path: "/panes", Options: whole, Checks: mail},
		{Name: "mail with two columns of their own height", Path: "/panes?own=1&align=start", Options: whole, Checks: mail},
		{
			Name: "board in a page that scrolls in a box", Path: "/nested", Options: whole,
			Checks: []Check{Size(1440, 2000), Bands(0, 400, 1200, 100, 600), Bands(100, 400, 1500, 800, 1400), end},
		},
		{
			Name: "frameset", Path: "/frameset", Options: whole,
			Checks: []Check{Size(1440, 3000), Bands(0, 0, 1500, 20, 400), Bands(0, 0, 3000, 500, 1400)},
		},
	}
}

// Reaches wants the report to say how far a fixed background or the shade of a dialog reaches.
func Reaches(to savepage.Backdrop) Check {
	return Report("backdrop "+string(to), func(r savepage.Report) string { return differ(r.Backdrop, to) })
}

// backdrops are pages with something that fills the window and stands still.
func backdrops() []Case {
	whole, dim := savepage.Options{Fullpage: true}, color.RGBA{127, 127, 127, 255}
	cases := []Case{
		{
			Name: "coloured layer", Path: "/backdrops?by=layer",
			Checks: []Check{Fill("all of it", Box{0, 0, 300, 2500}, testsite.StickyColor()), Bands(0, 0, 2500, 720)},
		},
		{
			Name: "generated layer", Path: "/backdrops?by=pseudo",
			Checks: []Check{Fill("all of it", Box{0, 0, 300, 2500}, testsite.StickyColor()), Bands(0, 0, 2500, 720)},
		},
		{
			Name: "picture", Path: "/backdrops?by=picture",
			Checks: []Check{
				Alike("the second window", Box{0, 0, 300, 900}, Box{0, 900, 300, 900}, true),
				Alike("the third window", Box{0, 0, 300, 700}, Box{0, 1800, 300, 700}, true), Bands(0, 0, 2500, 720),
			},
		},
		{
			Name: "shade of a dialog", Path: "/backdrops?by=shade",
			Checks: []Check{Fill("all of it", Box{0, 0, 300, 2500}, dim), Once("dialog", 720, 350, 200, testsite.BoxColor())},
		},
		{
			Name: "shade of the browser's own dialog", Path: "/backdrops?by=dialog",
			Checks: []Check{Fill("all of it", Box{0, 0, 300, 2500}, dim), Once("dialog", 720, 350, 200, testsite.BoxColor())},
		},
		{
			Name: "wall over everything", Path: "/backdrops?by=wall",
			Checks: []Check{Bands(9, 900, 1600, 720), Spot("the wall", 100, 890, testsite.HeroColor())},
		},
	}
	for i := range cases {
		reach := savepage.BackdropWholePage
		if cases[i].Path == "/backdrops?by=wall" {
			reach = savepage.BackdropFirstWindow
		}
		cases[i].Name, cases[i].Options = "backdrop: "+cases[i].Name, whole
		cases[i].Checks = append(cases[i].Checks, Size(1440, 2500), Reaches(reach))
	}
	return cases
}
