package page_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	cdpage "github.com/chromedp/cdproto/page"

	"github.com/savepage/savepage"
)

// again is how far a channel may be off when the same page is drawn again: a scaled photograph was off by one. That packing
// keeps every pixel is tested where it is done.
const again = 2

// sameImage compares two pictures pixel by pixel.
func sameImage(t *testing.T, got, want image.Image, tolerance int) {
	t.Helper()
	if got.Bounds() != want.Bounds() {
		t.Fatalf("%v, want %v", got.Bounds(), want.Bounds())
	}
	a, b := samples(got), samples(want)
	for i := range b {
		if d := int(a[i]) - int(b[i]); max(d, -d) > tolerance {
			x, y := i/4%want.Bounds().Dx(), i/4/want.Bounds().Dx()
			t.Fatalf("pixel %d,%d is %v, want %v", x, y, got.At(x, y), want.At(x, y))
		}
	}
}

// samples are the channels of all pixels, row by row.
func samples(img image.Image) []byte {
	all := image.NewRGBA(image.Rect(0, 0, img.Bounds().Dx(), img.Bounds().Dy()))
	draw.Draw(all, all.Rect, img, img.Bounds().Min, draw.Src)
	return all.Pix
}

// byTheBrowser has the browser's usual encoder make a png of a picture: a page that shows nothing else is drawn.
func byTheBrowser(t *testing.T, data []byte, width, height int) []byte {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), 2*time.Minute)
	defer stop()
	tab, err := shared.pool.Take(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer tab.Close()
	execute := func(method string, params, res any) {
		if err := tab.Session().Execute(ctx, method, params, res); err != nil {
			t.Fatalf("%s: %v", method, err)
		}
	}
	var tree cdpage.GetFrameTreeResult
	var evaluated json.RawMessage
	var shot cdpage.CaptureScreenshotResult
	execute(cdpage.CommandGetFrameTree, nil, &tree)
	execute(emulation.CommandSetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
		Width: int64(width), Height: int64(height), DeviceScaleFactor: 1,
	}, nil)
	execute(cdpage.CommandSetDocumentContent, cdpage.SetDocumentContentParams{
		FrameID: tree.FrameTree.Frame.ID,
		HTML: `<body style="margin:0;overflow:hidden"><img style="display:block" src="data:image/png;base64,` +
			base64.StdEncoding.EncodeToString(data) + `">`,
	}, nil)
	execute("Runtime.evaluate", map[string]any{
		"expression": `document.images[0].decode().then(() => "shown")`, "awaitPromise": true,
	}, &evaluated)
	if !bytes.Contains(evaluated, []byte(`"shown"`)) {
		t.Fatalf("the picture is not shown: %s", evaluated)
	}
	execute(cdpage.CommandCaptureScreenshot, cdpage.CaptureScreenshotParams{Format: cdpage.CaptureScreenshotFormatPng}, &shot)
	return shot.Data
}

// optimised is the size of a png that optipng has worked on. scripts/install-test-tools installs it.
func optimised(t *testing.T, data []byte) int {
	t.Helper()
	file := filepath.Join(t.TempDir(), "picture.png")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if said, err := exec.CommandContext(t.Context(), "optipng", "-quiet", "-o2", file).CombinedOutput(); err != nil {
		t.Fatalf("optipng: %v: %s", err, said)
	}
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	return int(info.Size())
}

// Every effort makes the same picture: normal in no more bytes than the browser's usual encoder, best in hardly more than
// optipng, of pages with text, photographs and tables, and of one that has a few colours.
func TestPNGEffort(t *testing.T) {
	t.Parallel()
	for name, path := range map[string]string{"a": "/a", "b": "/b", "c": "/c", "d": "/d", "bands": "/bands?height=900", "blank": "/blank"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			window := savepage.Options{URL: shared.url(path), Width: 720, Height: 450}
			fast := render(t, window)
			size := map[savepage.PNGEffort]int{}
			for _, effort := range []savepage.PNGEffort{savepage.PNGNormal, savepage.PNGBest} {
				o := window
				o.PNGEffort, o.Timeout = effort, 300_000
				shot := render(t, o)
				sameImage(t, decode(t, shot), decode(t, fast), again)
				size[effort] = len(shot.Bytes)
			}
			usual := byTheBrowser(t, fast.Bytes, fast.Width, fast.Height)
			img, _, err := image.Decode(bytes.NewReader(usual))
			if err != nil {
				t.Fatal(err)
			}
			sameImage(t, img, decode(t, fast), 0)
			peer := optimised(t, fast.Bytes)
			t.Logf("fast %d, browser %d, normal %d, best %d, optipng %d", len(fast.Bytes), len(usual), size["normal"], size["best"], peer)
			if size["normal"] > len(usual) || size["best"] > size["normal"] || size["best"] > peer+peer/50+100 {
				t.Errorf("fast %d, browser %d, normal %d, best %d, optipng %d",
					len(fast.Bytes), len(usual), size["normal"], size["best"], peer)
			}
		})
	}
}

