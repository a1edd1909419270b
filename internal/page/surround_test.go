package page_test

import (
	"image/color"
	"strings"
	"testing"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/testsite"
)

// seenBoxes are the boxes of the page /surroundings that have their colour, from left to right.
func seenBoxes(t *testing.T, w world, o savepage.Options) (boxes, title string) {
	t.Helper()
	o.URL = w.url("/surroundings")
	shot := render(t, o)
	img := decode(t, shot)
	var seen []string
	for i, name := range []string{"dark", "light", "still", "print", "screen", "here"} {
		switch got := img.At(100*i+50, 50); {
		case near(got, testsite.BoxColor(), 0):
			seen = append(seen, name)
		case !near(got, color.RGBA{200, 200, 200, 255}, 0):
			t.Errorf("box %s is %v", name, got)
		}
	}
	return strings.Join(seen, " "), shot.Report.Title
}

func TestMedia(t *testing.T) {
	t.Parallel()
	for _, one := range []struct {
		o    savepage.Options
		want string
	}{
		{savepage.Options{}, "light screen"},
		{savepage.Options{ColorScheme: "dark"}, "dark screen"},
		{savepage.Options{ColorScheme: "light"}, "light screen"},
		{savepage.Options{ReducedMotion: true}, "light still screen"},
		{savepage.Options{Media: "print"}, "light print"},
		{savepage.Options{Media: "print", ColorScheme: "dark", ReducedMotion: true}, "dark still print"},
		{savepage.Options{Media: "screen"}, "light screen"},
	} {
		if got, _ := seenBoxes(t, shared, one.o); got != one.want {
			t.Errorf("%+v: boxes %q, want %q", one.o, got, one.want)
		}
	}
}

func TestTimezoneAndLocale(t *testing.T) {
	t.Parallel()
	w := ownSite(t)
	for _, one := range []struct {
		o                savepage.Options
		title, languages string
	}{
		{savepage.Options{Timezone: "Asia/Tokyo"}, "en-US Asia/Tokyo 1,234.5 9 ", ""},
		{savepage.Options{Timezone: "America/Los_Angeles", Locale: "de-DE"}, "de-DE America/Los_Angeles 1.234,5 17 de-DE+de", "de-DE,de;q=0.9"},
		{savepage.Options{Locale: "fr", Timezone: "UTC"}, "fr UTC ", "fr"},
		{savepage.Options{Locale: "zh-Hant-TW", Timezone: "UTC", AcceptLanguage: "en-GB"}, "zh-Hant-TW UTC 1,234.5 0 en-GB", "en-GB"},
		{savepage.Options{Locale: "ar-EG-u-nu-latn", Timezone: "UTC"}, "ar-EG", "ar-EG,ar;q=0.9"},
	} {
		w.site.Forget()
		_, title := seenBoxes(t, w, one.o)
		if !strings.HasPrefix(title, one.title) {
			t.Errorf("%+v: the page says %q, want %q", one.o, title, one.title)
		}
		if got := w.site.Seen("/surroundings")[0].Header.Get("Accept-Language"); one.languages != "" && got != one.languages {
			t.Errorf("%+v: Accept-Language %q, want %q", one.o, got, one.languages)
		}
	}
	// The next capture knows nothing of it.
	if _, title := seenBoxes(t, w, savepage.Options{}); !strings.HasPrefix(title, "en-US ") || strings.Contains(title, "Tokyo") {
		t.Errorf("the page says %q", title)
	}
}

func TestNamesThatTheBrowserDoesNotKnow(t *testing.T) {
	t.Parallel()
	for field, o := range map[string]savepage.Options{"timezone": {Timezone: "Europe/Nowhere"}, "locale": {Locale: "q"}} {
		o.URL = shared.url("/surroundings")
		_, err := shared.Render(t.Context(), patient(o))
		if code(err) != savepage.CodeInvalidRequest || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: %v", field, err)
		}
	}
}

func TestGeolocation(t *testing.T) {
	t.Parallel()
	place := &savepage.Geolocation{Latitude: 47.5, Longitude: -8.25, Accuracy: 30}
	boxes, title := seenBoxes(t, shared, savepage.Options{Geolocation: place, Delay: 300})
	if boxes != "light screen here" || !strings.HasSuffix(title, " 47.5,-8.25,30") {
		t.Errorf("%q, the page says %q", boxes, title)
	}
	boxes, title = seenBoxes(t, shared, savepage.Options{Delay: 300})
	if boxes != "light screen" || strings.Contains(title, "47.5") {
		t.Errorf("without a place: %q, the page says %q", boxes, title)
	}
	// On the way through a redirect the origin that asks in the end may.
	shot := render(t, savepage.Options{
		URL:         shared.url("/redirect?to=" + shared.site.Other + "/surroundings"),
		Geolocation: &savepage.Geolocation{},
		Delay:       300,
	})
	if !strings.HasSuffix(shot.Report.Title, " 0,0,0") {
		t.Errorf("the page says %q", shot.Report.Title)
	}
}
