package page_test

import (
	"image/color"
	"strings"
	"testing"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/testsite"
)

// What a page asks for until it is complete is waited for, however often it asks for the same.
func TestWorkIsWaitedFor(t *testing.T) {
	for _, by := range []string{
		"once", "spread", "sequence", "graphql", "same", "parallel", "rows", "status", "bodies", "slow&ms=2000",
	} {
		t.Run(by, func(t *testing.T) {
			t.Parallel()
			asks(t, by)
		})
	}
}

// What a page goes on asking for, and what its server holds open, is not waited for and makes no picture partial.
func TestPollsAreNotWaitedFor(t *testing.T) {
	for _, by := range []string{
		"poll", "clockpoll", "interval", "tight", "long", "named", "caller", "events", "stream", "lines", "keepalive", "unread", "beacon",
	} {
		t.Run(by, func(t *testing.T) {
			t.Parallel()
			asks(t, by)
		})
	}
}

// asks renders a page that asks for something in one of its ways. Its pane must be filled, and the picture whole.
func asks(t *testing.T, by string) {
	t.Helper()
	shot := render(t, savepage.Options{URL: shared.url("/asking?by=" + by), Timeout: 20_000})
	if strings.HasPrefix(by, "slow") { // longer than a quarter of the timeout, after which other requests are not waited for
		shot = render(t, savepage.Options{URL: shared.url("/asking?by=" + by), Timeout: 6000})
	}
	if got := decode(t, shot).At(720, 500); !near(got, testsite.BoxColor(), 0) || shot.Report.Partial {
		t.Errorf("the pane is %v; %+v", got, shot.Report)
	}
}

// A request that is never answered costs its time and no more: the page is shown without it, and goes on as if it had failed.
func TestHangs(t *testing.T) {
	for _, c := range []struct {
		by, reason string
		begun      bool // the load event comes
	}{
		{"sheet", "/hang", true},
		{"import", "/hang", true},
		{"nested", "/hang", true},
		{"half", "/half.css", true},
		{"script", "/hang", true},
		{"written", "/hang", true},
		{"defer", "/hang", true},
		{"async", "/hang", true},
		{"module", "/hang", true},
		{"imported", "/hang", true},
		{"font", "/hang", true},
		{"frame", "/hang", true},
		{"other", "", true},
		{"image", "/hang", true},
		{"background", "/hang", true},
		{"object", "/hang", true},
		{"fetch", "requests did not end", true},
		{"xhr", "/hang", true},
		{"all", "and others", true},
	} {
		t.Run(c.by, func(t *testing.T) {
			t.Parallel()
			o := savepage.Options{URL: shared.url("/hangs?by=" + c.by), Timeout: 8000}
			if c.by == "all" {
				o.Timeout, o.Fullpage = 20_000, true
			}
			hangs(t, render(t, o), c.reason, c.begun)
		})
	}
}

// hangs looks at a picture of the page /hangs.
func hangs(t *testing.T, shot capture.Shot, reason string, begun bool) {
	t.Helper()
	img, said := decode(t, shot), strings.Join(shot.Report.Reasons, "; ")
	for x, want := range map[int]color.RGBA{140: testsite.BandColor(101), 380: testsite.BandColor(102)} {
		if got := img.At(x, 250); !near(got, want, 0) {
			t.Errorf("%v at %d,250, want %v", got, x, want)
		}
	}
	if got := img.At(620, 250); near(got, testsite.BoxColor(), 0) != begun {
		t.Errorf("%v where the load event puts a box", got)
	}
	if !shot.Report.Partial || !strings.Contains(said, reason) || strings.Contains(said, "script that did not end") ||
		strings.Contains(said, "the timeout came") {
		t.Errorf("%+v", shot.Report)
	}
}

