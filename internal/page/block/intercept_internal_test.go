package block

import (
	"maps"
	"testing"

	"github.com/chromedp/cdproto/fetch"
	"github.com/chromedp/cdproto/network"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/page/address"
)

func always(v verdict) rule { return rule{judge: func(asked) verdict { return v }} }

func TestJudge(t *testing.T) {
	i := New(Config{})
	i.add(always(verdict{headers: savepage.Headers{"X-A": "1", "X-B": "1"}}))
	i.add(always(verdict{headers: savepage.Headers{"X-B": "2"}}))
	if got := i.judge(asked{}); got.refuse != "" || got.answer != nil || !maps.Equal(got.headers, savepage.Headers{"X-A": "1", "X-B": "2"}) {
		t.Errorf("headers of all rules: %+v", got)
	}
	i.add(always(verdict{refuse: "block_urls"}))
	if got := i.judge(asked{}); got.refuse != "block_urls" {
		t.Errorf("refused: %+v", got)
	}
	if got := i.judge(asked{main: true}); got.refuse != "" || len(got.headers) != 2 {
		t.Errorf("the page itself: %+v", got)
	}
	i.add(always(verdict{answer: &answer{status: 200}}))
	if got := i.judge(asked{}); got.answer != nil {
		t.Errorf("the first rule that decides decides: %+v", got)
	}
	if got := i.judge(asked{main: true}); got.answer == nil {
		t.Errorf("the page itself is answered: %+v", got)
	}
}

func TestOnlyWhatIsNeededIsPaused(t *testing.T) {
	i := New(Config{})
	i.add(rule{patterns: within("https://a.test")})
	i.add(rule{patterns: []*fetch.RequestPattern{{URLPattern: "*", ResourceType: network.ResourceTypeImage}}})
	if got := i.patterns(); len(got) != 2 || got[0].URLPattern != "https://a.test/*" || got[1].ResourceType != "Image" {
		t.Errorf("%+v", got)
	}
	i.add(rule{patterns: []*fetch.RequestPattern{{URLPattern: "*"}}})
	if got := i.patterns(); len(got) != 1 || got[0].URLPattern != "*" {
		t.Errorf("%+v", got)
	}
}

func TestCookiesRule(t *testing.T) {
	cookies := savepage.Cookies{{Name: "a", Value: "1"}, {Name: "b", Value: "2", Domain: "shop.test"}}
	for _, one := range []struct{ page, origin, want string }{
		{"https://shop.test", "https://shop.test", "as it is"},
		{"https://shop.test", "http://shop.test", "b=2; c=3"},
		{"https://shop.test", "https://shop.test:8443", "b=2; c=3"},
		{"https://shop.test", "https://other.test", "as it is"}, // the browser's own business
		{"http://shop.test", "https://shop.test", "as it is"},
		{"http://shop.test", "http://shop.test:8080", "b=2; c=3"},
		{"http://shop.test:8080", "https://shop.test", "b=2; c=3"},
		{"https://shop.test", "", "as it is"},
	} {
		r := cookiesRule(address.Page{Origin: one.page, Host: "shop.test"}, cookies)
		got := "as it is"
		if v := r.judge(asked{origin: one.origin, cookie: "a=1; b=2; c=3"}); v.headers != nil {
			got = v.headers["Cookie"]
		}
		if got != one.want {
			t.Errorf("%s for a page of %s: %q, want %q", one.origin, one.page, got, one.want)
		}
	}
	if r := cookiesRule(address.Page{Origin: "https://shop.test", Host: "shop.test"}, cookies[1:]); r.judge != nil {
		t.Error("a cookie with a domain needs no rule")
	}
	// A page on the usual port is not paused itself.
	for _, p := range cookiesRule(address.Page{Origin: "https://shop.test", Host: "shop.test"}, cookies).patterns {
		if p.URLPattern != "*://shop.test:*" && p.URLPattern != "http://shop.test/*" {
			t.Errorf("%s", p.URLPattern)
		}
	}
}
