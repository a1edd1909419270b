package truth

import (
	"fmt"
	"image/color"
	"slices"

	"github.com/savepage/savepage/internal/testsite"
)

// The pages in internal/testsite/pages/built have a heading of 64 pixels, and below it sections of 400 with one part in each,
// 20 pixels from the left and from the top.
const (
	headTall = 64
	partTall = 400
	twoTall  = 640 // of a section with a plot and its twin
)

// built are the pages that are made with libraries, or by hand to do what libraries do.
func built(all bool) []Case {
	return told(slices.Concat(chartStories(), figureStories(), moveStories(), slideStories(), revealStories(), scrollStories(),
		listStories(), dataStories(), layoutStories(), passingStories(), hangStories()), all)
}

// within is the part of section i that begins so many pixels from the corner of its content.
func within(i, x, y, width, height int) Box {
	return Box{20 + x, headTall + i*partTall + 21 + y, width, height}
}

// part wants the square of section i, moved to the right by x, in a band's colour. The text at its top is left out.
func part(i, x, band int) Check {
	return Fill(fmt.Sprintf("part %d", i), within(i, x+2, 62, 156, 96), testsite.BandColor(band))
}

// squares are the parts of n sections, with the bands from 0 on.
func squares(n, x int) []Check {
	var checks []Check
	for i := range n {
		checks = append(checks, part(i, x, i))
	}
	return checks
}

// rows are n rows below the heading, each so tall and with its band's colour. The beginning of a row is text.
func rows(n, tall int) []Check {
	var checks []Check
	for i := range n {
		checks = append(checks, Fill(fmt.Sprintf("row %d", i), Box{200, headTall + i*tall + 1, 150, tall - 2}, testsite.BandColor(i)))
	}
	return checks
}

// numbered are the words NAME 0, NAME 1, … of a print.
func numbered(name string, n int) []string {
	var words []string
	for i := range n {
		words = append(words, fmt.Sprintf("%s %d", name, i))
	}
	return words
}

// bars are the three bars 12, 19 and 8 of a plot of 20 in section i.
func bars(i int) []Check {
	var checks []Check
	white := color.RGBA{255, 255, 255, 255}
	for k, tall := range []int{168, 266, 112} {
		checks = append(checks,
			Fill(fmt.Sprintf("bar %d of plot %d", k, i), within(i, k*120+4, 280-tall+3, 112, tall-6), testsite.BandColor(k+1)),
			Fill(fmt.Sprintf("above bar %d of plot %d", k, i), within(i, k*120+4, 2, 112, 280-tall-5), white),
		)
	}
	return checks
}

// pie are the three slices 50, 30 and 20 of a pie in section i.
func pie(i int) []Check {
	var checks []Check
	for k, at := range [][2]int{{280, 140}, {110, 200}, {130, 60}} {
		checks = append(checks, Fill(fmt.Sprintf("slice %d of plot %d", k, i), within(i, at[0]-8, at[1]-8, 16, 16), testsite.BandColor(k+1)))
	}
	return checks
}

// twins wants the plots of n sections to be like those that were drawn without moving.
func twins(n int) []Check {
	var checks []Check
	for i := range n {
		at := Box{20, headTall + i*twoTall + 21, 360, 280}
		below := at
		below.Y += 300
		checks = append(checks,
			Alike(fmt.Sprintf("plot %d is at its end", i), at, below, true),
			Ink(fmt.Sprintf("plot %d is drawn", i), at, 0.01, 0.9),
		)
	}
	return checks
}

// curves is twins, but for the edges of curves.
func curves(n int) []Check {
	var checks []Check
	for i := range n {
		at := Box{20, headTall + i*twoTall + 21, 360, 280}
		below := at
		below.Y += 300
		checks = append(checks, Twins(fmt.Sprintf("plot %d is at its end", i), at, below, 0.02), Ink("it is drawn", at, 0.01, 0.9))
	}
	return checks
}

// pairs wants the first line of n sections to be like the second one, so many pixels lower.
func pairs(n, y, width, tall, lower int) []Check {
	var checks []Check
	for i := range n {
		at, below := within(i, 0, y-20, width, tall), within(i, 0, y-20+lower, width, tall)
		checks = append(checks, Alike(fmt.Sprintf("line %d is at its end", i), at, below, true),
			Ink(fmt.Sprintf("line %d is there", i), at, 0.01, 0.6))
	}
	return checks
}

func join(parts ...[]Check) []Check { return slices.Concat(parts...) }

