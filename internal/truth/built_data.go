package truth

import (
	"image/color"

	"github.com/savepage/savepage"
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
		asked("React Query: steps beside a poll", "react-query", "Step", 5),
		asked("SWR: five equal questions beside a poll", "swr", "Price", 5),
		asked("Preact: five equal questions at once", "preact-steps", "Step", 5),
		asked("Socket.IO: a message by long polls", "socket", "Message", 4),
		asked("React: a page that is rendered twice", "hydrate", "Row", 4),
		{name: "Masonry and lazysizes", path: "masonry", checks: []Check{Has("24 pictures", gallery...)}, shown: moving | onPhone,
			always: onPhone},
		{
			name: "lozad and vanilla-lazyload", path: "lazy-loaders", height: headTall + 12*300,
			checks: []Check{Pictures(photographs...)}, shown: anyView,
			always: moving,
		},
		{
			name: "Leaflet: maps that move once", path: "leaflet", height: headTall + 3*partTall, shown: anyView, always: inWindow,
			checks: []Check{
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
			name: "Bootstrap: a dialog and what is behind it", path: "dialog-bootstrap", height: headTall + 6*partTall,
			shown: inWindow | moving, always: inWindow,
			checks: []Check{
				Fill("the dialog", Box{600, 60, 240, 100}, testsite.BandColor(9)),
				Fill("the dimmed page", Box{2, 500, 100, 300}, color.RGBA{127, 127, 127, 255}), Alike("dimmed to its end", Box{2, 500,
					100, 300}, Box{2, 2100, 100, 300}, true),
			},
		},
		{
			name: "Tippy: hints that stay", path: "tippy", shown: inWindow | moving, checks: []Check{
				Fill("the first", Box{320, headTall + 91, 50, 40}, key), Fill("the last", Box{320, headTall + 2*partTall + 91, 50, 40}, key),
			},
		},
		{
			name: "a browser that looks like one", path: "identity", height: headTall + 4*partTall, checks: squares(4, 0),
			shown: inWindow | moving | onPhone,
		},
	}
}

// passingStories are pages that become another one.
func passingStories() []story {
	next := []Check{Fill("the page that stays", Box{0, 100, 390, 700}, testsite.BandColor(2))}
	return []story{
		{name: "a page that is refreshed after a second", path: "refresh?by=meta", checks: next, shown: anyView, c: Case{Blank: false}},
		{name: "a page whose script leaves after a second", path: "refresh?by=script", checks: next, shown: anyView},
		{
			name: "jQuery: behind a veil for a moment", path: "preloader", height: headTall + 4*partTall, shown: anyView | onPaper,
			always: inWindow,
			checks: []Check{part(0, 0, 2), part(1, 0, 3), part(2, 0, 4), part(3, 0, 5), Never("veil", testsite.BandColor(1))},
			words:  numbered("Moment", 4),
		},
	}
}

// hangStories are pages of which something never comes.
func hangStories() []story {
	late := func(name, path string) story {
		return story{
			name: name, path: path, height: headTall + 4*partTall, checks: append(squares(4, 0), Names("(no answer)")), shown: inWindow | moving,
			c: Case{Partial: "hang", Options: savepage.Options{Timeout: 8000, OnTimeout: savepage.OnTimeoutCapture}},
		}
	}
	return []story{
		late("an imported style sheet never comes", "hang-style"),
		late("a style sheet never comes", "hang-style?by=link"),
		late("ten things never come", "hang-many"),
	}
}
