package page_test

import (
	"image/color"
	"strings"
	"testing"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/testsite"
)

// kinds are the requests of the page /kinds and the kind that each is for block_resources.
var kinds = map[string][]savepage.Resource{
	"image": {"image"}, "stylesheet": {"stylesheet"}, "font": {"font"}, "script": {"script"}, "media": {"media"},
	"xhr": {"xhr", "fetch"}, "fetch": {"xhr", "fetch"}, "eventsource": {"eventsource"}, "websocket": {"websocket"}, "frame": {"frame"},
	"ping": {"ping"}, "other": {"other"}, "worker-fetch": {"xhr", "fetch", "other"}, "worker-socket": {"websocket", "other"},
}

// Each kind that is named is not asked for, and all others are.
func TestBlockResources(t *testing.T) {
	t.Parallel()
	all := []savepage.Resource{
		"image", "stylesheet", "font", "script", "media", "xhr", "fetch", "eventsource", "websocket", "frame", "ping", "other",
	}
	for _, blocked := range append(all, "") {
		t.Run(string(blocked), func(t *testing.T) {
			t.Parallel()
			blocksResource(t, blocked)
		})
	}
}

// blocksResource renders a page without one kind of resource; without none when it is empty.
func blocksResource(t *testing.T, blocked savepage.Resource) {
	t.Helper()
	w := ownSite(t)
	o := savepage.Options{URL: w.url("/kinds"), Delay: 300}
	if blocked != "" {
		o.BlockResources = []savepage.Resource{blocked}
	}
	shot := render(t, o)
	refused := 0
	for name, names := range kinds {
		wanted := true
		for _, one := range names {
			wanted = wanted && one != blocked
		}
		if seen := len(w.site.Seen("/kind/"+name)) > 0; seen != wanted {
			t.Errorf("block %s: %s asked for: %v", blocked, name, seen)
		}
		if !wanted {
			refused++
		}
	}
	r := shot.Report.Requests
	if (r.Blocked > 0) != (blocked != "") || r.Blocked > refused {
		t.Errorf("block %s: %+v", blocked, r)
	}
	for _, name := range r.Named {
		if strings.Contains(name, "BLOCKED") {
			t.Errorf("block %s: what was refused counts as failed: %s", blocked, name)
		}
	}
	if shot.Report.Partial {
		t.Errorf("block %s: partial: %q", blocked, shot.Report.Reasons)
	}
	img := decode(t, shot)
	for x, kind := range map[int]savepage.Resource{40: "image", 140: "stylesheet", 240: "frame", 340: "script"} {
		want := testsite.BoxColor()
		if kind == blocked {
			want = color.RGBA{255, 255, 255, 255}
		}
		for _, y := range []int{2, 40, 78} {
			if got := img.At(x, y); !near(got, want, 0) {
				t.Errorf("block %s: %s is %v at %d,%d", blocked, kind, got, x, y)
			}
		}
	}
}

// A page sees a refused socket as one whose server is away.
func TestRefusedSocket(t *testing.T) {
	t.Parallel()
	w := ownSite(t)
	for _, o := range []savepage.Options{
		{BlockResources: []savepage.Resource{"websocket"}},
		{BlockURLs: []string{"ws://*/kind/*socket?a=?", "*worker-socket"}},
		{BlockURLs: []string{"*socket*"}},
	} {
		w.site.Forget()
		o.URL, o.Delay = w.url("/kinds"), 300
		shot := render(t, o)
		if got := shot.Report.Title; got != "Kinds error close1006" {
			t.Errorf("%v: the page says %q", o.BlockURLs, got)
		}
		if seen := w.site.Seen("/kind/websocket"); len(seen) > 0 {
			t.Errorf("%v: a connection was made", o.BlockURLs)
		}
		if seen := w.site.Seen("/kind/worker-socket"); len(seen) > 0 {
			t.Errorf("%v: a connection was made by a worker", o.BlockURLs)
		}
		if r := shot.Report.Requests; r.Blocked != 1 || len(r.Named) == 0 || !strings.Contains(r.Named[0], "/kind/websocket (block_") {
			t.Errorf("%+v", r)
		}
	}
}

