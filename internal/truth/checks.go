package truth

import (
	"errors"
	"fmt"
	"image/color"
	"strings"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/testsite"
)

// Size wants a picture of exactly so many of its own pixels.
func Size(width, height int) Check {
	return Check{Says: fmt.Sprintf("%d x %d", width, height), Look: func(p *Picture) error {
		if p.Width != width || p.Height != height {
			return fmt.Errorf("is %d x %d", p.Width, p.Height)
		}
		return nil
	}}
}

// Spot wants a colour at one place.
func Spot(says string, x, y int, want color.RGBA) Check {
	return Check{Says: says, At: Box{x, y, 1, 1}, Look: func(p *Picture) error {
		if got := p.At(x, y); !p.near(got, want) {
			return fmt.Errorf("%d,%d is %v, want %v", x, y, got, want)
		}
		return nil
	}}
}

// Fill wants a colour all over a box.
func Fill(says string, b Box, want color.RGBA) Check {
	return Check{Says: says, At: b, Look: func(p *Picture) error {
		r := p.pixels(b)
		if r.Empty() {
			return fmt.Errorf("%+v is not in the picture", b)
		}
		for y := r.Min.Y; y < r.Max.Y; y++ {
			for x := r.Min.X; x < r.Max.X; x++ {
				if got := p.pixel(x, y); !p.near(got, want) {
					return fmt.Errorf("pixel %d,%d is %v, want %v", x, y, got, want)
				}
			}
		}
		return nil
	}}
}

// Bands wants a part of the page to be like the page /bands: from the row top on, n rows of bands that are each 100 CSS
// pixels tall and begin with band first. Every row of the picture is looked at, at the columns that are given, or at the
// left, in the middle and at the right.
func Bands(first, top, n int, columns ...int) Check {
	return Check{Says: fmt.Sprintf("%d rows of bands, each in its place", n), At: Box{0, top, 1, n}, Look: func(p *Picture) error {
		at := []int{0, p.Width / 2, p.Width - 1}
		if len(columns) > 0 {
			at = nil
			for _, x := range columns {
				at = append(at, p.column(x))
			}
		}
		return p.rows(func(y int, pixel func(x int) color.RGBA) error {
			css := (float64(y)+0.5)/p.Scale - float64(top)
			if css < 0 || css >= float64(n) {
				return nil
			}
			want := testsite.BandColor(first + int(css/100))
			for _, x := range at {
				if got := pixel(x); !p.near(got, want) {
					return fmt.Errorf("row %d column %d is %v, want %v", y, x, got, want)
				}
			}
			return nil
		})
	}}
}

// Once wants a colour to stand in one run of rows at a column, so many CSS pixels tall, beginning at the row top.
func Once(says string, x, top, height int, c color.RGBA) Check {
	return Check{Says: says + " once", At: Box{x, top, 1, height}, Look: func(p *Picture) error {
		var runs [][2]int // first and last row
		column := p.column(x)
		err := p.rows(func(y int, at func(x int) color.RGBA) error {
			switch {
			case !p.near(at(column), c):
			case len(runs) > 0 && runs[len(runs)-1][1] == y-1:
				runs[len(runs)-1][1] = y
			default:
				runs = append(runs, [2]int{y, y})
			}
			return nil
		})
		want := p.pixels(Box{x, top, 1, height})
		if err == nil && (len(runs) != 1 || runs[0][0] != want.Min.Y || runs[0][1] != want.Max.Y-1) {
			err = fmt.Errorf("rows %v have the colour, want one run from %d to %d", runs, want.Min.Y, want.Max.Y-1)
		}
		return err
	}}
}

// Never wants no pixel of a colour anywhere.
func Never(says string, c color.RGBA) Check {
	return Check{Says: "no " + says, Look: func(p *Picture) error {
		return p.rows(func(y int, at func(x int) color.RGBA) error {
			for x := range p.Width {
				if p.near(at(x), c) {
					return fmt.Errorf("is at %d,%d", x, y)
				}
			}
			return nil
		})
	}}
}

// Seat is where the middle of a picture with a seed stands on the page.
type Seat struct{ X, Y, Seed int }

