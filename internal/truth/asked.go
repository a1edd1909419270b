package truth

import (
	"image/color"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/testsite"
)

// asked are pages to which something is done, or which are told where and how they are shown.
func asked(site *testsite.Site) []Case {
	on, off, gone := testsite.BoxColor(), color.RGBA{200, 200, 200, 255}, color.RGBA{255, 255, 255, 255}
	box := func(says string, place int, c color.RGBA) Check { return Fill(says, Box{100*place + 1, 1, 98, 98}, c) }
	return append([]Case{
		{
			Name: "hide, also what comes late", Path: "/acts",
			Options: savepage.Options{Hide: []string{"#a", "#b", "#late", ".no-such"}, Delay: 300},
			Checks:  []Check{box("important", 0, gone), box("important inline", 1, gone), box("late", 2, gone), box("the rest is there", 3, off)},
		},
		{
			Name: "click in order, also further down", Path: "/acts",
			Options: savepage.Options{Click: []string{"#open", "#more", "#slow", "#far"}},
			Checks: []Check{
				Size(1440, 900),
				box("first", 3, on),
				box("second", 4, on),
				box("what it opened", 7, on),
				box("still at the top", 0, off),
			},
		},
		{
			Name: "click that leads away", Path: "/acts",
			Options: savepage.Options{Click: []string{"#link", "#next"}},
			Checks:  []Check{box("clicked there", 1, on)},
		},
		{
			Name: "click on nothing", Path: "/acts",
			Options: savepage.Options{Click: []string{"#no-such"}, Timeout: 20_000},
			Fails:   savepage.CodeSelectorNotFound,
		},
		{
			Name: "css against the content policy", Path: "/acts", Options: savepage.Options{CSS: "#b{background:rgb(120,40,160)}"},
			Checks: []Check{box("styled", 1, on), box("the rest", 0, off)},
		},
		{
			Name: "js in the page's world", Path: "/acts",
			Options: savepage.Options{JS: "await 0; if (ofThePage) document.getElementById('said').className = 'on'"},
			Checks:  []Check{box("said", 8, on)},
		},
		{
			Name: "js that fails", Path: "/acts", Options: savepage.Options{JS: "throw new Error('no')"},
			Checks: []Check{box("the page is there", 0, off)}, Partial: "the script of the option js failed: Error: no",
		},
		{
			Name: "dark, still, on paper", Path: "/surroundings",
			Options: savepage.Options{ColorScheme: savepage.ColorSchemeDark, ReducedMotion: true, Media: savepage.MediaPrint},
			Checks:  []Check{box("dark", 0, on), box("not light", 1, off), box("still", 2, on), box("print", 3, on), box("not screen", 4, off)},
		},
		{
			Name: "a place on earth", Path: "/surroundings",
			Options: savepage.Options{Geolocation: &savepage.Geolocation{Latitude: 47.5, Longitude: 8.5}, Delay: 300},
			Checks:  []Check{box("told", 5, on), box("light", 1, on)},
		},
	}, append(blocked(site, on, gone), phones(on)...)...)
}

// blocked are pages that miss what they are not allowed to load.
func blocked(site *testsite.Site, on, gone color.RGBA) []Case {
	return []Case{
		{
			Name: "blocked kinds leave no trace", Path: "/kinds",
			Options: savepage.Options{BlockResources: []savepage.Resource{savepage.ResourceImage, savepage.ResourceFrame}},
			Checks: []Check{
				Fill("no picture", Box{1, 1, 78, 78}, gone),
				Fill("no frame", Box{201, 1, 78, 78}, gone),
				Fill("style", Box{101, 1, 78, 78}, on),
				Names("/kind/image (block_resources)"),
			},
		},
		{
			Name: "blocked addresses", Path: "/kinds",
			Options: savepage.Options{BlockURLs: []string{site.URL + "/kind/s*", "*socket*"}},
			Checks: []Check{
				Fill("picture", Box{1, 1, 78, 78}, on),
				Fill("no style", Box{101, 1, 78, 78}, gone),
				Fill("no script", Box{301, 1, 78, 78}, gone),
				Names("(block_urls)"),
			},
		},
	}
}

// phones are pages on devices.
func phones(on color.RGBA) []Case {
	return []Case{
		{
			Name: "phone", Path: "/device?meta=1", Options: savepage.Options{Device: "iPhone 15"},
			Checks: []Check{Size(1179, 1977), Fill("left", Box{1, 1, 48, 48}, on), Fill("right", Box{344, 1, 48, 48}, testsite.HeaderColor())},
		},
		{
			Name: "phone held sideways, whole page", Path: "/device?meta=1",
			Options: savepage.Options{Device: "iPhone 15 landscape", Fullpage: true},
			Checks: []Check{
				Size(2202, 6000),
				Fill("right", Box{685, 1, 48, 48}, testsite.HeaderColor()),
				Once("foot", 300, 1950, 50, testsite.FooterColor()),
			},
		},
	}
}

// dressed is a page with parts that have documents or trees of their own.
func dressed() []Case {
	on, off, gone := testsite.BoxColor(), color.RGBA{200, 200, 200, 255}, color.RGBA{255, 255, 255, 255}
	return []Case{
		{
			Name: "hide and css in frames and shadows", Path: "/dressed",
			Options: savepage.Options{Hide: []string{"#gone"}, CSS: "#dyed{background:rgb(120,40,160)!important}", Delay: 300},
			Checks: []Check{
				Fill("hidden", Box{1, 1, 98, 98}, gone),
				Fill("styled", Box{101, 1, 98, 98}, on),
				Fill("the rest", Box{201, 1, 98, 98}, off),
				Fill("hidden in a frame", Box{1, 101, 98, 98}, gone),
				Fill("styled in a frame", Box{101, 101, 98, 98}, on),
				Fill("the rest of a frame", Box{201, 101, 98, 98}, off),
				Fill("another's frame", Box{401, 101, 98, 98}, off),
				Fill("another's frame, too", Box{501, 101, 98, 98}, off),
				Fill("hidden in a shadow", Box{1, 201, 98, 98}, gone),
				Fill("styled in a shadow", Box{101, 201, 98, 98}, on),
				Fill("the rest of a shadow", Box{201, 201, 98, 98}, off),
			},
		},
	}
}
