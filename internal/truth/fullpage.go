package truth

import (
	"image/color"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/testsite"
)

// navHeight is the height of the pages' navigation bar, less a fifth of a pixel.
const navHeight = 55

// fullPages are pages whose whole length must be in the picture.
func fullPages() []Case {
	whole := savepage.Options{Fullpage: true}
	cases := []Case{
		{
			Name: "tall page", Path: "/bands?height=40000",
			Checks: []Check{Size(1440, 40000), Bands(0, 0, 40000)}, Heavy: true,
		},
		{
			Name: "very tall page at scale 2", Path: "/bands?height=60000", Options: savepage.Options{Scale: 2, Timeout: 280000},
			Checks: []Check{Size(2880, 120000), Bands(0, 0, 60000)}, Heavy: true,
		},
		{
			Name: "page of five screens that snap", Path: "/snap",
			Checks: []Check{
				Size(1440, 4500),
				Pictures(column(5, 900, 760, 620)...),
				Fill("the last screen", Box{0, 3600, 1440, 70}, testsite.BandColor(4)),
			},
		},
		{
			Name: "chapters that are drawn when they are seen", Path: "/visibility",
			Checks: []Check{Size(1440, 14040), Pictures(column(20, 700, 220, 140)...), Once("end", 700, 14000, 40, testsite.StickyColor())},
		},
		{
			Name: "zoomed page", Path: "/zoomed",
			Checks: []Check{Size(1440, 4000), Bands(0, 0, 4000)},
		},
		{
			Name: "newspaper from right to left", Path: "/rtl",
			Checks: []Check{Size(1440, 3660), Pictures(column(12, 300, 1240, 210)...), Once("sticky header", 20, 0, 60, testsite.HeaderColor())},
		},
		{
			Name: "page that scrolled itself", Path: "/autofocus#b30",
			Checks: []Check{Once("sticky header", 700, 0, 50, testsite.HeaderColor()), Bands(0, 50, 4000)},
		},
		{
			Name: "page locked behind a dialog", Path: "/locked",
			Checks: []Check{
				Size(1440, 4000), Never("band that is not dimmed", testsite.BandColor(20)), Spot("the dialog", 1000, 590, testsite.BoxColor()),
				Reaches(savepage.BackdropWholePage),
			},
		},
	}
	cases = append(cases, wide()...)
	cases = append(cases, pinned()...)
	cases = append(cases, lazy()...)
	cases = append(cases, shells()...)
	for i := range cases {
		cases[i].Options.Fullpage = true
	}
	return append(cases, Case{
		Name: "viewport of a tall page", Path: "/layout#rest", Options: whole, Checks: []Check{Size(1440, 12940)},
	})
}

// wide are pages that are wider than the window.
func wide() []Case {
	return []Case{
		{
			Name: "table wider than the window", Path: "/wide",
			Checks: []Check{Size(3000, 1600), Fill("the last cell", Box{2760, 802, 230, 36}, testsite.BoxColor())},
		},
		{
			Name: "table wider than the window from right to left", Path: "/wide?dir=rtl",
			Checks: []Check{Size(3000, 1600), Fill("the last cell", Box{10, 802, 230, 36}, testsite.BoxColor())},
		},
		{
			Name: "table wider than the window that nobody can scroll to", Path: "/wide?x=hidden",
			Checks: []Check{Size(1440, 1600), Never("last cell", testsite.BoxColor())},
		},
	}
}

