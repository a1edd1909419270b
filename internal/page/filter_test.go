package page_test

import (
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/browser"
	"github.com/savepage/savepage/internal/guard"
	"github.com/savepage/savepage/internal/page"
)

// everyName leads every name to one public address.
type everyName struct{}

func (everyName) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	return []netip.Addr{netip.MustParseAddr("93.184.215.14")}, nil
}

// web is all hosts of the world at once: what they answer, and which were asked.
type web struct {
	*page.Renderer
	mu    sync.Mutex
	asked []string // host and path
}

var (
	adColour     = color.RGBA{255, 0, 255, 255}
	bannerColour = color.RGBA{255, 0, 0, 255}
	ownColour    = color.RGBA{0, 0, 255, 255}
	framedColour = color.RGBA{0, 255, 255, 255}
	trackColour  = color.RGBA{255, 128, 0, 255}
	pageColour   = color.RGBA{0, 128, 0, 255}
	white        = color.RGBA{255, 255, 255, 255}
)

const shopCSS = `html,body{margin:0;overflow:hidden;height:100vh} #content{width:100px;height:3000px;background:rgb(0,128,0)}
	body #CybotCookiebotDialog{display:block!important;position:fixed;bottom:0;left:200px;width:400px;height:200px;background:rgb(255,0,0)}
	.our-cookie-banner{position:fixed;top:0;left:700px;width:300px;height:100px;background:rgb(0,0,255)}
	iframe{position:absolute;border:0;top:150px;left:700px;width:200px;height:100px} #ad-frame{left:1000px}
	#ad{position:absolute;top:200px;left:200px;width:300px;height:250px}`

const shopAds = `<img id="ad" alt="" src="http://a.adnxs.com/banner.png"><iframe id="ad-frame" src="http://ads.pubmatic.com/frame"></iframe>
	<script src="http://sb.scorecardresearch.com/beacon.js"></script>`

const shopBanners = `<div id="CybotCookiebotDialog">We value</div>
	<div class="our-cookie-banner">Cookies</div>`

func shop(parts string) string {
	return `<!doctype html><html><head><title>Shop</title><link rel="stylesheet" href="/style.css"></head><body class="has-cookie-banner">
		<div id="content"><main>Goods</main></div><iframe src="/frame"></iframe>` + parts + `</body></html>`
}

func newWeb(t *testing.T) *web {
	t.Helper()
	w := &web{}
	server := httptest.NewServer(w)
	t.Cleanup(server.Close)
	var dialer net.Dialer
	policy := guard.New(guard.Config{Resolver: everyName{}, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return dialer.DialContext(ctx, network, server.Listener.Addr().String())
	}})
	log := slog.New(slog.DiscardHandler)
	pool, err := browser.Start(t.Context(), browser.Config{Pages: 1, Warm: 1}, policy, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pool.Close() })
	w.Renderer = page.New(pool, page.Config{}, log)
	return w
}

func (w *web) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	w.asked = append(w.asked, r.Host+r.URL.Path)
	w.mu.Unlock()
	switch r.URL.Path {
	case "/redirect":
		http.Redirect(rw, r, r.URL.Query().Get("to"), http.StatusFound)
	case "/goes":
		fmt.Fprintf(rw, `<!doctype html><script>location = %q</script>`, r.URL.Query().Get("to"))
	case "/places":
		fmt.Fprintf(rw, `<!doctype html><title>Places</title><style>%s</style><body>%s`, placesCSS, places)
	case "/style.css":
		rw.Header().Set("Content-Type", "text/css")
		fmt.Fprint(rw, shopCSS)
	case "/banner.png":
		img := image.NewRGBA(image.Rect(0, 0, 1, 1))
		img.Set(0, 0, adColour)
		_ = png.Encode(rw, img)
	case "/beacon.js":
		rw.Header().Set("Content-Type", "text/javascript")
		fmt.Fprint(rw, `const b=document.body.appendChild(document.createElement('div'));`+
			`b.style.cssText='position:absolute;top:500px;left:700px;width:100px;height:100px;background:rgb(255,128,0)'`)
	case "/frame":
		fmt.Fprint(
			rw,
			`<!doctype html><body style="margin:0"><div class="cc-window cc-banner" style="height:100px;background:rgb(0,255,255)"></div>`,
		)
	default:
		// No style but the site's own: a banner is hidden nevertheless.
		rw.Header().Set("Content-Security-Policy", "style-src 'self' 'unsafe-hashes'")
		parts := map[string]string{"/shop": shopAds + shopBanners, "/ads": shopAds, "/banners": shopBanners}
		fmt.Fprint(rw, shop(parts[r.URL.Path]))
	}
}

