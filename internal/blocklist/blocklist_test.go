package blocklist

import (
	"bytes"
	"compress/gzip"
	"slices"
	"strings"
	"testing"
)

func lists(tb testing.TB) *Lists {
	tb.Helper()
	l, err := Load()
	if err != nil {
		tb.Fatal(err)
	}
	return l
}

func TestCover(t *testing.T) {
	list := hosts{"192.0.2.7", "ads.example.com", "tracker.test"}
	for host, want := range map[string]bool{
		"ads.example.com": true, "a.b.ads.example.com": true, "tracker.test": true, "x.tracker.test": true, "192.0.2.7": true,
		"example.com": false, "badads.example.com": false, "nottracker.test": false, "tracker.test.example.org": false,
		"test": false, "com": false, "": false, ".": false, "..": false, "192.0.2.70": false, "tracker.test:443": false, "::1": false,
	} {
		if got := list.cover(host); got != want {
			t.Errorf("%q: %v, want %v", host, got, want)
		}
	}
}

func TestBlocked(t *testing.T) {
	l := lists(t)
	for _, c := range []struct {
		host          string
		ads, trackers bool
	}{
		{"ad.doubleclick.net", true, false},
		{"securepubads.g.doubleclick.net", true, false},
		{"SecurePubAds.G.DoubleClick.net.", true, false},
		{"amazon-adsystem.com", true, false},
		{"static.criteo.com", false, true},
		{"google-analytics.com", false, true},
		{"www.google-analytics.com", false, true},
		{"www.googletagmanager.com", false, true},
		{"static.hotjar.com", false, true},
		{"sb.scorecardresearch.com", false, true},
		{"example.com", false, false},
		{"www.example.com", false, false},
		{"cdn.jsdelivr.net", false, false},
		{"cdnjs.cloudflare.com", false, false},
		{"unpkg.com", false, false},
		{"ajax.googleapis.com", false, false},
		{"fonts.googleapis.com", false, false},
		{"fonts.gstatic.com", false, false},
		{"www.google.com", false, false},
		{"github.com", false, false},
		{"upload.wikimedia.org", false, false},
		{"i.ytimg.com", false, false},
		{"localhost", false, false},
		{"127.0.0.1", false, false},
		{"html.savepage.invalid", false, false},
	} {
		if a, b := l.Blocked(c.host, true, false), l.Blocked(c.host, false, true); a != c.ads || b != c.trackers {
			t.Errorf("%s: ads %v, trackers %v; want %v, %v", c.host, a, b, c.ads, c.trackers)
		}
		if both := l.Blocked(c.host, true, true); both != (c.ads || c.trackers) {
			t.Errorf("%s: both %v", c.host, both)
		}
		if l.Blocked(c.host, false, false) {
			t.Errorf("%s is blocked though nothing was asked for", c.host)
		}
	}
}

// A list out of order would be searched in vain, one with an upper-case or empty name would have dead entries.
func TestData(t *testing.T) {
	l := lists(t)
	for name, list := range map[string]hosts{"ads": l.ads, "trackers": l.trackers} {
		if len(list) < 20_000 {
			t.Errorf("%s: only %d hosts", name, len(list))
		}
		if !slices.IsSorted(list) || len(slices.Compact(slices.Clone(list))) != len(list) {
			t.Errorf("%s: not sorted, or with doubles", name)
		}
		for _, host := range list {
			if !strings.Contains(host, ".") || strings.HasPrefix(host, ".") || strings.HasSuffix(host, ".") ||
				strings.Trim(host, "abcdefghijklmnopqrstuvwxyz0123456789.-") != "" {
				t.Errorf("%s: %q is no host", name, host)
			}
		}
	}
}

func TestCookieCSS(t *testing.T) {
	css := lists(t).CookieCSS()
	for _, part := range []string{"#onetrust-banner-sdk", "#CybotCookiebotDialog", "cookie-banner", "overflow: visible"} {
		if !strings.Contains(css, part) {
			t.Errorf("%s is missing", part)
		}
	}
	if strings.Count(css, "{") != strings.Count(css, "}") || strings.Count(css, "(") != strings.Count(css, ")") {
		t.Error("the brackets do not match")
	}
}

func TestUnpackBroken(t *testing.T) {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := w.Write([]byte("a.test\nb.test\n")); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if list, err := unpack(packed.Bytes()); err != nil || !slices.Equal(list, hosts{"a.test", "b.test"}) {
		t.Errorf("%q, %v", list, err)
	}
	for _, broken := range [][]byte{nil, []byte("a.test\n"), packed.Bytes()[:packed.Len()-3]} {
		if _, err := unpack(broken); err == nil {
			t.Errorf("%q was unpacked", broken)
		}
	}
}

func BenchmarkBlocked(b *testing.B) {
	l := lists(b)
	for b.Loop() {
		l.Blocked("static.assets.www.example.com", true, true)
	}
}
