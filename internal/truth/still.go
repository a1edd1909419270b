package truth

import (
	"fmt"
	"image/color"
	"slices"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/testsite"
)

// still are pages that move: every shot of one has the same bytes.
func still() []Case {
	return slices.Concat(stillStyles(), stillPictures(), []Case{caret("input"), caret("text"), caret("shadow")}, stillParts())
}

// again is how many more shots of a page that moves are compared with the first.
const again = 4

// stillStyles are pages that styles and scripts move.
func stillStyles() []Case {
	band := testsite.BandColor
	return []Case{
		{
			Name: "what fades in is there", Path: "/still-fades", Same: again,
			Checks: []Check{
				Fill("a slow animation", Box{40, 200, 200, 100}, band(21)),
				Fill("a slow transition", Box{280, 200, 200, 100}, band(22)),
				Fill("a bar that grows", Box{520, 200, 200, 40}, band(23)),
				Fill("what comes after it", Box{760, 200, 200, 100}, band(24)),
				Fill("what a script fades in", Box{1000, 200, 200, 100}, band(25)),
				Fill("what comes when it is seen", Box{40, 400, 200, 100}, band(26)),
			},
		},
		{
			Name: "what never ends stands still", Path: "/still-endless", Same: again,
			Checks: []Check{
				Spot("the arc of a spinner at the top", 90, 206, band(31)),
				Fill("what beats, whole", Box{240, 200, 100, 100}, band(32)),
				Fill("what blinks, seen", Box{440, 200, 100, 100}, band(33)),
				Fill("what passes, in the middle", Box{40, 400, 400, 60}, band(34)),
				Fill("a long strip, at its beginning", Box{40, 500, 200, 60}, band(35)),
				Fill("a marquee that has come in", Box{600, 400, 100, 60}, band(37)),
				Fill("a drawing that has grown", Box{701, 500, 198, 60}, band(39)),
			},
		},
		{
			Name: "carousels show one slide", Path: "/still-carousels", Same: again,
			Checks: []Check{
				Fill("moved by a script", Box{40, 200, 600, 120}, band(42)),
				Fill("moved by a style", Box{40, 340, 600, 120}, band(44)),
				Fill("faded over", Box{40, 480, 600, 120}, band(47)),
			},
		},
	}
}

// stillPictures is a page with pictures that move by themselves.
func stillPictures() []Case {
	moving := testsite.MovingColors()[0]
	once := func(says string, a savepage.Animations, picture, drawing color.RGBA) Case {
		return Case{
			Name: says, Path: "/moves-once", Options: savepage.Options{Animations: a, Delay: 1500}, Same: 4,
			Checks: []Check{
				Fill("gif", Box{40, 200, 160, 90}, picture),
				Fill("apng", Box{240, 200, 160, 90}, picture),
				Fill("gif behind", Box{440, 200, 160, 90}, picture),
				Fill("svg", Box{640, 200, 160, 90}, drawing),
				Fill("svg in the page", Box{840, 200, 160, 90}, color.RGBA{30, 60, 200, 255}),
			},
		}
	}
	return []Case{
		once("pictures that move once, frozen", savepage.AnimationsFreeze, moving, color.RGBA{200, 30, 40, 255}),
		once("pictures that move once, moving", savepage.AnimationsAllow, testsite.MovingColors()[2], color.RGBA{30, 60, 200, 255}),
		{
			Name: "moving pictures show the first one", Path: "/still-pictures", Same: again,
			Checks: []Check{
				Fill("gif", Box{40, 200, 160, 90}, moving),
				Fill("apng", Box{240, 200, 160, 90}, moving),
				Fill("gif behind", Box{440, 200, 160, 90}, moving),
				Fill("svg", Box{640, 200, 160, 90}, moving),
				Spot("poster", 320, 445, testsite.PictureColor(3)),
				Close("video that plays", 120, 445, moving),
				Close("video that waits", 520, 445, moving),
				Close("video that a script plays", 720, 445, moving),
			},
		},
	}
}

