package page_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"image"
	"image/color"
	_ "image/jpeg"
	_ "image/png"
	"log/slog"
	"math"
	"os"
	"runtime/debug"
	"strconv"
	"testing"
	"time"

	"go.uber.org/goleak"
	_ "golang.org/x/image/webp"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/browser"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/guard"
	"github.com/savepage/savepage/internal/page"
	"github.com/savepage/savepage/internal/testsite"
)

// world is what the tests share: one browser and one site, as in the service.
type world struct {
	site *testsite.Site
	pool *browser.Pool
	*page.Renderer
}

var shared world

func TestMain(m *testing.M) {
	flag.Parse()
	code, err := run(m)
	if err == nil {
		err = goleak.Find()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// atOnce is how many pages are rendered at once. Many of them wait.
const atOnce = 3

func run(m *testing.M) (int, error) {
	if err := flag.Set("test.parallel", strconv.Itoa(atOnce)); err != nil {
		return 0, err
	}
	site, err := testsite.Start()
	if err != nil {
		return 0, err
	}
	defer site.Close()
	allow, err := guard.ParseAllow("127.0.0.0/8")
	if err != nil {
		return 0, err
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	pool, err := browser.Start(context.Background(), browser.Config{Pages: atOnce, Warm: 2}, guard.New(guard.Config{Allow: allow}), log)
	if err != nil {
		return 0, err
	}
	defer pool.Close()
	shared = world{site: site, pool: pool, Renderer: page.New(pool, page.Config{}, log)}
	code := m.Run()
	// The tests' own time limit ends with them. An end that hangs shows where.
	time.AfterFunc(2*time.Minute, func() {
		debug.SetTraceback("all")
		panic("the pool or the site does not close")
	})
	return code, nil
}

// ownSite is the shared browser with a site of the test's own, for tests that look at what the site was asked for.
func ownSite(t *testing.T) world {
	t.Helper()
	site, err := testsite.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(site.Close)
	w := shared
	w.site = site
	return w
}

func (w world) url(path string) string { return w.site.URL + path }

// patient gives a render without a timeout as much time as a busy machine takes.
func patient(o savepage.Options) savepage.Options {
	if o.Timeout == 0 {
		o.Timeout = 120_000
	}
	return o
}

func render(t *testing.T, o savepage.Options) capture.Shot {
	t.Helper()
	shot, err := shared.Render(t.Context(), patient(o))
	if err != nil {
		t.Fatalf("render %s: %v", o.URL, err)
	}
	return shot
}

func decode(t *testing.T, shot capture.Shot) image.Image {
	t.Helper()
	img, format, err := image.Decode(bytes.NewReader(shot.Bytes))
	if err != nil {
		t.Fatal(err)
	}
	if b := img.Bounds(); b.Dx() != shot.Width || b.Dy() != shot.Height {
		t.Fatalf("picture is %v, shot says %d x %d", b, shot.Width, shot.Height)
	}
	if lossy, ok := img.(*image.YCbCr); ok && format == "webp" {
		return webpColours{lossy}
	}
	return img
}

// webpColours reads the samples of a lossy webp as RFC 9649 means them, from 16 to 235: x/image takes them for full range.
type webpColours struct{ *image.YCbCr }

func (w webpColours) At(x, y int) color.Color {
	c := w.YCbCrAt(x, y)
	l, cb, cr := 1.164*(float64(c.Y)-16), float64(c.Cb)-128, float64(c.Cr)-128
	clamp := func(v float64) uint8 { return uint8(min(max(v, 0), 255) + 0.5) }
	return color.RGBA{clamp(l + 1.596*cr), clamp(l - 0.392*cb - 0.813*cr), clamp(l + 2.017*cb), 255}
}

func (w webpColours) ColorModel() color.Model { return color.RGBAModel }

// near compares a pixel with a colour; jpeg and webp need a tolerance.
func near(got color.Color, want color.RGBA, tolerance float64) bool {
	r, g, b, a := got.RGBA()
	for _, d := range [][2]float64{
		{float64(r >> 8), float64(want.R)}, {float64(g >> 8), float64(want.G)}, {float64(b >> 8), float64(want.B)},
		{float64(a >> 8), float64(want.A)},
	} {
		if math.Abs(d[0]-d[1]) > tolerance {
			return false
		}
	}
	return true
}

func code(err error) savepage.Code {
	if told, is := errors.AsType[*savepage.Error](err); is {
		return told.Code
	}
	return ""
}
