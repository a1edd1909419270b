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
		reveal("by hand: shown by a scroll handler", "reveal-inline", "Month", 8, onPaper),
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
			name: "Locomotive Scroll 5: chapters", path: "locomotive5", height: 3000, checks: scenes(190), words: numbered("Chapter", 6),
			shown: inWindow | moving | onPaper, always: onPaper,
		},
		{name: "Lenis: a page that scrolls itself", path: "lenis", height: 3000, checks: parts, words: numbered("Part", 10),
			shown: moving | onPhone | onPaper},
		{name: "SimpleBar: a part that scrolls", path: "simplebar", height: 3064, checks: rows(30, 100), shown: inWindow | moving,
			always: moving},
		{
			name: "a frameset", path: "frameset", shown: inWindow, checks: []Check{Bands(0, 0, 900, 100, 800)},
		},
	}
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
		notices("by hand: 40 notices, after a pause", "infinite-debounced", 0),
		{
			name: "React Query: 40 entries in five pages", path: "infinite-query", height: headTall + 4020, checks: rows(40, 100),
			words: numbered("Entry", 40), shown: moving | onPhone | onPaper,
		},
		boats("Virtuoso: 60 rows", "virtuoso", "Crew"),
	}
}