// Pictures wants every picture to have come.
func Pictures(seats ...Seat) Check {
	var all Box
	for _, s := range seats {
		all = all.and(Box{s.X, s.Y, 1, 1})
	}
	return Check{Says: fmt.Sprintf("%d pictures", len(seats)), At: all, Look: func(p *Picture) error {
		var missing []string
		for _, s := range seats {
			if got := p.At(s.X, s.Y); !p.near(got, testsite.PictureColor(s.Seed)) {
				missing = append(missing, fmt.Sprintf("%d at %d,%d is %v", s.Seed, s.X, s.Y, got))
			}
		}
		if len(missing) > 0 {
			return fmt.Errorf("%d are missing: %s", len(missing), strings.Join(missing[:min(3, len(missing))], ", "))
		}
		return nil
	}}
}

// Ink is the part of a box, from 0 to 1, that has another colour than most of it.
func (p *Picture) Ink(b Box) float64 {
	r := p.pixels(b)
	if r.Empty() {
		return 0
	}
	counts, most := map[color.RGBA]int{}, 0
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			c := p.pixel(x, y)
			counts[c]++
			most = max(most, counts[c])
		}
	}
	return 1 - float64(most)/float64(r.Dx()*r.Dy())
}

// Ink wants text in a box: from least to most of it, as parts of 1, has another colour than most of the box.
func Ink(says string, b Box, least, most float64) Check {
	return Check{Says: says, At: b, Look: func(p *Picture) error {
		if got := p.Ink(b); got < least || got > most {
			return fmt.Errorf("ink is %.4f, want %.4f to %.4f", got, least, most)
		}
		return nil
	}}
}

// Alike wants two boxes of one size to show the same, or not.
func Alike(says string, a, b Box, alike bool) Check {
	return Check{Says: says, At: a.and(b), Look: func(p *Picture) error {
		ra, rb := p.pixels(a), p.pixels(b)
		if ra.Empty() || ra.Dx() != rb.Dx() || ra.Dy() != rb.Dy() {
			return fmt.Errorf("%v and %v can not be compared", ra, rb)
		}
		for y := range ra.Dy() {
			for x := range ra.Dx() {
				if !p.near(p.pixel(ra.Min.X+x, ra.Min.Y+y), p.pixel(rb.Min.X+x, rb.Min.Y+y)) {
					if alike {
						return fmt.Errorf("differ at %d,%d", x, y)
					}
					return nil
				}
			}
		}
		if !alike {
			return errors.New("are the same")
		}
		return nil
	}}
}

// Twins wants two boxes of one size to show the same but for a share of their pixels: edges of curves are drawn by their place.
func Twins(says string, a, b Box, share float64) Check {
	return Check{Says: says, At: a.and(b), Look: func(p *Picture) error {
		ra, rb := p.pixels(a), p.pixels(b)
		if ra.Empty() || ra.Dx() != rb.Dx() || ra.Dy() != rb.Dy() {
			return fmt.Errorf("%v and %v can not be compared", ra, rb)
		}
		differ := 0
		for y := range ra.Dy() {
			for x := range ra.Dx() {
				if !p.near(p.pixel(ra.Min.X+x, ra.Min.Y+y), p.pixel(rb.Min.X+x, rb.Min.Y+y)) {
					differ++
				}
			}
		}
		if is := float64(differ) / float64(ra.Dx()*ra.Dy()); is > share {
			return fmt.Errorf("%.3f of the pixels differ, more than %.3f", is, share)
		}
		return nil
	}}
}

// Report wants something of the report. wrong is empty when it is true.
func Report(says string, wrong func(savepage.Report) string) Check {
	return Check{Says: says, told: true, Look: func(p *Picture) error {
		if text := wrong(p.Report); text != "" {
			return errors.New(text)
		}
		return nil
	}}
}

// Names wants the report to name a request: a part of one of its lines, such as "pending: http".
func Names(part string) Check {
	return Report("report names "+part, func(r savepage.Report) string {
		for _, line := range r.Requests.Named {
			if strings.Contains(line, part) {
				return ""
			}
		}
		return fmt.Sprintf("it names %q", r.Requests.Named)
	})
}

// differ says how a value differs from the one that is wanted, or nothing.
func differ[T comparable](got, want T) string {
	if got == want {
		return ""
	}
	return fmt.Sprintf("is %v, want %v", got, want)
}

// rgb is an opaque colour as CSS writes it: 0x14323f is #14323f.
func rgb(hex uint32) color.RGBA {
	return color.RGBA{uint8(hex >> 16), uint8(hex >> 8), uint8(hex), 255} //nolint:gosec // the lowest eight bits are meant
}
