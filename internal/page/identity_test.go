package page_test

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/page"
)

// identity is what a page or a worker says of its browser, and the headers with which it said so.
type identity struct {
	Agent, Platform, Languages, Language, Brands, Full, System string
	Mobile, Webdriver                                          bool
	Touches                                                    int
	Screen, Window, Media                                      string
	header                                                     http.Header
}

// identities renders the page /identity and returns what each part of it says: the page, two frames, three workers.
func identities(t *testing.T, o savepage.Options, suffix string) map[string]identity {
	t.Helper()
	w := ownSite(t)
	if suffix != "" {
		w.Renderer = page.New(w.pool, page.Config{AgentSuffix: suffix}, slog.New(slog.DiscardHandler))
	}
	o.URL, o.WaitForSelector = w.url("/identity"), "#done"
	if _, err := w.Render(t.Context(), patient(o)); err != nil {
		t.Fatal(err)
	}
	said := map[string]identity{}
	for _, r := range w.site.Seen("/empty") {
		_, query, _ := strings.Cut(r.Path, "?")
		who, text, _ := strings.Cut(query, "=")
		text, err := url.QueryUnescape(text)
		if err != nil {
			t.Fatal(err)
		}
		is := identity{header: r.Header}
		if err := json.Unmarshal([]byte(text), &is); err != nil {
			t.Fatalf("%s: %v in %s", who, err, text)
		}
		said[who] = is
	}
	return said
}

// A page is in an ordinary Chrome of the browser's version, whichever way it asks: by itself, in frames and workers, and by its
// requests. What drives the browser is not hidden.
func TestIdentity(t *testing.T) {
	t.Parallel()
	said := identities(t, savepage.Options{}, "")
	ua := said["page"].Agent
	shape := regexp.MustCompile(`^Mozilla/5\.0 \(X11; Linux x86_64\) AppleWebKit/537\.36 ` +
		`\(KHTML, like Gecko\) Chrome/(\d+)\.0\.0\.0 Safari/537\.36$`)
	major := shape.FindStringSubmatch(ua)
	if major == nil {
		t.Fatalf("the user agent is %q", ua)
	}
	for _, who := range []string{"page", "frame", "other", "dedicated", "shared", "service"} {
		is, known := said[who]
		if !known {
			t.Errorf("%s says nothing", who)
			continue
		}
		if is.Agent != ua || is.Platform != "Linux x86_64" || is.Language != "en-US" {
			t.Errorf("%s says %+v", who, is)
		}
		if who == "shared" { // it belongs to no page, and has the languages and brands of the browser
			continue
		}
		for _, brands := range []string{is.Brands, is.Full} {
			if !strings.Contains(brands, "Google Chrome "+major[1]) || !strings.Contains(brands, "Chromium "+major[1]) ||
				strings.Contains(brands, "Headless") {
				t.Errorf("%s has the brands %q", who, brands)
			}
		}
		if is.Languages != "en-US,en" || is.Mobile || !strings.HasPrefix(is.System, "Linux,,x86,64,,Desktop,"+major[1]+".") {
			t.Errorf("%s is on %q", who, is.System)
		}
		h, document := is.header, is.Screen != "" // workers send no hints
		if h.Get("User-Agent") != ua || !strings.HasPrefix(h.Get("Accept-Language"), "en-US,en;q=0.9") ||
			document != strings.Contains(h.Get("Sec-CH-UA"), `"Google Chrome";v="`+major[1]+`"`) ||
			document && (h.Get("Sec-CH-UA-Mobile") != "?0" || h.Get("Sec-CH-UA-Platform") != `"Linux"`) {
			t.Errorf("%s asks with %v", who, h)
		}
	}
	if is := said["page"]; is.Screen != "1920,1080,1920,1080,24" || is.Window != "1440,987,1440,900,0,0" ||
		is.Media != "(hover: hover),(pointer: fine)" || !is.Webdriver || is.Touches != 0 {
		t.Errorf("the page sees %+v", is)
	}
}

// The operator's name stands behind user agents, those of devices too, and not behind one that a client gives.
func TestIdentityOfTheService(t *testing.T) {
	t.Parallel()
	const name = "ExampleShots/1.0 (+https://example.com/bot)"
	for _, one := range []struct {
		o    savepage.Options
		ends bool
	}{{savepage.Options{}, true}, {savepage.Options{Device: "Pixel 7"}, true}, {savepage.Options{UserAgent: "Harbour/1.0"}, false}} {
		for who, is := range identities(t, one.o, name) {
			if who == "shared" { // the browser is not started with the name here
				continue
			}
			if strings.HasSuffix(is.Agent, " "+name) != one.ends || is.header.Get("User-Agent") != is.Agent {
				t.Errorf("%q %q: %s says %q and asks as %q", one.o.Device, one.o.UserAgent, who, is.Agent, is.header.Get("User-Agent"))
			}
		}
	}
}

// A phone is one in every way too.
func TestIdentityOfADevice(t *testing.T) {
	t.Parallel()
	d, _ := savepage.FindDevice("Pixel 7")
	said := identities(t, savepage.Options{Device: d.Name}, "")
	for who, is := range said {
		if who == "shared" { // it belongs to no page
			continue
		}
		if is.Agent != d.UserAgent || is.header.Get("User-Agent") != d.UserAgent || !is.Mobile || is.Platform != "Linux armv81" ||
			is.System != "Android,14.0.0,,,Pixel 7,Mobile,159.0.8154.6" || is.Screen != "" && is.header.Get("Sec-CH-UA-Mobile") != "?1" {
			t.Errorf("%s says %+v and asks with %v", who, is, is.header)
		}
	}
	if is := said["page"]; len(said) != 6 || is.Screen != "412,915,412,915,24" || !strings.HasPrefix(is.Window, "412,") ||
		is.Touches != 5 || is.Media != "(hover: none),(pointer: coarse)" {
		t.Errorf("%d parts; the page sees %+v", len(said), is)
	}
}