// pinned are pages with parts that follow the window.
func pinned() []Case {
	return []Case{
		{
			Name: "fixed, sticky and 100vh", Path: "/layout",
			Checks: []Check{
				Size(1440, 12940), Once("fixed header", 700, 0, 50, testsite.HeaderColor()), Once("fixed footer", 700, 850, 50, testsite.FooterColor()),
				Once("sticky bar", 700, 900, 40, testsite.StickyColor()), Fill("100vh is 900 px", Box{0, 50, 1440, 800}, testsite.HeroColor()),
			},
		},
		{
			Name: "price list with sticky parts", Path: "/pinned",
			Checks: []Check{
				Once("top bar", 1430, 0, 50, testsite.HeaderColor()), Once("table head", 300, 50, 40, testsite.StickyColor()),
				Once("side bar", 120, 70, 300, testsite.FooterColor()), Once("bar at the bottom", 800, 830, 70, testsite.HeroColor()),
				Once("chat button", 1390, 820, 60, testsite.BoxColor()),
			},
		},
		{
			Name: "header that hides on the way down", Path: "/headroom",
			Checks: []Check{Once("header", 1430, 0, 120, testsite.HeaderColor())},
		},
		{
			Name: "backgrounds that stand still", Path: "/parallax",
			Checks: []Check{
				Size(1440, 9000), Pictures(stills(7)...), Fill("part moved by scrolling", Box{0, 8400, 1440, 500}, testsite.StickyColor()),
				Fill("the end", Box{0, 8900, 1440, 100}, testsite.BoxColor()),
			},
		},
		{
			Name: "every unit of a screen", Path: "/units",
			Checks: append([]Check{Size(1440, 6650), Never("layout of a tall window", color.RGBA{255, 0, 0, 255})}, screens()...),
		},
		{
			Name: "charts that draw themselves anew", Path: "/chart",
			Checks: charts(),
		},
	}
}

func stills(n int) []Seat {
	seats := make([]Seat, n)
	for i := range seats {
		seats[i] = Seat{720, i*1300 + 300, 3}
	}
	return seats
}

func screens() []Check {
	var checks []Check
	top := 0
	for i, part := range []struct {
		unit   string
		height int
	}{
		{"100%", 900}, {"100vh", 900}, {"100dvh", 900}, {"100svh", 900}, {"100lvh", 900}, {"50vmin", 450}, {"100vh - 100px", 800},
		{"innerHeight", 900},
	} {
		checks = append(checks, Once(part.unit, 700, top, part.height, testsite.BandColor(i+1)))
		top += part.height
	}
	return checks
}

func charts() []Check {
	var checks []Check
	for i := range 6 {
		top := navHeight + 20 + i*380
		checks = append(checks,
			Spot("first bar", 81, top+331, testsite.BandColor(i)),
			Spot("last bar", 1221, top+66, testsite.BandColor(i)),
			Spot("nothing above it", 1221, top+50, color.RGBA{255, 255, 255, 255}))
	}
	return checks
}

// lazy are pages that load what is seen.
func lazy() []Case {
	const end = "/feed?posts=60"
	return []Case{
		{
			Name: "lazy pictures by the browser and by an observer", Path: "/d",
			Checks: []Check{
				Size(1440, testsite.LazyHeight),
				Pictures(walk()...),
				Once("sticky header", 1430, 0, testsite.LazyHeader, rgb(0x14323f)),
			},
			Heavy: true,
		},
		{
			Name: "pictures that load on scroll", Path: "/scroll-lazy",
			Checks: []Check{Size(1440, 10000), Pictures(column(20, 500, 200, 180)...)},
		},
		{
			Name: "shop as lazysizes loads it", Path: "/shop",
			Checks: []Check{Pictures(shelf(48)...), Once("sticky header", 1430, 0, 64, testsite.HeaderColor())},
		},
		{
			Name: "shop at scale 2", Path: "/shop", Options: savepage.Options{Scale: 2},
			Checks: []Check{Pictures(shelf(48)...)}, Heavy: true,
		},
		{
			Name: "magazine with lazy backgrounds", Path: "/magazine",
			Checks: []Check{Pictures(column(16, 520, 380, navHeight+260)...)},
		},
		{
			Name: "pictures that load where the window stands", Path: "/throttled",
			Checks: []Check{Pictures(column(24, 600, 360, navHeight+180)...)},
		},
		{
			Name: "sections that appear when they are reached", Path: "/reveal",
			Checks: []Check{Size(1440, 5900), Bands(0, 900+60, 100, 250), Spot("the last section", 250, 900+9*500+210, testsite.BandColor(9))},
		},
		{
			Name: "components with a tree of their own", Path: "/elements",
			Checks: []Check{Pictures(column(12, 400, 200, navHeight+160)...)},
		},
		{
			Name: "embeds from two origins", Path: "/frames",
			Checks: frames(6),
		},
		{
			Name: "embeds on a page with a content policy", Path: "/frames?csp=1",
			Checks: frames(6),
		},
		{
			Name: "embeds that are wider than the window", Path: "/frames", Options: savepage.Options{Width: 320},
			Checks: []Check{Has("the frames of both origins", testsite.BandColor(1), testsite.BandColor(4), testsite.BandColor(5))},
		},
		{
			Name: "feed that ends after 60 posts", Path: end,
			Checks: []Check{Size(1440, 60*320+40), Spot("the last post", 470, 59*320+70, testsite.BandColor(59))}, Heavy: true,
		},
		{
			Name: "feed without an end", Path: "/feed?posts=1000000", Truncated: true, Options: savepage.Options{Width: 640},
			Checks: []Check{Spot("the 40th post", 70, 39*320+70, testsite.BandColor(39))}, Heavy: true,
		},
	}
}

