package api_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/api"
)

func TestSurroundingsInEveryCarrier(t *testing.T) {
	want := savepage.Options{
		URL: "http://e.test", Timezone: "Europe/Berlin", Locale: "de-CH",
		Geolocation: &savepage.Geolocation{Latitude: 47.37, Longitude: -8.5, Accuracy: 20},
		ColorScheme: savepage.ColorSchemeDark, ReducedMotion: true, Media: savepage.MediaPrint,
	}.WithDefaults()
	want.Timeout = 0 // it is not given
	d := api.NewDecoder()
	for _, place := range []string{`{"latitude":47.37,"longitude":-8.5,"accuracy":20}`, `"47.37,-8.5,20"`} {
		got, err := d.JSON([]byte(`{"url":"http://e.test","timezone":"Europe/Berlin","locale":"de-CH","geolocation":` + place +
			`,"color_scheme":"dark","reduced_motion":true,"media":"print"}`))
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("JSON: %v %s", err, diff)
		}
		got, err = d.Values("query", url.Values{
			"url": {"http://e.test"}, "timezone": {"Europe/Berlin"}, "locale": {"de-CH"}, "geolocation": {strings.Trim(place, `"`)},
			"color_scheme": {"dark"}, "reduced_motion": {"1"}, "media": {"print"},
		})
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("query: %v %s", err, diff)
		}
	}
}

func TestWrongSurroundingsAreNamed(t *testing.T) {
	const place = `must be {"latitude","longitude","accuracy"} in numbers, or a string like "47.37,8.54"`
	const zone, tag = "must be an IANA time zone such as Europe/Berlin", "must be a BCP 47 tag such as de-CH"
	d := api.NewDecoder()
	for given, want := range map[string][2]string{
		`"timezone":"Europe/Nowhere"`:                  {"timezone", zone},
		`"timezone":"Local"`:                           {"timezone", zone},
		`"timezone":"../etc/passwd"`:                   {"timezone", zone},
		`"timezone":"posix/UTC"`:                       {"timezone", zone},
		`"locale":"de_CH"`:                             {"locale", tag},
		`"locale":"d"`:                                 {"locale", tag},
		`"locale":"de--CH"`:                            {"locale", tag},
		`"locale":"1a-CH"`:                             {"locale", tag},
		`"color_scheme":"no-preference"`:               {"color_scheme", "must be one of light, dark"},
		`"media":"tv"`:                                 {"media", "must be one of screen, print"},
		`"reduced_motion":"reduce"`:                    {"reduced_motion", "must be true or false"},
		`"geolocation":{"latitude":91,"longitude":1}`:  {"geolocation.latitude", "must be from -90 to 90"},
		`"geolocation":{"latitude":1,"longitude":181}`: {"geolocation.longitude", "must be from -180 to 180"},
		`"geolocation":"1,2,-3"`:                       {"geolocation.accuracy", "must be from 0 to 100000"},
		`"geolocation":"1"`:                            {"geolocation", place},
		`"geolocation":"1,NaN"`:                        {"geolocation.longitude", "must be from -180 to 180"},
		`"geolocation":{"latitude":1}`:                 {"geolocation", place},
		`"geolocation":{"lat":1,"lon":2}`:              {"geolocation", place},
		`"geolocation":7`:                              {"geolocation", place},
	} {
		_, err := d.JSON([]byte(`{"url":"http://e.test",` + given + `}`))
		if diff := cmp.Diff(map[string]string{"body." + want[0]: want[1]}, fieldsOf(t, err)); diff != "" {
			t.Errorf("%s: %s", given, diff)
		}
	}
	for _, right := range []string{
		`"timezone":"UTC"`, `"timezone":"Asia/Kolkata"`, `"locale":"zh-Hant-TW"`, `"locale":"en"`,
		`"geolocation":"0,0"`, `"geolocation":{"latitude":-90,"longitude":180}`,
	} {
		if _, err := d.JSON([]byte(`{"url":"http://e.test",` + right + `}`)); err != nil {
			t.Errorf("%s: %v", right, err)
		}
	}
}