// stillParts are pages of which parts move: frames, shadow trees, and what only comes when it is seen.
func stillParts() []Case {
	band := testsite.BandColor
	return []Case{
		{
			Name: "animations in frames and shadows", Path: "/still-frames", Same: again,
			Checks: []Check{
				Fill("own frame", Box{40, 200, 200, 50}, band(71)), Fill("own frame", Box{40, 250, 100, 50}, band(71)),
				Fill("another's frame", Box{280, 200, 200, 50}, band(72)), Fill("another's frame", Box{280, 250, 100, 50}, band(72)),
				Fill("frame in a frame", Box{520, 200, 200, 50}, band(74)), Fill("frame in a frame", Box{520, 250, 100, 50}, band(74)),
				Fill("open shadow", Box{40, 400, 200, 50}, band(75)), Fill("open shadow", Box{40, 450, 100, 50}, band(75)),
				Fill("closed shadow", Box{280, 400, 200, 50}, band(76)), Fill("closed shadow", Box{280, 450, 100, 50}, band(76)),
			},
		},
		{
			Name: "what is drawn anew at every size stays as it is", Path: "/resizes", Options: savepage.Options{Fullpage: true}, Same: again,
			Checks: []Check{Never("drawn from its beginning", band(9)), Has("drawn to its end", band(7))},
		},
		{
			Name: "what is revealed by scrolling", Path: "/still-reveal", Options: savepage.Options{Fullpage: true}, Same: 4,
			Checks: []Check{
				Fill("in view", Box{40, 100, 400, 200}, band(81)),
				Fill("by scrolling", Box{40, 800, 400, 200}, band(82)),
				Fill("by an observer", Box{40, 1500, 400, 200}, band(83)),
				Fill("by a view timeline", Box{40, 2200, 400, 200}, band(84)),
				Fill("by scrolling, at the end", Box{40, 2900, 400, 200}, band(85)),
			},
		},
	}
}

// caret is a page with a focused field: no caret in it.
func caret(in string) Case {
	return Case{
		Name: "no caret in " + in, Path: "/still-carets?in=" + in, Same: again,
		Checks: []Check{Fill("nothing but the field", Box{40, 200, 300, 60}, testsite.BandColor(61))},
	}
}

// Close wants nearly a colour at a place: videos have their own.
func Close(says string, x, y int, want color.RGBA) Check {
	return Check{Says: says, At: Box{x, y, 1, 1}, Look: func(p *Picture) error {
		q := *p
		q.tolerance = 12
		if got := p.At(x, y); !q.near(got, want) {
			return fmt.Errorf("%d,%d is %v, want nearly %v", x, y, got, want)
		}
		return nil
	}}
}

// virtual is a page that is shown as it is after some seconds of its own time.
func virtual(name, query string) Case {
	boxes := []string{
		"a timer and both clocks",
		"what came of a fetch",
		"the eighth tick",
		"frames of 4 s",
		"the end of an animation",
		"what was seen",
		"an answer of a worker",
	}
	bands := []int{90, 91, 92, 93, 94, 96, 97}
	c := Case{Name: name, Path: "/virtual" + query, Options: savepage.Options{Delay: 5000, Time: savepage.TimeVirtual}}
	for i, says := range boxes {
		c.Checks = append(c.Checks, Fill(says, Box{40 + i*140, 200, 100, 100}, testsite.BandColor(bands[i])))
	}
	return c
}

// virtuals are pages whose time passes faster than the real one.
func virtuals() []Case {
	plain, own, other := virtual(
		"own time",
		"",
	), virtual(
		"own time in a frame",
		"?frame=own",
	), virtual(
		"own time in another's frame",
		"?frame=other",
	)
	plain.Checks = append(plain.Checks, Fill("nothing of what comes later", Box{1020, 200, 100, 100}, color.RGBA{255, 255, 255, 255}))
	plain.Same = again
	for _, c := range []*Case{&own, &other} {
		c.Checks = append(c.Checks, Fill("the frame", Box{40, 600, 100, 100}, testsite.BandColor(99)))
	}
	return []Case{
		plain, own, other,
		virtual("own time with an event source and a socket", "?open=source"),
		virtual("own time of a page that polls", "?open=poll"),
		virtual("own time of a page that is never idle", "?open=busy"),
	}
}
