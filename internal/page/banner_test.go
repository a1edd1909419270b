package page_test

import (
	"strings"
	"testing"

	"github.com/savepage/savepage"
)

// The page's server hears no, and never yes; and hears nothing where only yes could be said.
func TestBannersAreRejected(t *testing.T) {
	t.Parallel()
	w := ownSite(t)
	for path, choice := range map[string]string{
		"/consent-onetrust": "rejected", "/consent-cookiebot": "rejected", "/consent-sourcepoint": "rejected", "/consent-own": "rejected",
		"/consent-accept": "", "/consent-none": "",
	} {
		w.site.Forget()
		r := render(t, savepage.Options{URL: w.url(path), BlockCookieBanners: true}).Report
		var heard []string
		for _, seen := range w.site.Seen("/data.json") {
			heard = append(heard, strings.TrimPrefix(seen.Path, "/data.json?choice="))
		}
		if got := strings.Join(heard, ","); got != choice {
			t.Errorf("%s: the server heard %q, want %q", path, got, choice)
		}
		if r.Partial || r.Console.Errors > 0 || r.CookieBanner == nil || (r.CookieBanner.Outcome == savepage.BannerRejected) != (choice != "") {
			t.Errorf("%s: %+v", path, r)
		}
	}
}

// A banner is not looked for without the option, and a page can not see that it is looked for.
func TestBannersLeaveNoTrace(t *testing.T) {
	t.Parallel()
	html := `<!doctype html><title>none</title><script>
		const before = Object.getOwnPropertyNames(window).length;
		setTimeout(() => document.title = [Object.getOwnPropertyNames(window).length - before, typeof savepageConsent, typeof ` +
		`autoconsentSendMessage, String(setTimeout).includes('native')].join(' '), 50)</script>`
	for _, want := range []bool{true, false} {
		r := render(t, savepage.Options{HTML: html, BlockCookieBanners: want, BlockAds: want}).Report
		if r.Title != "0 undefined undefined true" {
			t.Errorf("with banners rejected %v: %q", want, r.Title)
		}
		if (r.CookieBanner != nil) != want {
			t.Errorf("%+v", r.CookieBanner)
		}
	}
}

// What filter lists name is not asked of any server.
func TestUnwantedIsNotAskedFor(t *testing.T) {
	t.Parallel()
	w := ownSite(t)
	paths := []string{"/banner-ads/320x240-31.png", "/banner-ads/320x240-32.png", "/openx/www/delivery/ajs.php", "/advert.html", "/matomo.js"}
	for _, want := range []bool{false, true} {
		w.site.Forget()
		r := render(t, savepage.Options{URL: w.url("/ads"), BlockAds: want, BlockTrackers: want}).Report
		asked, most := 0, len(paths)
		for _, path := range paths {
			asked += min(1, len(w.site.Seen(path)))
		}
		if want {
			most = 0
		}
		if asked != most || (r.Requests.Blocked == len(paths)) != want || r.Requests.Failed != 0 || r.Partial {
			t.Errorf("blocked %v: %d of them were asked for, %+v", want, asked, r.Requests)
		}
		if len(w.site.Seen("/picture/320x240-33.png")) != 1 {
			t.Error("the page's own picture was not asked for")
		}
	}
}

// A tool's banner that comes while autoconsent is at work is rejected as the tool's, whenever it comes.
func TestLateBannerKeepsItsName(t *testing.T) {
	t.Parallel()
	for _, ms := range []string{"0", "20", "40", "60", "80"} {
		html := `<!doctype html><body><div style="position:fixed;top:0">Cookies and cakes</div><script>
			addEventListener('DOMContentLoaded', () => setTimeout(() => document.body.insertAdjacentHTML('beforeend', '<div ` +
			`id="onetrust-consent-sdk"><div id="onetrust-banner-sdk" role="dialog"' +
				' style="position:fixed;bottom:0;height:90px"><p>We use cookies on our website.</p><button id="onetrust-reject-all-handler" ` +
			`onclick="this.parentElement.remove()">Reject All</button></div></div>'), ` + ms + `))</script>`
		r := render(t, savepage.Options{HTML: html, BlockCookieBanners: true}).Report
		if r.CookieBanner == nil || r.CookieBanner.Outcome != savepage.BannerRejected || r.CookieBanner.Tool != "Onetrust" {
			t.Errorf("after %s ms: %+v", ms, r.CookieBanner)
		}
	}
}

// A tool that is known by nothing but what it says in the page's own world is found.
func TestToolWithoutMarks(t *testing.T) {
	t.Parallel()
	html := `<!doctype html><body><p>Bread</p><script>window.Cookiebot = {hasResponse: false, declined: false, dialog: {visible: true},
		withdraw() { this.declined = true; this.dialog.visible = false; document.title = 'withdrawn' }, hide() {}}</script>`
	r := render(t, savepage.Options{HTML: html, BlockCookieBanners: true}).Report
	if r.CookieBanner == nil || r.CookieBanner.Outcome != savepage.BannerRejected || r.CookieBanner.Tool != "Cybotcookiebot" ||
		r.Title != "withdrawn" {
		t.Errorf("%q, %+v", r.Title, r.CookieBanner)
	}
}
