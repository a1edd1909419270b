package blocklist

import (
	"slices"
	"strings"
	"testing"
)

// filterOf is a filter of one list.
func filterOf(tb testing.TB, lines ...string) Filter {
	tb.Helper()
	l, err := parse(strings.Join(lines, "\n"))
	if err != nil {
		tb.Fatal(err)
	}
	return Filter{l}
}

// ask asks as a script of www.site.example would.
func ask(f Filter, url string) Decision {
	return f.Decide(Request{URL: url, Type: Script, Document: f.Document("https://www.site.example/page")})
}

func TestPatterns(t *testing.T) {
	for rule, urls := range map[string]map[string]bool{
		"/banner/*": {"https://a.test/banner/x.js": true, "https://a.test/BANNER/x": true, "https://a.test/banners/x": false,
			"https://banner.test/": false},
		"-ad-300.": {"https://a.test/x-ad-300.js": true, "https://a.test/x-ad-3000.js": false},
		"||ads.test^": {
			"https://ads.test/": true, "http://ads.test": true, "https://x.y.ads.test:8443/z": true, "https://ADS.test/": true,
			"https://u:p@ads.test/": true,
			"https://badads.test/":  false, "https://ads.test.example/": false, "https://a.test/?u=ads.test/": false, "https://ads.testing/": false,
		},
		"||ads.test/js/": {"https://ads.test/js/1": true, "https://cdn.ads.test/js/": true, "https://ads.test/css/": false,
			"https://a.test/ads.test/js/": false},
		"||ads.*/js":        {"https://ads.test/js": true, "https://ads.a.b/x/js": true, "https://ad.test/js": false},
		"|https://x.test/a": {"https://x.test/ab": true, "https://y.test/?https://x.test/a": false},
		"/pixel.gif|":       {"https://a.test/pixel.gif": true, "https://a.test/pixel.gif?x": false},
		"/pixel.gif^":       {"https://a.test/pixel.gif": true, "https://a.test/pixel.gif?x": true, "https://a.test/pixel.gifs": false},
		"^track^": {"https://a.test/track": true, "https://a.test/?track=1": true, "https://a.test/track-1": false,
			"https://a.test/my%20track/": false},
		"/a*/c*e|": {"https://t.test/ab/cde": true, "https://t.test/ab/c/e/e": true, "https://t.test/ab/cdef": false,
			"https://t.test/a/b": false},
		"*/x*y":            {"https://t.test/x/y": true, "https://t.test/y/x": false},
		"/Case$match-case": {"https://t.test/Case": true, "https://t.test/case": false},
		`/\/ad[0-9]+\.js$/`: {"https://t.test/ad12.js": true, "https://t.test/AD12.JS": true, "https://t.test/ad.js": false,
			"https://t.test/ad1.js?x": false},
		`/^http.*adx/$script`: {"https://t.test/adx": true, "https://t.test/ad": false},
		"&ad_box_":            {"https://t.test/?a&ad_box_1": true, "https://t.test/?ad_box_1": false},
		"||192.0.2.7^":        {"http://192.0.2.7/": true, "http://192.0.2.70/": false},
		"||[2001:db8::1]^":    {"http://[2001:db8::1]/": true, "http://[2001:db8::2]/": false},
	} {
		f := filterOf(t, rule)
		for url, want := range urls {
			if got := ask(f, url).Blocked; got != want {
				t.Errorf("%s on %s: %v, want %v", rule, url, got, want)
			}
		}
	}
}