// At the timeout there is a picture of every page that has a document, whatever it hangs on and whatever is asked for.
func TestHangsAtTheTimeout(t *testing.T) {
	for name, o := range map[string]savepage.Options{
		"load":    {WaitUntil: savepage.WaitLoad},
		"parsed":  {WaitUntil: savepage.WaitDOMContentLoaded},
		"idle":    {WaitUntil: savepage.WaitNetworkIdle, Fullpage: true},
		"settled": {Delay: 30_000},
		"element": {WaitUntil: savepage.WaitLoad, Selector: "#first"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o.URL, o.Timeout, o.OnTimeout = shared.url("/hangs?by=all"), 6000, savepage.OnTimeoutCapture
			shot := render(t, o)
			x := 140
			if o.Selector != "" {
				x = 100
			}
			said := strings.Join(shot.Report.Reasons, "; ")
			if got := decode(t, shot).At(x, min(250, shot.Height/2)); !near(got, testsite.BandColor(101), 0) {
				t.Errorf("%v", got)
			}
			if !strings.Contains(said, "the timeout came while waiting for") || strings.Contains(said, "script") {
				t.Errorf("%+v", shot.Report)
			}
		})
	}
	t.Run("pdf", func(t *testing.T) {
		t.Parallel()
		o := savepage.Options{URL: shared.url("/hangs?by=sheet"), Timeout: 6000, OnTimeout: savepage.OnTimeoutCapture, Format: savepage.FormatPDF}
		if shot := render(t, o); shot.Report.Pages == 0 || !strings.Contains(strings.Join(shot.Report.Reasons, "; "), "/hang") {
			t.Errorf("%+v", shot.Report)
		}
	})
	t.Run("html", func(t *testing.T) {
		t.Parallel()
		o := savepage.Options{
			HTML:    `<!DOCTYPE html><title>Own</title><link rel=stylesheet href="` + shared.url("/hang") + `"><body bgcolor=teal><h1>Own`,
			Timeout: 6000, OnTimeout: savepage.OnTimeoutCapture,
		}
		shot := render(t, o)
		if got := decode(t, shot).At(700, 500); !near(got, color.RGBA{0, 128, 128, 255}, 0) || shot.Report.HTTPStatus != 200 {
			t.Errorf("%v %+v", got, shot.Report)
		}
	})
}

// The page that stays is shown, where one leads to another within two seconds.
func TestOnward(t *testing.T) {
	w := ownSite(t)
	for _, c := range []struct{ path, ends string }{
		{"/onward?by=meta", "/bands"},
		{"/onward?by=timer", "/bands"},
		{"/onward?by=timer&ms=1900", "/bands"},
		{"/onward?by=text", "/bands"},
		{"/onward?by=count&ms=1500", "/bands"},
		{"/onward?by=submit", "/a"},
		{"/onward?by=itself", "/onward"},
		{"/onward?by=round", "/onward"},
		{"/refresh?to=/bands?height=900", "/bands"},
		{"/onward?by=meta&to=/js-redirect%3Fms=800%26to=/a", "/a"},
	} {
		t.Run(c.path, func(t *testing.T) {
			t.Parallel()
			shot, err := w.Render(t.Context(), patient(savepage.Options{URL: w.url(c.path)}))
			if err != nil {
				t.Fatal(err)
			}
			if at, _, _ := strings.Cut(shot.Report.FinalURL, "?"); at != w.url(c.ends) || shot.Report.Partial {
				t.Errorf("%+v", shot.Report)
			}
		})
	}
	t.Run("chain", func(t *testing.T) {
		t.Parallel()
		shot := render(t, savepage.Options{URL: shared.url("/onward?by=chain")})
		if !strings.Contains(strings.Join(shot.Report.Reasons, "; "), "was about to go on") {
			t.Errorf("%+v", shot.Report)
		}
	})
	for _, by := range []string{"overlay", "empty"} {
		t.Run(by, func(t *testing.T) {
			t.Parallel()
			shot := render(t, savepage.Options{URL: shared.url("/onward?ms=1200&by=" + by)})
			if got := decode(t, shot).At(720, 350); !near(got, testsite.BoxColor(), 0) {
				t.Errorf("%v %+v", got, shot.Report)
			}
		})
	}
}

// A way to another page that is never answered ends, and the page that is there is shown.
func TestOnwardToNowhere(t *testing.T) {
	t.Parallel()
	shot := render(t, savepage.Options{URL: shared.url("/onward?by=timer&ms=100&to=/hang"), Timeout: 5000})
	if r := shot.Report; r.Title != "Moving on" || !strings.Contains(strings.Join(r.Reasons, "; "), "on its way to "+shared.url("/hang")) {
		t.Errorf("%+v", r)
	}
}

// An error names what happened, also where the browser only knows that our proxy hung up.
func TestFailedRequestsAreNamed(t *testing.T) {
	t.Parallel()
	closed := closedPort(t)
	shot := render(t, savepage.Options{HTML: `<img src="http://` + closed + `/x.png"><img src="` + shared.url("/close") + `">`})
	named := strings.Join(shot.Report.Requests.Named, "; ")
	if !strings.Contains(named, closed+" refused the connection") || strings.Contains(named, "net::") {
		t.Error(named)
	}
}
