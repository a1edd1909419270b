package truth

import (
	"github.com/savepage/savepage/internal/testsite"
)

// slideStories are carousels that go on by themselves, and animations without an end.
func slideStories() []story {
	slide := func(i int) Box { return within(i, 2, 2, 356, 276) }
	some := []int{0, 1, 2, 3, 4}
	return []story{
		{
			name: "Swiper: one slide, and its dot", path: "swiper", shown: anyView, always: inWindow, checks: []Check{
				OneOf("one slide", slide(0), some...), Agrees("its dot", slide(0), within(0, 0, 290, 40, 40), 40, some...),
				OneOf("one slide below", slide(1), some...),
			},
		},
		{
			name: "Bootstrap, Splide, keen-slider, Embla", path: "carousels", height: headTall + 4*partTall, shown: anyView, always: inWindow,
			checks: []Check{
				OneOf("Bootstrap", slide(0), some[:3]...), OneOf("Splide", slide(1), some[:3]...), OneOf("keen-slider", slide(2), some[:3]...),
				OneOf("Embla", slide(3), some[:3]...),
			},
		},
		{
			name: "Glide: three of them", path: "glide", height: headTall + 3*partTall, shown: anyView, checks: []Check{
				OneOf("the first", slide(0), some[:4]...), OneOf("the second", slide(1), some[:4]...), OneOf("the third", slide(2), some[:4]...),
			},
		},
		{
			name: "Lottie: waves without an end", path: "lottie-loop", shown: inWindow | onPhone,
			checks: []Check{Has("the crest", testsite.BandColor(1)), part(1, 0, 2)},
		},
		{
			name: "three.js: a buoy that turns", path: "three-loop", shown: inWindow | onPhone,
			checks: []Check{part(1, 0, 2), Ink("the buoy", within(0, 0, 0, 360, 280), 0.05, 0.9)},
		},
	}
}