// take makes a full page and says which hosts were asked for it.
func (w *web) take(t *testing.T, o savepage.Options) (image.Image, savepage.Report, []string) {
	t.Helper()
	w.mu.Lock()
	w.asked = nil
	w.mu.Unlock()
	o.Fullpage = true
	shot, err := w.Render(t.Context(), o)
	if err != nil {
		t.Fatalf("%s: %v", o.URL, err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return decode(t, shot), shot.Report, slices.Clone(w.asked)
}

func wants(t *testing.T, img image.Image, pixels map[image.Point]color.RGBA) {
	t.Helper()
	for at, want := range pixels {
		if got := img.At(at.X, at.Y); !near(got, want, 0) {
			t.Errorf("%v is %v, want %v", at, got, want)
		}
	}
}

// Places of the shop.
var (
	contentAt = image.Pt(50, 700)
	adAt      = image.Pt(300, 300)
	bannerAt  = image.Pt(500, 850)
	ownAt     = image.Pt(900, 80)
	framedAt  = image.Pt(800, 200)
	adFrameAt = image.Pt(1100, 200)
	trackAt   = image.Pt(750, 550)
)

func TestFilter(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	all := map[image.Point]color.RGBA{
		contentAt: pageColour,
		adAt:      adColour,
		adFrameAt: framedColour,
		trackAt:   trackColour,
		bannerAt:  bannerColour,
		ownAt:     ownColour,
		framedAt:  framedColour,
	}
	foreign := []string{"a.adnxs.com/banner.png", "ads.pubmatic.com/frame", "sb.scorecardresearch.com/beacon.js"}
	url := "http://shop.example/shop"
	img, report, asked := w.take(t, savepage.Options{URL: url})
	wants(t, img, all)
	for _, one := range foreign {
		if !slices.Contains(asked, one) {
			t.Errorf("without options %s was not asked for", one)
		}
	}
	total := report.Requests.Total
	for name, c := range map[string]struct {
		o     savepage.Options
		gone  []image.Point
		asked []bool // of foreign
	}{
		"ads":      {savepage.Options{BlockAds: true}, []image.Point{adAt, adFrameAt}, []bool{false, false, true}},
		"trackers": {savepage.Options{BlockTrackers: true}, []image.Point{trackAt}, []bool{true, true, false}},
		"banners":  {savepage.Options{BlockCookieBanners: true}, []image.Point{bannerAt, ownAt, framedAt}, []bool{true, true, true}},
		"all": {
			savepage.Options{BlockAds: true, BlockTrackers: true, BlockCookieBanners: true},
			[]image.Point{adAt, adFrameAt, trackAt, bannerAt, ownAt, framedAt},
			[]bool{false, false, false},
		},
	} {
		t.Run(name, func(t *testing.T) {
			c.o.URL = url
			img, report, asked := w.take(t, c.o)
			want := maps.Clone(all)
			for _, at := range c.gone {
				want[at] = white
			}
			if c.o.BlockCookieBanners && !c.o.BlockAds { // the frame of the ad has a banner too, and may be a process of its own
				delete(want, adFrameAt)
			}
			wants(t, img, want)
			for i, one := range foreign {
				if slices.Contains(asked, one) != c.asked[i] {
					t.Errorf("%s: asked for is %v", one, !c.asked[i])
				}
			}
			refused := 0
			for _, was := range c.asked {
				if !was {
					refused++
				}
			}
			if r := report.Requests; r.Failed != 0 || r.Blocked != refused || r.Pending != 0 || len(r.Named) != refused || r.Total != total {
				t.Errorf("%+v, total was %d, %d refused", r, total, refused)
			}
			if report.Partial {
				t.Errorf("partial: %q", report.Reasons)
			}
			if high := img.Bounds().Dy(); c.o.BlockCookieBanners != (high == 3000) {
				t.Errorf("the picture is %d high", high)
			}
		})
	}
}

// What is not filtered is the same picture, and a page without anything to filter is not changed.
func TestFilterLeavesTheRest(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	clean, _, _ := w.take(t, savepage.Options{URL: "http://shop.example/clean"})
	for _, c := range []savepage.Options{
		{URL: "http://shop.example/ads", BlockAds: true, BlockTrackers: true},
		{URL: "http://shop.example/clean", BlockAds: true, BlockTrackers: true},
	} {
		if got, _, _ := w.take(t, c); !slices.Equal(pixels(got), pixels(clean)) {
			t.Errorf("%s is not the same as without filters", c.URL)
		}
	}
}

const (
	placesCSS = `html,body{margin:0} .box{position:absolute;width:100px;height:100px;top:100px;background:rgb(255,0,255)!important;` +
		`display:block!important} #own{top:300px;background:rgb(0,0,255)!important}`
	places = `<div class="box ad-banner-container" style="left:0"></div><a class="box" style="left:200px" ` +
		`href="https://adclick.g.doubleclick.net/aclk"></a>
		<div class="box intercom-launcher" style="left:400px"></div><div class="box" id="own" style="left:600px"></div>
		<script src="https://widget.intercom.io/widget/x"></script>
		<script>setTimeout(() => { const e = document.createElement('div'); e.className = 'box'; e.style.left = '800px'; ` +
		`document.body.append(e); setTimeout(() => { e.id = 'adframe'; }, 40) }, 40)</script>`
)

// What filter lists name is hidden: by a class, an id or a link, also when it comes late, and only with its own option.
func TestFilterHides(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	early, link, late, chat := image.Pt(50, 150), image.Pt(250, 150), image.Pt(850, 150), image.Pt(450, 150)
	for name, c := range map[string]struct {
		o    savepage.Options
		gone []image.Point
	}{
		"nothing": {},
		"ads":     {savepage.Options{BlockAds: true}, []image.Point{early, link, late}},
		"chats":   {savepage.Options{BlockChats: true}, []image.Point{chat}},
		"both":    {savepage.Options{BlockAds: true, BlockChats: true}, []image.Point{early, link, late, chat}},
	} {
		t.Run(name, func(t *testing.T) {
			c.o.URL = "http://shop.example/places"
			img, report, asked := w.take(t, c.o)
			want := map[image.Point]color.RGBA{early: adColour, link: adColour, late: adColour, chat: adColour, image.Pt(650, 350): ownColour}
			for _, at := range c.gone {
				want[at] = white
			}
			wants(t, img, want)
			if c.o.BlockChats && (report.Requests.Blocked != 1 || slices.Contains(asked, "widget.intercom.io/widget/x")) {
				t.Errorf("%+v, asked for %q", report.Requests, asked)
			}
		})
	}
}

func pixels(img image.Image) []uint8 {
	var all []uint8
	b := img.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			r, g, b, _ := img.At(x, y).RGBA()
			all = append(all, uint8(r>>8), uint8(g>>8), uint8(b>>8))
		}
	}
	return all
}