// A picture that is joined of tiles and one that is scaled are packed, too, and in a file when they are large.
func TestPNGEffortOfOtherPictures(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]savepage.Options{
		"tiles":       {URL: shared.url("/bands?height=38000"), Fullpage: true, Width: narrow},
		"thumbnail":   {URL: shared.url("/c"), ThumbWidth: 400},
		"transparent": {URL: shared.url("/transparent"), Transparent: true},
		"at scale 2":  {URL: shared.url("/a"), Scale: 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fast := render(t, o)
			o.PNGEffort, o.Timeout = savepage.PNGNormal, 300_000 // half of it is for packing
			normal := render(t, o)
			sameImage(t, decode(t, normal), decode(t, fast), again)
			if len(normal.Bytes) >= len(fast.Bytes) {
				t.Errorf("%d bytes, and %d without effort", len(normal.Bytes), len(fast.Bytes))
			}
			for _, data := range [][]byte{fast.Bytes, normal.Bytes} {
				if got, want := bytes.Contains(data[:100], []byte("pHYs")), o.ThumbWidth == 0; got != want {
					t.Errorf("the picture says its density: %v", got)
				}
			}
		})
	}
}

// The background is seen where the page has none, and in the bars of a thumbnail.
func TestBackground(t *testing.T) {
	t.Parallel()
	page := `<body style="margin:0"><div style="width:200px;height:200px;background:#0000ff">`
	for name, c := range map[string]struct {
		o         savepage.Options
		behind    color.RGBA
		tolerance float64
	}{
		"png":         {savepage.Options{Background: "#ff8800"}, color.RGBA{0xff, 0x88, 0, 0xff}, 0},
		"short":       {savepage.Options{Background: "f80", Fullpage: true}, color.RGBA{0xff, 0x88, 0, 0xff}, 0},
		"translucent": {savepage.Options{Background: "#ff880080"}, color.RGBA{0x80, 0x44, 0, 0x80}, 1},
		"jpeg":        {savepage.Options{Background: "#ff8800", Format: savepage.FormatJPEG}, color.RGBA{0xff, 0x88, 0, 0xff}, 6},
		"webp":        {savepage.Options{Background: "#ff8800", Format: savepage.FormatWebP}, color.RGBA{0xff, 0x88, 0, 0xff}, 10},
		"none":        {savepage.Options{}, color.RGBA{0xff, 0xff, 0xff, 0xff}, 0},
		"clear":       {savepage.Options{Transparent: true}, color.RGBA{}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.o.HTML, c.o.Width, c.o.Height = page, 400, 400
			img := decode(t, render(t, c.o))
			if !near(img.At(300, 300), c.behind, c.tolerance) || !near(img.At(100, 100), color.RGBA{0, 0, 0xff, 0xff}, c.tolerance) {
				t.Errorf("%v and %v", img.At(300, 300), img.At(100, 100))
			}
			c.o.ThumbWidth, c.o.ThumbHeight, c.o.ThumbFit = 300, 200, savepage.FitContain
			img = decode(t, render(t, c.o))
			if b := img.Bounds(); b.Dx() != 300 || b.Dy() != 200 || !near(img.At(20, 100), c.behind, c.tolerance) ||
				!near(img.At(100, 50), color.RGBA{0, 0, 0xff, 0xff}, c.tolerance) {
				t.Errorf("%v: %v and %v", b, img.At(20, 100), img.At(100, 50))
			}
		})
	}
}

// A thumbnail has the size that is asked for, in every format.
func TestThumbFit(t *testing.T) {
	t.Parallel()
	for fit, want := range map[savepage.Fit]image.Point{
		"": {300, 300}, "cover": {300, 300}, "contain": {300, 300}, "inside": {300, 188}, "fill": {300, 300},
	} {
		for _, f := range []savepage.Format{savepage.FormatPNG, savepage.FormatJPEG, savepage.FormatWebP} {
			shot := render(t, savepage.Options{URL: shared.url("/bands?height=900"), ThumbWidth: 300, ThumbHeight: 300, ThumbFit: fit, Format: f})
			decode(t, shot) // compares with the size that the shot says
			if (image.Point{X: shot.Width, Y: shot.Height}) != want {
				t.Errorf("%s as %s: %d x %d", fit, f, shot.Width, shot.Height)
			}
		}
	}
	shot := render(t, savepage.Options{URL: shared.url("/bands?height=3000"), Fullpage: true, ThumbHeight: 300})
	if fmt.Sprint(shot.Width, shot.Height) != "144 300" {
		t.Errorf("%d x %d", shot.Width, shot.Height)
	}
}
