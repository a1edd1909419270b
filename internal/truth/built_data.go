package truth

import (
	"image/color"

	"github.com/savepage/savepage/internal/testsite"
)

// dataStories are pages that ask for what they show.
func dataStories() []story {
	asked := func(name, path, word string, n int) story {
		return story{name: name, path: path, checks: rows(n, 80), words: numbered(word, n), shown: anyView | onPaper}
	}
	var photographs []Seat
	for i := range 12 {
		photographs = append(photographs, Seat{180, headTall + i*300 + 141, i + 1})
	}
	var gallery []color.RGBA
	for i := range 24 {
		gallery = append(gallery, testsite.PictureColor(i+1))
	}
	tile := testsite.PictureColor(7)
	return []story{
		asked("React: parts that wait for one another", "react-suspense", "Booking", 4),
		asked("urql: six questions in a row to one address", "urql", "Sailor", 6),
		asked("Apollo: twelve questions to one address", "apollo", "Boat", 6),
		asked("React: a page that is rendered twice", "hydrate", "Row", 4),
		{name: "Masonry and lazysizes", path: "masonry", checks: []Check{Has("24 pictures", gallery...)}, shown: moving | onPhone,
			always: onPhone},
		{
			name: "lozad and vanilla-lazyload", path: "lazy-loaders", height: headTall + 12*300,
			checks: []Check{Pictures(photographs...)}, shown: anyView,
			always: moving,
		},
		{
			name: "Leaflet: maps that move once", path: "leaflet", height: headTall + 3*partTall, shown: anyView, always: inWindow, checks: []Check{
				Fill("the path in the first map", within(0, 4, 100, 50, 80), testsite.BandColor(1)),
				Fill("the path in the last map", within(2, 4, 100, 50, 80), testsite.BandColor(1)), Has("tiles", tile),
			},
		},
	}
}

// layoutStories are pages that libraries lay out, and what lies over a page.
func layoutStories() []story {
	key := testsite.BandColor(1)
	return []story{
		{
			name: "KaTeX: formulas in their fonts", path: "katex", height: headTall + 3*partTall, shown: anyView, checks: []Check{
				Ink("the first", Box{20, headTall + 21, 1400, 120}, 0.005, 0.2), Ink("the last", Box{20, headTall + 2*partTall + 21, 1400,
					120}, 0.005, 0.2),
			},
		},
		{name: "Prism and highlight.js", path: "code", checks: []Check{Has("keywords", key)}, shown: anyView},
		{
			name: "DataTables: 25 of 60 members", path: "datatables", shown: anyView | onPaper, always: onPaper,
			words:  []string{"Member 59", "Member 35"},
			checks: []Check{Ink("the last row", Box{0, 1000, 390, 60}, 0.005, 0.4)},
		},
		{name: "FullCalendar: a month", path: "calendar", shown: anyView | onPaper, words: []string{"Market"}, checks: []Check{
			Ink("the month", Box{20, 200, 360, 500}, 0.005, 0.5),
		}},
		{
			name: "SweetAlert: a warning over the page", path: "dialog-sweet", height: headTall + 6*partTall, shown: inWindow | onPhone,
			always: inWindow,
			checks: []Check{Ink("the warning", Box{500, 250, 440, 400}, 0.01, 0.6)},
		},
		{
			name: "Tippy: hints that stay", path: "tippy", shown: inWindow | moving, checks: []Check{
				Fill("the first", Box{320, headTall + 91, 50, 40}, key), Fill("the last", Box{320, headTall + 2*partTall + 91, 50, 40}, key),
			},
		},
	}
}
