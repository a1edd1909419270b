package page_test

import (
	"fmt"
	"image"
	"image/color"
	"testing"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/testsite"
)

// bands checks every row of a picture of the page /bands at three columns.
func bands(t *testing.T, img image.Image, scale, tolerance float64) {
	t.Helper()
	b := img.Bounds()
	for y := range b.Dy() {
		want := testsite.BandColor(int((float64(y) + 0.5) / scale / 100))
		for _, x := range []int{0, b.Dx() / 2, b.Dx() - 1} {
			if got := img.At(x, y); !near(got, want, tolerance) {
				t.Fatalf("row %d column %d is %v, want %v", y, x, got, want)
			}
		}
	}
}

// narrow is wide enough for tall pages to be taken in tiles, and half as much to decode as the default.
const narrow = 640

func TestTallPageIsExact(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		height int
		scale  float64
	}{{24000, 1}, {40, 1}, {899, 1}, {901, 1}, {10050, 2}, {3000, 3}, {9010, 1.5}, {4000, 0.5}, {18000, 1.1}, {12000, 4.0 / 3}} {
		t.Run(fmt.Sprintf("%d@%.2f", c.height, c.scale), func(t *testing.T) {
			t.Parallel()
			shot := render(
				t,
				savepage.Options{URL: shared.url(fmt.Sprintf("/bands?height=%d", c.height)), Fullpage: true, Scale: c.scale, Width: narrow},
			)
			height := max(c.height, 900)
			if want := int(float64(height)*c.scale + 0.5); abs(shot.Height-want) > 0 || shot.Width != int(narrow*c.scale+0.5) {
				t.Fatalf("%d x %d, want %d rows", shot.Width, shot.Height, want)
			}
			img := decode(t, shot)
			if c.height < 900 {
				return
			}
			if c.scale == float64(int(c.scale)) || c.scale == 0.5 || c.scale == 1.5 {
				bands(t, img, c.scale, 0)
				return
			}
			middles(t, img, c.scale, 0)
		})
	}
}

// middles checks the row in the middle of each band: at odd scales rows at the edges are mixed.
func middles(t *testing.T, img image.Image, scale, tolerance float64) {
	t.Helper()
	b := img.Bounds()
	for i := 0; ; i++ {
		y := int((float64(i)*100 + 50) * scale)
		if y >= b.Dy() {
			return
		}
		if got := img.At(b.Dx()/2, y); !near(got, testsite.BandColor(i), tolerance) {
			t.Fatalf("band %d is %v, want %v", i, got, testsite.BandColor(i))
		}
	}
}

func abs(n int) int { return max(n, -n) }

func TestJPEGAndWebP(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name      string
		o         savepage.Options
		height    int
		tolerance float64
	}{
		{"jpeg", savepage.Options{Format: savepage.FormatJPEG, Quality: 90}, 2000, 6},
		{"jpeg in tiles", savepage.Options{Format: savepage.FormatJPEG, Quality: 90, Width: narrow}, 38000, 6},
		{"jpg", savepage.Options{Format: savepage.FormatJPG}, 1000, 8},
		{"webp", savepage.Options{Format: savepage.FormatWebP, Quality: 80}, 2000, 10},
		{"webp lossless", savepage.Options{Format: savepage.FormatWebP, Quality: 100, Width: narrow}, 5000, 0},
		{"jpeg @2", savepage.Options{Format: savepage.FormatJPEG, Quality: 90, Scale: 2}, 2000, 6},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.o.URL, c.o.Fullpage = shared.url(fmt.Sprintf("/bands?height=%d", c.height)), true
			scale := c.o.WithDefaults().Scale
			shot := render(t, c.o)
			if shot.Height != int(float64(c.height)*scale) {
				t.Fatalf("%d rows", shot.Height)
			}
			middles(t, decode(t, shot), scale, c.tolerance)
		})
	}
}

func TestTooLargeIsRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []savepage.Options{
		{URL: shared.url("/bands?height=70000"), Fullpage: true, Format: savepage.FormatJPEG},
		{URL: shared.url("/bands?height=17000"), Fullpage: true, Format: savepage.FormatWebP},
		{URL: shared.url("/bands?height=90000"), Fullpage: true, Scale: 3},
		{URL: shared.url("/bands?height=5400"), Fullpage: true, Scale: 3, Width: 3840, Height: 2160, Format: savepage.FormatWebP},
		{URL: shared.url("/bands?height=40000"), Fullpage: true, ThumbWidth: 3840, Width: 320},
	} {
		_, err := shared.Render(t.Context(), patient(c))
		if code(err) != savepage.CodeTooLarge {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

func TestMaxHeightCuts(t *testing.T) {
	t.Parallel()
	shot := render(t, savepage.Options{URL: shared.url("/bands?height=20000"), Fullpage: true, MaxHeight: 5030})
	if shot.Height != 5030 || !shot.Report.Truncated {
		t.Fatalf("%d rows, truncated %v", shot.Height, shot.Report.Truncated)
	}
	bands(t, decode(t, shot), 1, 0)
	shot = render(t, savepage.Options{URL: shared.url("/bands?height=5000"), Fullpage: true, MaxHeight: 5000})
	if shot.Report.Truncated {
		t.Error("a page that fits is called truncated")
	}
}

func TestLazyPicturesAreThere(t *testing.T) {
	t.Parallel()
	shot := render(t, savepage.Options{URL: shared.url("/d"), Fullpage: true, Width: narrow})
	if shot.Height != testsite.LazyHeight {
		t.Fatalf("%d rows", shot.Height)
	}
	img := decode(t, shot)
	for i := range testsite.LazyPictures {
		x, y, seed := testsite.LazyCenter(i)
		if got := img.At(x, y); !near(got, testsite.PictureColor(seed), 0) {
			t.Errorf("picture %d is %v, want %v", i, got, testsite.PictureColor(seed))
		}
	}
	// The sticky header stands once, at the top.
	header := color.RGBA{0x14, 0x32, 0x3f, 255}
	for y := range img.Bounds().Dy() {
		if is := near(img.At(narrow-10, y), header, 0); is != (y < testsite.LazyHeader) {
			t.Fatalf("row %d: header %v", y, is)
		}
	}
}

func TestPicturesThatLoadOnScroll(t *testing.T) {
	t.Parallel()
	img := decode(t, render(t, savepage.Options{URL: shared.url("/scroll-lazy"), Fullpage: true}))
	for i := range 20 {
		if got := img.At(40+160, i*500+60+120); !near(got, testsite.PictureColor(i+1), 0) {
			t.Errorf("picture %d is %v", i, got)
		}
	}
}

// A lazy picture deep in a box that scrolls is never asked for. Waiting for it as long as for one that loads, at each of four
// steps down the page, would take longer than the timeout.
func TestPictureThatNothingLoads(t *testing.T) {
	t.Parallel()
	const html = `<!doctype html><title>Shelf</title><body style="margin:0;height:16000px;position:relative">
<div style="height:300px;overflow:auto"><div style="height:9000px"></div><img loading="lazy" width="200" height="150" ` +
		`src="/picture/200x150-1.png"></div>
<div id="end" style="position:absolute;top:15900px;width:100px;height:40px;background:#7828a0"></div></body>`
	img := decode(t, render(t, savepage.Options{HTML: html, Selector: "#end", Scale: 3}))
	if got := img.At(150, 60); !near(got, testsite.BoxColor(), 0) {
		t.Errorf("the element is %v", got)
	}
}

func TestLayoutIsKept(t *testing.T) {
	t.Parallel()
	img := decode(t, render(t, savepage.Options{URL: shared.url("/layout"), Fullpage: true}))
	if img.Bounds().Dy() != 900+40+12000 {
		t.Fatalf("%v", img.Bounds())
	}
	for _, part := range []struct {
		from, to int
		want     color.RGBA
	}{
		{0, 50, testsite.HeaderColor()},
		{50, 850, testsite.HeroColor()},
		{850, 900, testsite.FooterColor()},
		{900, 940, testsite.StickyColor()},
		{940, 12940, color.RGBA{255, 255, 255, 255}},
	} {
		for y := part.from; y < part.to; y++ {
			if got := img.At(700, y); !near(got, part.want, 0) {
				t.Fatalf("row %d is %v, want %v", y, got, part.want)
			}
		}
	}
}

func TestViewport(t *testing.T) {
	t.Parallel()
	for _, scale := range []float64{0.5, 1, 2, 3} {
		shot := render(t, savepage.Options{URL: shared.url("/layout"), Width: 800, Height: 600, Scale: scale})
		if shot.Width != int(800*scale) || shot.Height != int(600*scale) {
			t.Fatalf("%d x %d at %v", shot.Width, shot.Height, scale)
		}
		img := decode(t, shot)
		for y, want := range map[int]color.RGBA{25: testsite.HeaderColor(), 300: testsite.HeroColor(), 590: testsite.FooterColor()} {
			if got := img.At(10, int(float64(y)*scale)); !near(got, want, 0) {
				t.Errorf("row %d at %v is %v", y, scale, got)
			}
		}
	}
}

func TestSelector(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		selector      string
		scale         float64
		width, height int
	}{
		{"#box", 1, 300, 200},
		{"#box", 2, 600, 400},
		{"#box", 3, 900, 600},
		{"#low", 1, 240, 160},
		{"#tall", 1, 200, 3000},
		{"#tall", 2, 400, 6000},
		{"#wide", 1, 3000, 80},
		{"div#gone, #box", 1, 300, 200},
	} {
		t.Run(fmt.Sprintf("%s@%v", c.selector, c.scale), func(t *testing.T) {
			shot := render(t, savepage.Options{URL: shared.url("/element"), Selector: c.selector, Scale: c.scale})
			if shot.Width != c.width || shot.Height != c.height {
				t.Fatalf("%d x %d, want %d x %d", shot.Width, shot.Height, c.width, c.height)
			}
			img := decode(t, shot)
			for y := range c.height {
				for _, x := range []int{0, c.width / 2, c.width - 1} {
					if !near(img.At(x, y), testsite.BoxColor(), 0) {
						t.Fatalf("pixel %d,%d is %v", x, y, img.At(x, y))
					}
				}
			}
		})
	}
	shot := render(t, savepage.Options{URL: shared.url("/element"), Selector: "#fraction"})
	if shot.Width != 101 || shot.Height != 51 {
		t.Errorf("a box of 100.5 x 50.5 at 20.5, 700.25 is %d x %d", shot.Width, shot.Height)
	}
}

func TestSelectorNotFound(t *testing.T) {
	t.Parallel()
	for _, selector := range []string{"#nothing", "#gone", "#empty"} {
		_, err := shared.Render(t.Context(), savepage.Options{URL: shared.url("/element"), Selector: selector, Timeout: 20_000})
		if code(err) != savepage.CodeSelectorNotFound {
			t.Errorf("%s: %v", selector, err)
		}
	}
	for _, o := range []savepage.Options{{Selector: "##"}, {WaitForSelector: "a[[b"}} {
		o.URL = shared.url("/element")
		if _, err := shared.Render(t.Context(), patient(o)); code(err) != savepage.CodeInvalidRequest {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

func TestTransparent(t *testing.T) {
	t.Parallel()
	for _, f := range []savepage.Format{savepage.FormatPNG, savepage.FormatWebP} {
		for _, o := range []savepage.Options{{}, {Fullpage: true}, {ThumbWidth: 720}} {
			o.URL, o.Format, o.Transparent, o.Quality = shared.url("/transparent"), f, true, 100
			img := decode(t, render(t, o))
			s := float64(img.Bounds().Dx()) / 1440
			at := func(x, y int) color.Color { return img.At(int(float64(x)*s), int(float64(y)*s)) }
			if _, _, _, a := at(800, 400).RGBA(); a != 0 {
				t.Errorf("%s %+v: background has alpha %d", f, o, a)
			}
			if !near(at(100, 100), testsite.BoxColor(), 1) {
				t.Errorf("%s %+v: box is %v", f, o, at(100, 100))
			}
			if _, _, _, a := at(400, 100).RGBA(); a>>8 < 126 || a>>8 > 129 {
				t.Errorf("%s %+v: half box has alpha %d", f, o, a>>8)
			}
		}
	}
	img := decode(t, render(t, savepage.Options{URL: shared.url("/transparent")}))
	if !near(img.At(800, 400), color.RGBA{255, 255, 255, 255}, 0) {
		t.Errorf("without the option the background is %v", img.At(800, 400))
	}
}

func TestThumb(t *testing.T) {
	t.Parallel()
	for _, f := range []savepage.Format{savepage.FormatPNG, savepage.FormatJPEG, savepage.FormatWebP} {
		for _, c := range []struct {
			o             savepage.Options
			width, height int
		}{
			{savepage.Options{ThumbWidth: 400}, 400, 250},
			{savepage.Options{ThumbWidth: 333, Fullpage: true, Scale: 2, Width: narrow}, 333, 2602},
			{savepage.Options{ThumbWidth: 2000, Selector: "div:nth-child(2)"}, 2000, 139},
		} {
			c.o.URL, c.o.Format, c.o.Quality = shared.url("/bands?height=5000"), f, 95
			shot := render(t, c.o)
			if shot.Width != c.width || abs(shot.Height-c.height) > 1 {
				t.Errorf("%s %+v: %d x %d, want %d x %d", f, c.o, shot.Width, shot.Height, c.width, c.height)
			}
			if c.o.Selector == "" {
				middles(t, decode(t, shot), float64(c.width)/float64(c.o.WithDefaults().Width), 12)
			}
		}
	}
}

func TestBlank(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]bool{"/blank": true, "/blank?color=teal": true, "/a": false, "/blank?color=teal&height=38000": true} {
		for _, f := range []savepage.Format{savepage.FormatPNG, savepage.FormatJPEG, savepage.FormatWebP} {
			if f != savepage.FormatPNG && len(path) > 20 {
				continue // taller than a webp may be, and a jpeg is joined from the same tiles
			}
			shot := render(t, savepage.Options{URL: shared.url(path), Format: f, Fullpage: true, Width: narrow})
			if shot.Report.Blank != want {
				t.Errorf("%s as %s: blank is %v", path, f, shot.Report.Blank)
			}
		}
	}
}