func TestBlockURLs(t *testing.T) {
	t.Parallel()
	w := ownSite(t)
	shot := render(t, savepage.Options{URL: w.url("/kinds"), Delay: 300, BlockURLs: []string{
		"*://*/kind/i?age", "http://127.0.0.1:*/kind/f*", "*kinds", w.site.Other + "/*", "*/kind/worker-*", "*/KIND/script",
	}})
	for name := range kinds {
		blocked := strings.HasPrefix(name, "f") || name == "image" || strings.HasPrefix(name, "worker-")
		if seen := len(w.site.Seen("/kind/"+name)) > 0; seen == blocked {
			t.Errorf("%s asked for: %v", name, seen)
		}
	}
	if len(w.site.Seen("/kinds")) != 1 || shot.Report.HTTPStatus != 200 {
		t.Error("the page itself was refused")
	}
	r := shot.Report.Requests
	if r.Blocked < 4 || r.Failed > 1 { // the video is none
		t.Errorf("%+v", r)
	}
	if shot.Report.Partial {
		t.Errorf("%q", shot.Report.Reasons)
	}
}

// A redirect does not lead to what is blocked, and the page's own redirect leads on.
func TestBlockedByRedirect(t *testing.T) {
	t.Parallel()
	w := ownSite(t)
	shot := render(t, savepage.Options{URL: w.url("/redirect?to=/third"), BlockURLs: []string{w.site.Other + "/*"}})
	for _, path := range []string{"/picture/60x40-4.png", "/style.css", "/echo.json", "/echo"} {
		for _, r := range w.site.Seen(path) {
			if "http://"+r.Host == w.site.Other {
				t.Errorf("%s%s was asked for", r.Host, r.Path)
			}
		}
	}
	if shot.Report.FinalURL != w.url("/third") || len(w.site.Seen("/picture/60x40-5.png")) == 0 {
		t.Errorf("%+v", shot.Report)
	}
	w.site.Forget()
	shot = render(t, savepage.Options{URL: w.url("/redirect?to=" + w.site.Other + "/echo"), BlockURLs: []string{w.site.Other + "/*"}})
	if shot.Report.FinalURL != w.site.Other+"/echo" {
		t.Errorf("the page's own redirect was refused: %+v", shot.Report)
	}
}

func TestAuthorizationStaysWithTheOrigin(t *testing.T) {
	t.Parallel()
	w := ownSite(t)
	render(t, savepage.Options{URL: w.url("/third"), Authorization: "Bearer t0ken", Headers: savepage.Headers{"X-Secret": "s3cret"}})
	own := strings.TrimPrefix(w.site.URL, "http://")
	mine, others := 0, 0
	for _, path := range []string{
		"/third", "/picture/60x40-3.png", "/picture/60x40-4.png", "/picture/60x40-5.png", "/style.css", "/echo", "/echo.json",
		"/redirect",
	} {
		for _, r := range w.site.Seen(path) {
			got := r.Header.Get("Authorization")
			switch {
			case r.Host == own && (got != "Bearer t0ken" || r.Header.Get("X-Secret") == ""):
				t.Errorf("own origin, %s: %q", r.Path, got)
			case r.Host != own && got != "":
				t.Errorf("leaked to %s%s", r.Host, r.Path)
			case r.Host == own:
				mine++
			default:
				others++
			}
		}
	}
	if mine < 4 || others < 5 {
		t.Errorf("%d requests to the own origin and %d to others: too few to show anything", mine, others)
	}
	shot := render(t, savepage.Options{URL: w.url("/basic-auth"), Authorization: "Basic dXNlcjpwYXNz"})
	if shot.Report.HTTPStatus != 200 {
		t.Errorf("%+v", shot.Report)
	}
}
