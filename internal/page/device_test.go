package page_test

import (
	"strings"
	"testing"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/testsite"
)

// What a device sets is what the page is told, in every way that it can ask, and what the server is told.
func TestDevice(t *testing.T) {
	t.Parallel()
	w := ownSite(t)
	for device, want := range map[string]struct{ title, hints, mobile, system string }{
		"iPhone 15": {"393|393|3|393x852|5|true|iPhone|portrait-primary|none|||", "", "", ""},
		"Pixel 7": {
			"412|412|2.625|412x915|5|true|Linux armv81|portrait-primary|Google Chrome 159+Chromium 159|true|Android|Pixel 7 14.0.0",
			`"Google Chrome";v="159"`, "?1", `"Android"`,
		},
		"Pixel 7 landscape": {
			"863|863|2.625|915x412|5|true|Linux armv81|landscape-primary|Google Chrome 159+Chromium 159|true|Android|Pixel 7 14.0.0",
			`"Google Chrome";v="159"`, "?1", `"Android"`,
		},
		"Galaxy Tab S9": {
			"640|640|2.5|640x1024|5|true|Linux armv81|portrait-primary|Google Chrome 159+Chromium 159|false|Android|SM-X710 14.0.0",
			`"Google Chrome";v="159"`, "?0", `"Android"`,
		},
		"Desktop Edge": {
			"1280|1280|1|1920x1080|0|false|Win32|landscape-primary|Microsoft Edge 159+Chromium 159|false|Windows| 10.0.0",
			`"Microsoft Edge";v="159"`, "?0", `"Windows"`,
		},
		"Desktop Firefox": {"1280|1280|1|1920x1080|0|false|Win32|landscape-primary|none|||", "", "", ""},
	} {
		w.site.Forget()
		shot := render(t, savepage.Options{URL: w.url("/device?meta=1"), Device: device, Delay: 100})
		d, _ := savepage.FindDevice(device)
		if got := shot.Report.Title; got != want.title {
			t.Errorf("%s: the page says\n%q, want\n%q", device, got, want.title)
		}
		h := w.site.Seen("/device")[0].Header
		if h.Get("User-Agent") != d.UserAgent || !strings.Contains(h.Get("Sec-CH-UA"), want.hints) ||
			(want.hints == "") != (h.Get("Sec-CH-UA") == "") ||
			h.Get("Sec-CH-UA-Mobile") != want.mobile ||
			h.Get("Sec-CH-UA-Platform") != want.system {
			t.Errorf("%s: the server was told %v", device, h)
		}
		img := decode(t, shot)
		if b := img.Bounds(); b.Dx() != int(float64(d.Width)*d.Scale+0.5) || b.Dy() != int(float64(d.Height)*d.Scale+0.5) {
			t.Errorf("%s: the picture is %v", device, b)
		}
		edge := int(50*d.Scale) - 2
		if b := img.Bounds(); !near(img.At(edge, edge), testsite.BoxColor(), 0) || !near(img.At(b.Dx()-edge, 3), testsite.HeaderColor(), 0) ||
			near(img.At(edge+4, 3), testsite.BoxColor(), 0) {
			t.Errorf("%s: the corners are %v and %v", device, img.At(edge, edge), img.At(b.Dx()-edge, 3))
		}
	}
}

// A page without a viewport tag is laid out for 980 pixels on a phone and shown small; its full page has its own size.
func TestDeviceWithoutViewportTag(t *testing.T) {
	t.Parallel()
	shot := render(t, savepage.Options{URL: shared.url("/device"), Device: "iPhone 15"})
	img := decode(t, shot)
	if shot.Width != 1179 || shot.Height != 1977 || !strings.HasPrefix(shot.Report.Title, "980|980|3|") {
		t.Errorf("%d x %d, %q", shot.Width, shot.Height, shot.Report.Title)
	}
	for x, want := range map[int]bool{57: true, 64: false} { // 50 of 980 pixels are 60 of 1179
		if near(img.At(x, 5), testsite.BoxColor(), 0) != want {
			t.Errorf("%d: %v", x, img.At(x, 5))
		}
	}
	shot = render(t, savepage.Options{URL: shared.url("/device"), Device: "iPhone 15", Fullpage: true})
	img = decode(t, shot)
	if shot.Width != 2940 || shot.Height != 6000 || !near(img.At(147, 147), testsite.BoxColor(), 0) ||
		!near(img.At(2939-147, 3), testsite.HeaderColor(), 0) ||
		!near(img.At(1500, 5990), testsite.FooterColor(), 0) {
		t.Errorf("%d x %d: %v %v %v", shot.Width, shot.Height, img.At(147, 147), img.At(2939-147, 3), img.At(1500, 5990))
	}
}

// What is given wins over the device, and clicks land where they should on a page that is shown small.
func TestDeviceAndOptions(t *testing.T) {
	t.Parallel()
	w := ownSite(t)
	shot := render(t, savepage.Options{
		URL:       w.url("/device?meta=1"),
		Device:    "Pixel 7",
		Width:     500,
		Scale:     2,
		UserAgent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/150.0.1.2 Safari/537.36",
		Delay:     100,
	})
	if shot.Width != 1000 || shot.Height != 1678 || !strings.HasPrefix(shot.Report.Title, "500|500|2|") ||
		!strings.HasSuffix(shot.Report.Title, "|5|true|Linux x86_64|portrait-primary|Chromium 150+Google Chrome 150|false|Linux|") {
		t.Errorf("%d x %d, %q", shot.Width, shot.Height, shot.Report.Title)
	}
	for _, o := range []savepage.Options{{Device: "iPhone 15"}, {Device: "Pixel 7 landscape"}} {
		o.Click = []string{"#open", "#far"}
		o.URL = w.url("/acts")
		if shot := render(t, o); shot.Report.Title != "Acts open far" {
			t.Errorf("%s: %q", o.Device, shot.Report.Title)
		}
	}
}
