package picture

import (
	"bytes"
	"image/color"
	"image/png"
	"testing"

	"github.com/savepage/savepage"
)

// A picture of 200 x 400 pixels, red at the left and top, is fitted into other sizes.
func TestFit(t *testing.T) {
	red, blue, bar := color.NRGBA{255, 0, 0, 255}, color.NRGBA{0, 0, 255, 255}, color.NRGBA{0, 200, 0, 255}
	img := painted(200, 400, func(x, y int) color.NRGBA {
		if x < 100 && y < 200 {
			return red
		}
		return blue
	})
	type pixel struct {
		x, y int
		want color.NRGBA
	}
	for name, c := range map[string]struct {
		to            Thumb
		width, height int
		pixels        []pixel
	}{
		"width":       {Thumb{Width: 50}, 50, 100, []pixel{{10, 10, red}, {40, 10, blue}, {10, 60, blue}}},
		"height":      {Thumb{Height: 100}, 50, 100, []pixel{{10, 10, red}, {40, 10, blue}, {10, 60, blue}}},
		"fill":        {Thumb{Width: 100, Height: 100, Fit: savepage.FitFill}, 100, 100, []pixel{{40, 40, red}, {60, 40, blue}, {40, 60, blue}}},
		"inside":      {Thumb{Width: 100, Height: 100, Fit: savepage.FitInside}, 50, 100, []pixel{{10, 10, red}, {10, 60, blue}}},
		"cover":       {Thumb{Width: 100, Height: 100, Fit: savepage.FitCover}, 100, 100, []pixel{{40, 95, red}, {60, 95, blue}}},
		"cover, tall": {Thumb{Width: 50, Height: 200, Fit: savepage.FitCover}, 50, 200, []pixel{{15, 90, red}, {35, 90, blue}, {15, 110, blue}}},
		"contain": {
			Thumb{Width: 100, Height: 100, Fit: savepage.FitContain, Bars: bar}, 100, 100,
			[]pixel{{10, 50, bar}, {30, 10, red}, {90, 50, bar}},
		},
		"contain, low": {
			Thumb{Width: 50, Height: 200, Fit: savepage.FitContain, Bars: bar}, 50, 200,
			[]pixel{{10, 20, bar}, {10, 60, red}, {10, 180, bar}},
		},
		"larger":     {Thumb{Width: 400, Height: 2000, Fit: savepage.FitInside}, 400, 800, []pixel{{100, 100, red}, {300, 100, blue}}},
		"one row":    {Thumb{Width: 100, Height: 1, Fit: savepage.FitFill}, 100, 1, nil},
		"one column": {Thumb{Width: 1, Height: 3840, Fit: savepage.FitInside}, 1, 2, nil},
	} {
		t.Run(name, func(t *testing.T) {
			for _, alpha := range []bool{false, true} {
				var out bytes.Buffer
				sink := Scale(&out, Scaled{Width: 200, Height: 400, To: c.to, Format: savepage.FormatPNG})
				check(t, sink.Add(encode(t, img, 0, 150, alpha, always(2))))
				check(t, sink.Add(encode(t, img, 150, 400, alpha, always(2))))
				check(t, sink.Close())
				got, err := png.Decode(&out)
				check(t, err)
				if w, h := c.to.Size(200, 400); got.Bounds().Dx() != c.width || got.Bounds().Dy() != c.height || w != c.width || h != c.height {
					t.Fatalf("%v, and %d x %d was said", got.Bounds(), w, h)
				}
				for _, p := range c.pixels {
					if found := color.NRGBAModel.Convert(got.At(p.x, p.y)); found != p.want {
						t.Errorf("pixel %d,%d is %v, want %v", p.x, p.y, found, p.want)
					}
				}
			}
		})
	}
}
