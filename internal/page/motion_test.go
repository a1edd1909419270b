package page_test

import (
	"image"
	"testing"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/testsite"
)

// A page on which something moves that ends is shown as it is three seconds later, pixel for pixel.
func TestShownAsItIsLater(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]savepage.Options{
		"window":     {},
		"whole page": {Fullpage: true},
		"phone":      {Device: "iPhone 15", Fullpage: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o.URL = shared.url("/motion-ends")
			at, later := render(t, o), o
			later.Delay = 3000
			was, is := decode(t, at), decode(t, render(t, later))
			if where, differ := difference(was, is); differ {
				t.Errorf("differs at %v: %v, later %v", where, was.At(where.X, where.Y), is.At(where.X, where.Y))
			}
			if len(at.Report.Moving) > 0 || at.Report.Partial {
				t.Errorf("%+v", at.Report)
			}
		})
	}
}

// What a delay sets in motion ends, too.
func TestMotionAfterDelay(t *testing.T) {
	t.Parallel()
	shot := render(t, savepage.Options{Delay: 1300, HTML: `<canvas width="400" height="100"></canvas><script>
		const g = document.querySelector('canvas').getContext('2d')
		g.fillStyle = 'rgb(120,40,160)'
		setTimeout(() => {
			let from
			requestAnimationFrame(function step(at) {
				from ??= at
				g.fillRect(0, 0, Math.min(400, (at - from) / 3), 100)
				if (at - from < 1200) requestAnimationFrame(step)
			})
		}, 1100)
	</script>`})
	if got := decode(t, shot).At(400, 50); !near(got, testsite.BoxColor(), 0) {
		t.Errorf("the end of the bar is %v", got)
	}
}

// difference is the first pixel in which two pictures differ.
func difference(a, b image.Image) (at image.Point, differ bool) {
	if a.Bounds() != b.Bounds() {
		return a.Bounds().Max, true
	}
	for y := range a.Bounds().Dy() {
		for x := range a.Bounds().Dx() {
			if a.At(x, y) != b.At(x, y) {
				return image.Pt(x, y), true
			}
		}
	}
	return image.Point{}, false
}