// walk is where the pictures of /d stand.
func walk() []Seat {
	seats := make([]Seat, testsite.LazyPictures)
	for i := range seats {
		seats[i].X, seats[i].Y, seats[i].Seed = testsite.LazyCenter(i)
	}
	return seats
}

// column is n pictures with the seeds from 1 on below each other, with their middles at x and at step*i + first.
func column(n, step, x, first int) []Seat {
	seats := make([]Seat, n)
	for i := range seats {
		seats[i] = Seat{x, i*step + first, i + 1}
	}
	return seats
}

// shelf is where the pictures of /shop stand.
func shelf(n int) []Seat {
	seats := make([]Seat, n)
	for i := range seats {
		seats[i] = Seat{50 + i%4*340 + 161, 64 + 40 + i/4*420 + 121, i + 1}
	}
	return seats
}

func frames(n int) []Check {
	var checks []Check
	for i := range n {
		checks = append(checks, Spot("frame", 400, navHeight+i*900+750, testsite.BandColor(i)))
	}
	return checks
}

// turned are the blocks in n turned frames, and a mark of the colour that it keeps as long as the page is not told of another scale.
func turned(n int) []Check {
	checks := []Check{Size(1440, n*700), Spot("what the page is told of its scale", 20, 20, testsite.BandColor(1))}
	for i := range n {
		checks = append(checks, Spot("frame", 110, i*700+212, testsite.BandColor(i)))
	}
	return checks
}

// shells are pages that do not scroll themselves: a part of them does, or frames stand in them.
func shells() []Case {
	return []Case{
		{
			Name: "office with a part that scrolls", Path: "/shell?rows=50",
			Checks: []Check{
				Size(1440, 5060), Bands(0, 60, 5000, 1000, 1430), Pictures(column(50, 100, 300, 110)...),
				Once("header", 1430, 0, 60, testsite.HeaderColor()), Fill("the side bar reaches down", Box{0, 4000, 200, 1060}, testsite.FooterColor()),
			},
		},
		{
			Name: "office in tiles", Path: "/shell?rows=180", Options: savepage.Options{Width: 1600},
			Checks: []Check{Size(1600, 18060), Bands(0, 60, 18000, 1000, 1590)}, Heavy: true,
		},
		{
			Name: "office that fits", Path: "/shell?rows=8",
			Checks: []Check{Size(1440, 900)},
		},
		{
			Name: "body that scrolls", Path: "/body-scrolls",
			Checks: []Check{Size(1440, 4900), Bands(0, 900, 4000), Fill("100% is 900 px", Box{0, 0, 1440, 900}, testsite.HeroColor())},
		},
		{
			Name: "reference in a fixed frame", Path: "/docs",
			Checks: []Check{
				Size(1440, 56+6*700+60),
				Once("end", 1000, 56+6*700, 60, testsite.StickyColor()),
				Once("header", 1430, 0, 56, testsite.HeaderColor()),
			},
		},
		{
			Name: "five screens that snap in a box", Path: "/snap-main",
			Checks: []Check{Size(1440, 4500), Fill("the last screen", Box{0, 3600, 1440, 900}, testsite.BandColor(4))},
		},
		{
			Name: "frames that are turned, on a tall page", Path: "/turned", Checks: turned(40), Heavy: true,
		},
	}
}
