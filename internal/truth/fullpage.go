package truth

import (
	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/testsite"
)

// fullPages are pages whose whole length must be in the picture.
func fullPages() []Case {
	whole := savepage.Options{Fullpage: true}
	return []Case{
		{
			Name: "tall page", Path: "/bands?height=40000", Options: whole,
			Checks: []Check{Size(1440, 40000), Bands(0, 0, 40000)},
		},
		{
			Name: "very tall page at scale 2", Path: "/bands?height=100000", Options: savepage.Options{Fullpage: true, Scale: 2, Width: 320},
			Checks: []Check{Size(640, 200000), Bands(0, 0, 100000)}, Heavy: true,
		},
		{
			Name: "lazy pictures by the browser and by an observer", Path: "/d", Options: whole,
			Checks: []Check{Size(1440, testsite.LazyHeight), Pictures(walk()...), Once("sticky header", 1430, 0, testsite.LazyHeader, rgb(0x14323f))},
		},
		{
			Name: "pictures that load on scroll", Path: "/scroll-lazy", Options: whole,
			Checks: []Check{Size(1440, 10000), Pictures(column(20, 500, 200, 180)...)},
		},
		{
			Name: "fixed, sticky and 100vh", Path: "/layout", Options: whole,
			Checks: []Check{
				Size(1440, 12940), Once("fixed header", 700, 0, 50, testsite.HeaderColor()), Once("fixed footer", 700, 850, 50, testsite.FooterColor()),
				Once("sticky bar", 700, 900, 40, testsite.StickyColor()), Fill("100vh is 900 px", Box{0, 50, 1440, 800}, testsite.HeroColor()),
			},
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
