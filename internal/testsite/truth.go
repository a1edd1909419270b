package testsite

import (
	"fmt"
	"image/color"
	"strings"
	"text/template"
)

// BandColor is the colour of band i of the page /bands: every band up to 4,096 has another one.
func BandColor(i int) color.RGBA {
	n := (i*1657 + 311) % 4096 // 1657 has no factor in common with 4096: neighbours differ, none repeats
	return color.RGBA{R: step(n >> 8), G: step(n >> 4), B: step(n), A: 0xff}
}

// step spreads the lowest four bits of n over the range of a channel.
func step(n int) uint8 { return uint8((n & 15) * 17) }

// PictureColor is the colour of the square in the middle of the picture with this seed. The square takes half of the
// picture's width and height.
func PictureColor(seed int) color.RGBA {
	return color.RGBA{R: uint8(seed * 67 % 200), G: uint8(40 + seed*31%200), B: uint8(seed * 101 % 250), A: 0xff} //nolint:gosec // at most 250
}

// Measures of the page /d in CSS pixels: a header, LazyPictures sections and a footer.
const (
	LazyPictures  = 100
	LazyHeight    = 40000
	LazyHeader    = 60
	LazyWidth     = 320 // of a picture
	LazyTall      = 240 // of a picture
	lazySection   = 399
	lazyPictureAt = 60 // from the top of its section
	lazyLeft      = 40
)

// LazyCenter is the middle of picture i of the page /d in CSS pixels, and the seed of its colour.
func LazyCenter(i int) (x, y, seed int) {
	return lazyLeft + LazyWidth/2, LazyHeader + i*lazySection + lazyPictureAt + LazyTall/2, i + 1
}

// HeaderColor is the colour of the fixed header of /layout.
func HeaderColor() color.RGBA { return color.RGBA{200, 30, 40, 255} }

// FooterColor is the colour of the fixed footer of /layout.
func FooterColor() color.RGBA { return color.RGBA{30, 60, 200, 255} }

// HeroColor is the colour of the box of /layout that is 100vh tall.
func HeroColor() color.RGBA { return color.RGBA{20, 140, 90, 255} }

// StickyColor is the colour of the sticky bar of /layout.
func StickyColor() color.RGBA { return color.RGBA{240, 180, 20, 255} }

// BoxColor is the colour of the elements of /element and /transparent.
func BoxColor() color.RGBA { return color.RGBA{120, 40, 160, 255} }

func css(c color.RGBA) string { return fmt.Sprintf("rgb(%d,%d,%d)", c.R, c.G, c.B) }

// funcs are what the templates of the pages may call.
func funcs() template.FuncMap {
	return template.FuncMap{
		"items":     func(items ...any) []any { return items },
		"seq":       func(n int) []int { return make([]int, n) },
		"add":       func(a, b int) int { return a + b },
		"mul":       func(a, b int) int { return a * b },
		"sub":       func(a, b int) int { return a - b },
		"odd":       func(n int) bool { return n%2 == 1 },
		"min":       func(a, b int) int { return min(a, b) },
		"mod":       func(a, b int) int { return a % max(b, 1) },
		"list":      strings.Fields,
		"div":       func(a, b int) int { return a / max(b, 1) },
		"band":      func(i int) string { return css(BandColor(i)) },
		"sentence":  sentence,
		"paragraph": paragraph,
		"header":    func() string { return css(HeaderColor()) },
		"footer":    func() string { return css(FooterColor()) },
		"hero":      func() string { return css(HeroColor()) },
		"sticky":    func() string { return css(StickyColor()) },
		"box":       func() string { return css(BoxColor()) },
	}
}

// words are what the pages' texts are made of.
const words = `the harbour wakes before the town does and by the time first light reaches the long pier crews have already
sorted their nets a small bakery near the square sells bread that is still warm while gulls wait on the roof above
visitors often ask how old the lighthouse is nobody agrees but records in the library mention a fire kept burning there
for ships in winter storms today engineers measure the tide every minute and publish what they find so that fishermen
students and curious travellers can plan their day with care`

// sentence is n words of text, the same for each i.
func sentence(i, n int) string {
	all := strings.Fields(words)
	picked := make([]string, n)
	for k := range picked {
		picked[k] = all[(i*13+k*(1+i%3))%len(all)]
	}
	text := strings.Join(picked, " ")
	return strings.ToUpper(text[:1]) + text[1:]
}

// paragraph is five sentences, the same for each i.
func paragraph(i int) string {
	var parts []string
	for k := range 5 {
		parts = append(parts, sentence(i*5+k, 11+(i+k)%7)+".")
	}
	return strings.Join(parts, " ")
}