func TestOptions(t *testing.T) {
	site := "https://www.site.example/page"
	for _, c := range []struct {
		rule string
		Type
		url, from string
		want      bool
	}{
		{"/x$script", Script, "https://a.test/x", site, true},
		{"/x$script", Image, "https://a.test/x", site, false},
		{"/x$~script", Image, "https://a.test/x", site, true},
		{"/x$~script,~image", Image, "https://a.test/x", site, false},
		{"/x$image,subdocument", Frame, "https://a.test/x", site, true},
		{"/x$xhr,script", XHR, "https://a.test/x", site, true},
		{"/x$popup", Frame, "https://a.test/x", site, false},
		{"/x$popup,script", Script, "https://a.test/x", site, true},
		{"/x$document", Frame, "https://a.test/x", site, false},
		{"/x$third-party", Script, "https://a.test/x", site, true},
		{"/x$third-party", Script, "https://cdn.site.example/x", site, false},
		{"/x$~third-party", Script, "https://cdn.site.example/x", site, true},
		{"/x$~third-party", Script, "https://a.test/x", site, false},
		{"/x$third-party", Script, "https://b.co.uk/x", "https://a.co.uk/", true},
		{"/x$third-party", Script, "https://b.a.co.uk/x", "https://a.co.uk/", false},
		{"/x$third-party", Script, "https://b.github.io/x", "https://a.github.io/", true},
		{"/x$third-party", Script, "http://127.0.0.2/x", "http://127.0.0.1/", true},
		{"/x$third-party", Script, "http://127.0.0.1:81/x", "http://127.0.0.1:82/", false},
		{"/x$third-party", Script, "https://a.test/x", "about:blank", true},
		{"/x$domain=site.example", Script, "https://a.test/x", site, true},
		{"/x$domain=site.example", Script, "https://a.test/x", "https://other.example/", false},
		{"/x$domain=other.example|site.example", Script, "https://a.test/x", site, true},
		{"/x$domain=~site.example", Script, "https://a.test/x", site, false},
		{"/x$domain=~site.example", Script, "https://a.test/x", "https://other.example/", true},
		{"/x$domain=site.example|~www.site.example", Script, "https://a.test/x", site, false},
		{"/x$domain=site.example|~www.site.example", Script, "https://a.test/x", "https://m.site.example/", true},
		{"/x$domain=shop.*", Script, "https://a.test/x", "https://www.shop.co.uk/", true},
		{"/x$domain=shop.*", Script, "https://a.test/x", "https://shop.uk.example/", false},
		{"/x$from=site.example", Script, "https://a.test/x", site, true},
		{"/x$csp=script-src 'none'", Script, "https://a.test/x", site, false},
		{"/x$rewrite=abp-resource:blank-js", Script, "https://a.test/x", site, false},
		{"/x$removeparam=y", Script, "https://a.test/x", site, false},
		{"/x$redirect=noop.js,script", Script, "https://a.test/x", site, true},
	} {
		f := filterOf(t, c.rule, "/another")
		got := f.Decide(Request{URL: c.url, Type: c.Type, Document: f.Document(c.from)}).Blocked
		if got != c.want {
			t.Errorf("%s, %s from %s: %v, want %v", c.rule, c.url, c.from, got, c.want)
		}
	}
}

func TestExceptions(t *testing.T) {
	f := filterOf(t, "/ads/*", "/regular/", "||host.test^", "/must/*$important", "/gone/", "/gone/$badfilter", "/kept/*$script",
		"/kept/*$badfilter",
		"@@/ads/good.js", "@@||free.test^", "@@/must/*", "@@||host.test^$domain=friend.example", "@@||open.example^$document")
	for url, want := range map[string]bool{
		"https://a.test/ads/bad.js": true, "https://a.test/ads/good.js": false, "https://free.test/ads/bad.js": false,
		"https://a.test/must/x": true, "https://a.test/gone/x": false, "https://a.test/kept/x": true, "https://a.test/regular/": true,
		"https://host.test/": true,
	} {
		if got := ask(f, url).Blocked; got != want {
			t.Errorf("%s: %v, want %v", url, got, want)
		}
	}
	from := func(page string) bool {
		return f.Decide(Request{URL: "https://host.test/", Type: Script, Document: f.Document(page)}).Blocked
	}
	if from("https://friend.example/") || from("https://open.example/x") || !from("https://site.example/") {
		t.Error("exceptions for sites do not hold")
	}
}

func TestListsHoldTogether(t *testing.T) {
	l := &Lists{ads: filterOf(t, "/ads/", "@@/beacon/fine")[0], trackers: filterOf(t, "/beacon/")[0], chats: filterOf(t, "||chat.test^")[0]}
	fine, chat, ad := "https://a.test/beacon/fine", "https://chat.test/", "https://a.test/ads/1"
	for _, c := range []struct {
		w              Wanted
		fine, chat, ad bool
	}{
		{Wanted{}, false, false, false},
		{Wanted{Trackers: true}, true, false, false},
		{Wanted{Ads: true, Trackers: true}, false, false, true},
		{Wanted{Chats: true}, false, true, false},
	} {
		f := l.Filter(c.w)
		if ask(f, fine).Blocked != c.fine || ask(f, chat).Blocked != c.chat || ask(f, ad).Blocked != c.ad {
			t.Errorf("%+v", c.w)
		}
	}
}

func TestWholeHost(t *testing.T) {
	f := filterOf(t, "||host.test^", "||path.test/ads", "||other.test")
	for url, want := range map[string]bool{"https://host.test/x": true, "https://other.test/": true, "https://path.test/ads": false} {
		if d := ask(f, url); !d.Blocked || d.WholeHost != want {
			t.Errorf("%s: %+v", url, d)
		}
	}
}

// Addresses that are no addresses are not blocked, and nothing breaks.
func TestOddAddresses(t *testing.T) {
	f := filterOf(t, "a", "^", "||b^", "*x*y|", "|data:", "/z/$domain=q.test")
	for _, url := range []string{"", "data:text/html,a", "about:blank", "https://", "https://?", "blob:https://a/b", "https://[::1",
		"https://a\x80b/", "İ://İ/"} {
		ask(f, url)
	}
	for _, page := range []string{"", "about:srcdoc", "https://", "https://..", "https://com/", "file:///x"} {
		f.Decide(Request{URL: "https://b/z/", Type: Script, Document: f.Document(page)})
	}
}

