package blocklist

import (
	"slices"
	"strings"
	"testing"
)

// fits lays a pattern of Globs on an address.
func fits(glob, url string) bool {
	pieces := strings.Split(glob, "*")
	for _, piece := range pieces {
		_, rest, found := strings.Cut(url, piece)
		if !found {
			return false
		}
		url = rest
	}
	return true
}

// Whatever the lists block is asked about.
func TestGlobsMissNothing(t *testing.T) {
	both := lists(t).Filter(Wanted{Ads: true, Trackers: true})
	byPage := map[string][]string{}
	first, types := 0, typeOptions()
	for _, a := range answers(t) {
		page := both.Document(a.from)
		if strings.Contains(a.url, page.host) {
			first++
		}
		if _, path, own := strings.Cut(a.url, "://"+page.host); own {
			// What is refused for its path is refused on another host too.
			const other = "https://www.other.example"
			if !both.Decide(Request{URL: other + path, Type: types[a.kind], Document: both.Document(other)}).Blocked {
				continue
			}
		}
		url := a.url
		if url != strings.ToUpper(url) {
			url = strings.ToLower(url)
		}
		globs, known := byPage[page.host]
		if !known {
			globs = both.Globs(page)
			byPage[page.host] = globs
		}
		if globs != nil && !slices.ContainsFunc(globs, func(g string) bool { return fits(g, url) }) {
			t.Errorf("%s from %s is not asked about", a.url, a.from)
		}
	}
	if first < 300 {
		t.Errorf("only %d requests to the page's own host", first)
	}
}

// Plain requests to the page's own host are not asked about, those to others are.
func TestGlobs(t *testing.T) {
	both := lists(t).Filter(Wanted{Ads: true, Trackers: true, Chats: true})
	for _, host := range []string{"http://127.0.0.2:8080", "https://www.site.example"} {
		globs := both.Globs(both.Document(host + "/b"))
		if len(globs) < 100 || len(globs) > 4000 {
			t.Errorf("%d patterns", len(globs))
		}
		asked := func(url string) bool { return slices.ContainsFunc(globs, func(g string) bool { return fits(g, url) }) }
		for _, path := range []string{"/", "/b", "/picture/640x420-12.jpg", "/style.css", "/font.ttf", "/img/logo.png", "/static/js/main.js"} {
			if asked(host + path) {
				i := slices.IndexFunc(globs, func(g string) bool { return fits(g, host+path) })
				t.Errorf("%s is asked about because of %s", host+path, globs[i])
			}
		}
		for _, url := range []string{
			host + "/banner-ads/1.png", host + "/BANNER-ADS/1.png", "https://site.example/", "https://www.site.example.org/", "https://www.site.exampl/", "https://cdn.site.example/x",
			"http://127.0.0.1:8080/", "https://127.0.0.20/", "wss://x/",
		} {
			if !asked(url) {
				t.Errorf("%s is not asked about from %s", url, host)
			}
		}
	}
	if both.Globs(both.Document("about:blank")) != nil {
		t.Error("a page without a host has patterns")
	}
}

func BenchmarkGlobs(b *testing.B) {
	both := lists(b).Filter(Wanted{Ads: true, Trackers: true})
	page := both.Document("https://www.example.com/")
	for b.Loop() {
		both.Globs(page)
	}
	b.ReportMetric(float64(len(both.Globs(page))), "globs")
}
