package truth

import (
	"fmt"

	"github.com/savepage/savepage/internal/testsite"
)

// revealStories are pages with sections that come when they are reached.
func revealStories() []story {
	everything := anyView | onPaper
	reveal := func(name, path, word string, n int, always view) story {
		return story{
			name: name, path: path, height: headTall + n*partTall, checks: squares(n, 0), words: numbered(word, n), shown: everything,
			always: always,
		}
	}
	return []story{
		reveal("AOS: fading and sliding", "aos", "Offer", 8, onPaper|moving),
		reveal("AOS: flipping, and back again", "aos-flip", "Work", 6, onPaper),
		reveal("sal.js: again and again", "sal", "Year", 7, moving),
		reveal("motion with React: while they are in view", "motion-inview", "Reason number", 8, moving|onPaper),
		reveal("by hand: clipped, scaled, turned, hidden, of no size", "reveal-clip", "Curtain", 8, moving|onPaper),
		reveal("by hand: shown by a scroll handler", "reveal-inline", "Month", 8, onPaper),
		reveal("by hand: as far as they are reached", "reveal-scrub", "Tide", 8, inWindow),
		reveal("by hand: when scrolling has paused", "scroll-debounced", "Riser", 8, moving),
	}
}

// scrollStories are pages that libraries scroll.
func scrollStories() []story {
	scenes := func(boxes int) []Check {
		var checks []Check
		for i := range 6 {
			checks = append(checks, Fill(fmt.Sprintf("scene %d", i), Box{250, 500*i + 5, 100, 490}, testsite.BandColor(i)),
				Fill(fmt.Sprintf("what is in scene %d", i), Box{22, 500*i + 70, 190, boxes}, testsite.BandColor(50+i)))
		}
		return checks
	}
	var parts []Check
	for i := range 10 {
		parts = append(parts, Fill(fmt.Sprintf("part %d", i), Box{100, 300*i + 2, 200, 296}, testsite.BandColor(i)))
	}
	return []story{
		{
			name: "Locomotive Scroll 4: content that is moved", path: "locomotive4", height: 3000, checks: scenes(190),
			words: numbered("Scene", 6),
			shown: inWindow | moving | onPaper,
		},
		{
			name: "Locomotive Scroll 5: chapters", path: "locomotive5", height: 3000, checks: scenes(190), words: numbered("Chapter", 6),
			shown: inWindow | moving | onPaper, always: onPaper,
		},
		{name: "Lenis: a page that scrolls itself", path: "lenis", height: 3000, checks: parts, words: numbered("Part", 10),
			shown: moving | onPhone | onPaper},
		{name: "SimpleBar: a part that scrolls", path: "simplebar", height: 3064, checks: rows(30, 100), shown: inWindow | moving,
			always: moving},
		{name: "smooth-scrollbar: content that is moved", path: "smooth-scrollbar", height: 3064, checks: rows(30, 100),
			shown: inWindow | moving},
		{
			name: "two parts that scroll side by side", path: "panes", height: 1864, checks: append(letters(0, 0), letters(190, 30)...),
			shown: inWindow | moving | onPhone,
		},
		{name: "parts that scroll beside and in one another", path: "panes-nested", height: 1924, checks: files(), shown: moving},
		{
			name: "a frameset", path: "frameset", shown: inWindow, checks: []Check{Bands(0, 0, 900, 100, 800)},
		},
		{
			name: "a background that stands still", path: "backdrop", height: 3064, shown: anyView, checks: append(
				[]Check{Fill("at the top", Box{0, 70, 10, 800}, testsite.BandColor(1)), Fill("at the end", Box{0, 2100, 10, 900},
					testsite.BandColor(1))},
				Fill("the last sheet", Box{30, headTall + 2400 + 90, 100, 80}, testsite.BandColor(2))),
		},
	}
}

// letters are the rows of a part that scrolls, from x on.
func letters(x, first int) []Check {
	var checks []Check
	for i := range 30 {
		checks = append(checks, Fill(fmt.Sprintf("letter %d", first+i), Box{x + 100, headTall + 60*i + 2, 60, 56}, testsite.BandColor(first+i)))
	}
	return checks
}

// files are the rows of /panes-nested.
func files() []Check {
	checks := letters(0, 0)
	for i := range 30 {
		checks = append(checks, Fill(fmt.Sprintf("line %d", i), Box{260, headTall + 60 + 60*i + 2, 60, 56}, testsite.BandColor(50+i)))
	}
	return checks
}

// listStories are lists that grow, or of which only a part exists.
func listStories() []story {
	notices := func(name, path string, always view) story {
		return story{
			name: name, path: path, height: headTall + 8000, checks: rows(40, 200), words: numbered("Notice", 40),
			shown:  moving | onPhone | onPaper,
			always: always,
		}
	}
	boats := func(name, path, word string) story {
		return story{
			name: name, path: path, height: headTall + 6000, checks: rows(60, 100), words: numbered(word, 60), shown: moving | onPaper,
		}
	}
	return []story{
		notices("Infinite Scroll: 40 notices", "infinite-scroll", onPaper),
		notices("by hand: 40 notices, after a pause", "infinite-debounced", 0),
		{
			name: "React Query: 40 entries in five pages", path: "infinite-query", height: headTall + 4020, checks: rows(40, 100),
			words: numbered("Entry", 40), shown: moving | onPhone | onPaper,
		},
		boats("TanStack Virtual: 60 rows", "tanstack", "Boat"),
		boats("Virtuoso: 60 rows", "virtuoso", "Crew"),
	}
}