func TestHiding(t *testing.T) {
	f := filterOf(t, "##.ad-box", "###top-ad", "##.ad.wide > p", `##a[href^="https://ads.test"]`, `##a[href^="https://click.test/x"]`,
		"~free.example##.banner", "##.everywhere-not", "#@#.everywhere-not",
		"site.example##.site-ad", "site.example,~www.site.example##.not-www", "shop.*##.shop-ad", "good.example#@#.ad-box", "##.x:has-text(Ad)",
		"a.example##+js(noop)",
		"a.example#?#div:-abp-contains(x)", "b.example#?#div:has(> .y)", "site.example##div:has(> .ad)", "c.example#$#abort-on-property-read x",
		"@@||quiet.example^$generichide", "@@||still.example^$elemhide", "@@||plain.example^$specifichide", "plain.example##.plain-ad",
		"quiet.example##.quiet-ad", "still.example##.still-ad")
	click := `a[href^="https://click.test/x"]`
	link := `a[href^="https://ads.test"]` // of no host in particular
	for page, want := range map[string]struct{ start, named []string }{
		"https://www.site.example/": {[]string{link, ".site-ad", "div:has(> .ad)"},
			[]string{".ad-box", "#top-ad", ".ad.wide > p", ".banner", click}},
		"https://site.example/": {[]string{link, ".not-www", ".site-ad", "div:has(> .ad)"},
			[]string{".ad-box", "#top-ad", ".ad.wide > p", ".banner", click}},
		"https://shop.co.uk/":    {[]string{link, ".shop-ad"}, []string{".ad-box", "#top-ad", ".ad.wide > p", ".banner", click}},
		"https://good.example/":  {[]string{link}, []string{"#top-ad", ".ad.wide > p", ".banner", click}},
		"https://free.example/":  {[]string{link}, []string{".ad-box", "#top-ad", ".ad.wide > p", click}},
		"https://b.example/":     {[]string{link, "div:has(> .y)"}, []string{".ad-box", "#top-ad", ".ad.wide > p", ".banner", click}},
		"https://quiet.example/": {[]string{".quiet-ad"}, nil},
		"https://still.example/": {nil, nil},
		"https://plain.example/": {[]string{link}, []string{".ad-box", "#top-ad", ".ad.wide > p", ".banner", click}},
	} {
		h := f.Hider(f.Document(page))
		start := slices.Sorted(slices.Values(h.Start()))
		slices.Sort(want.start)
		if !slices.Equal(start, want.start) {
			t.Errorf("%s: starts with %q, want %q", page, start, want.start)
		}
		names := []string{".ad-box", "#top-ad", ".ad", ".banner", ".nothing", ".everywhere-not", ".ad-box", "@click.test"}
		if got := h.Names(names); !slices.Equal(got, want.named) {
			t.Errorf("%s: hides %q, want %q", page, got, want.named)
		}
		if again := h.Names(names); len(again) > 0 {
			t.Errorf("%s: hides %q twice", page, again)
		}
	}
}

func TestNameOf(t *testing.T) {
	for selector, want := range map[string]string{
		".ad": ".ad", "#ad_1": "#ad_1", "div.ad-box > p": ".ad-box", "a[href='.x'] .y": ".y", "p:not(.z)": "", ".a, .b": "", `.a\:b`: "",
		"div":                  "",
		"iframe#x[src*=\"(\"]": "#x", ".": "", "[class*=\".ad\"]": "", ":is(.a) .b": ".b", ".ü1": ".ü1",
	} {
		if got := nameOf(selector); got != want {
			t.Errorf("%s: %q, want %q", selector, got, want)
		}
	}
}

func TestLinkOf(t *testing.T) {
	for selector, want := range map[string]string{
		`a[href^="https://Ads.test/x"]`: "@ads.test", `a[href^="http://ads.test/"]`: "@ads.test", `a[href^="https://ads.test"]`: "",
		`a[href^="https://ads.test?x"]`: "",
		`a[href*="https://ads.test/"]`:  "", `a[href^="https://ads.test/"][id]`: "", `a[href^="https://ads.test/"] > p`: "",
		`div[href^="https://ads.test/"]`: "", "a": "",
	} {
		if got := linkOf(selector); got != want {
			t.Errorf("%s: %q, want %q", selector, got, want)
		}
	}
}

func TestParseCounts(t *testing.T) {
	l, err := parse("[Adblock Plus 2.0]\r\n! comment\r\n||a.test^\r\n||b.test^$popup\r\n||c.test^$csp=x\r\n" +
		"##.ad\r\n##.x:upward(2)\r\n@@||d.test^\r\n")
	if err != nil {
		t.Fatal(err)
	}
	if want := (Stats{Rules: 2, Hiding: 1, Unneeded: 1, Unsupported: 2}); l.stats != want {
		t.Errorf("%+v, want %+v", l.stats, want)
	}
	for _, bad := range []string{"", "\n! only a comment\n", "<!doctype html><title>404</title>", "||a.test^\x00", "||\xff^",
		"/x$csp=a\n/y$csp=b\n/z"} {
		if _, err := parse(bad); err == nil {
			t.Errorf("%q is taken for a list", bad)
		}
	}
}