// A page on a listed host is captured whole, however the browser came to it.
func TestFilterNeverTakesThePageItself(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	for _, url := range []string{
		"http://www.hotjar.com/clean",
		"http://shop.example/redirect?to=http://www.hotjar.com/clean",
		"http://a.adnxs.com/redirect?to=http://www.hotjar.com/clean",
		"http://shop.example/goes?to=http://www.hotjar.com/clean",
	} {
		img, report, asked := w.take(t, savepage.Options{URL: url, BlockAds: true, BlockTrackers: true, BlockCookieBanners: true})
		wants(t, img, map[image.Point]color.RGBA{contentAt: pageColour})
		if report.FinalURL != "http://www.hotjar.com/clean" || report.HTTPStatus != 200 || report.Requests.Failed != 0 {
			t.Errorf("%s: %+v", url, report)
		}
		if !slices.Contains(asked, "www.hotjar.com/style.css") {
			t.Errorf("%s: asked for %s", url, strings.Join(asked, ", "))
		}
	}
}

func TestFilterOfHTML(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	html := `<!doctype html><body style="margin:0"><div style="width:100px;height:900px;background:rgb(0,128,0)"></div><div ` +
		`id="CybotCookiebotDialog"
		style="position:fixed;left:200px;width:400px;bottom:0;height:200px;background:rgb(255,0,0)"></div><img alt="" ` +
		`src="https://a.adnxs.com/banner.png">`
	img, report, asked := w.take(t, savepage.Options{HTML: html, BlockAds: true, BlockCookieBanners: true})
	wants(t, img, map[image.Point]color.RGBA{contentAt: pageColour, bannerAt: white})
	if len(asked) > 0 || report.Requests.Failed != 0 {
		t.Errorf("asked for %q, %+v", asked, report.Requests)
	}
}