// chartStories are charts that grow.
func chartStories() []story {
	return []story{
		{
			name: "Chart.js: bars", path: "chartjs-bars", height: headTall + 3*partTall, checks: join(bars(0), bars(1), bars(2)),
			shown: anyView, always: inWindow,
		},
		{
			name: "Chart.js: pies that grow when they are seen", path: "chartjs-seen", height: headTall + 4*partTall,
			checks: join(pie(0), pie(1), pie(2), pie(3)), shown: anyView, always: moving,
		},
		{name: "Chart.js: lines, a radar, a rose", path: "chartjs-twins", checks: twins(3), shown: anyView},
		{
			name: "ECharts: bars and pies", path: "echarts-bars", height: headTall + 4*partTall, checks: join(bars(0), pie(1), bars(2), pie(3)),
			shown: anyView, always: onPhone,
		},
		{name: "ECharts: a line, points, a gauge", path: "echarts-twins", checks: twins(3), shown: anyView},
		{
			name: "D3: bars", path: "d3-bars", height: headTall + 3*partTall, checks: join(bars(0), bars(1), bars(2)), shown: anyView,
			always: inWindow,
		},
		{
			name: "D3: pies that open when they are seen", path: "d3-arcs", height: headTall + 4*partTall,
			checks: join(pie(0), pie(1), pie(2), pie(3)), shown: anyView,
		},
		{name: "Frappe: bars, a share", path: "frappe", checks: twins(2), shown: inWindow},
		{name: "Chartist: lines that grow by SMIL", path: "chartist", checks: curves(2), shown: anyView},
		{
			name: "Plotly and uPlot", path: "plots", checks: join(bars(0), []Check{Fill("the area", within(1, 10, 80, 340, 190),
				testsite.BandColor(4))}),
			shown: anyView,
		},
	}
}

// figureStories are figures, words and drawings that come bit by bit.
func figureStories() []story {
	return []story{
		{
			name: "CountUp: figures", path: "counters", checks: pairs(4, 40, 300, 60, 100), shown: anyView | onPaper, always: moving | onPaper,
			words: []string{"The port in figures"},
		},
		{name: "Vue: figures that count from frame to frame", path: "counters-vue", checks: pairs(3, 40, 300, 60, 100),
			shown: anyView, always: onPhone},
		{name: "typed.js: words", path: "typed", checks: pairs(3, 20, 340, 40, 60), shown: anyView, always: inWindow},
		{
			name: "Vivus and ProgressBar.js: drawings", path: "drawings", shown: anyView, always: inWindow, checks: []Check{
				Fill("line 1", within(0, 24, 24, 312, 32), testsite.BandColor(1)), Fill("line 2", within(0, 24, 124, 312, 32), testsite.BandColor(2)),
				Fill("line 3", within(0, 24, 224, 312, 32), testsite.BandColor(3)),
				Spot("the ring, at three quarters less a little", 20+18, headTall+partTall+21+185, testsite.BandColor(4)),
				Spot("the last quarter of the ring", 20+65, headTall+partTall+21+65, rgb(0xeeeeee)),
				Fill("the bar", within(2, 4, 4, 350, 26), testsite.BandColor(5)),
			},
		},
		{
			name: "Lottie: a square that comes in", path: "lottie", height: headTall + 4*partTall, shown: anyView, always: inWindow | moving,
			checks: []Check{
				Fill("in svg", within(0, 302, 112, 54, 54), testsite.BandColor(1)), Fill("in a canvas", within(1, 302, 112, 54, 54),
					testsite.BandColor(1)),
				Fill("in html", within(2, 302, 112, 54, 54), testsite.BandColor(1)), Fill("further down", within(3, 302, 112, 54, 54),
					testsite.BandColor(1)),
			},
		},
		{
			name: "three.js: a square that comes in", path: "three-intro", height: headTall + 3*partTall, shown: inWindow | onPhone,
			checks: []Check{
				Close("above", 20+330, headTall+21+140, testsite.BandColor(1)), Close("where it came from", 20+30, headTall+21+140,
					testsite.BandColor(3)),
				Close("further down", 20+330, headTall+2*partTall+21+140, testsite.BandColor(1)),
			},
		},
	}
}

// moveStories are parts that move to their places.
func moveStories() []story {
	return []story{
		{
			name: "motion with React: cards that come in", path: "motion-react", height: headTall + 4*partTall,
			checks: []Check{part(0, 0, 1), part(1, 0, 2), part(2, 0, 3), part(3, 0, 4)}, shown: anyView, always: inWindow | moving,
			c: Case{Same: 2},
		},
		{
			name: "motion: springs, waves, timelines", path: "motion-spring", height: headTall + 4*partTall,
			checks: []Check{part(0, 180, 0), part(1, 0, 1), part(2, 180, 2), part(3, 100, 3)}, shown: anyView, always: inWindow,
		},
		{
			name: "anime.js: parts and a line", path: "anime", height: headTall + 5*partTall, shown: anyView, always: inWindow,
			checks: append(squares(4, 200), Fill("the line", within(4, 24, 124, 312, 32), testsite.BandColor(7))),
		},
		{name: "jQuery: faded in, then moved", path: "jquery-fade", height: headTall + 4*partTall, checks: squares(4, 200),
			shown: anyView, always: inWindow},
		{name: "Alpine: answers that open", path: "alpine", height: headTall + 3*partTall, checks: squares(3, 0), shown: anyView},
		{
			name: "Vue: a list that comes row by row", path: "vue-list", height: headTall + 1200, checks: rows(12, 100), shown: anyView | onPaper,
			words: numbered("Arrival", 12),
		},
	}
}
