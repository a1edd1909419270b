package api_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/api"
)

func TestDevicesAreListed(t *testing.T) {
	s := serve(t, nil)
	r := s.call(t, "GET", "/v1/devices", "", "Authorization:")
	wantStatus(t, r, 200)
	list, _ := r.json(t)["devices"].([]any)
	if len(list) != len(savepage.Devices()) || !strings.Contains(r.body, `"name":"iPhone 15 landscape"`) {
		t.Errorf("%d devices", len(list))
	}
}

// The device comes before the defaults, and what is given before the device.
func TestDeviceFillsWhatIsNotGiven(t *testing.T) {
	d := api.NewDecoder()
	for _, name := range []string{"iPhone 15", "iphone-15", "IPHONE_15"} {
		o, err := d.Values("query", url.Values{"url": {"http://e.test"}, "device": {name}})
		if err != nil {
			t.Fatal(err)
		}
		if o.Device != "iPhone 15" || o.Width != 393 || o.Height != 659 || o.Scale != 3 || !strings.Contains(o.UserAgent, "iPhone") ||
			o.Format != "png" {
			t.Errorf("%s: %+v", name, o)
		}
	}
	o, err := d.JSON([]byte(`{"url":"http://e.test","device":"Pixel 7","width":500,"scale":1,"user_agent":"UA/1"}`))
	if err != nil || o.Width != 500 || o.Height != 839 || o.Scale != 1 || o.UserAgent != "UA/1" {
		t.Errorf("%+v %v", o, err)
	}
}

func TestUnknownDeviceIsNamed(t *testing.T) {
	d := api.NewDecoder()
	for given, meant := range map[string]string{
		"iPhone15 Prro": "iPhone 15 Pro", "pixel7pro landscap": "Pixel 7 Pro landscape",
		"Galaxy Tap S9": "Galaxy Tab S9",
	} {
		_, err := d.JSON([]byte(`{"url":"http://e.test","device":"` + given + `"}`))
		if got := fieldsOf(t, err)["body.device"]; !strings.Contains(got, `did you mean "`+meant+`"?`) {
			t.Errorf("%s: %q", given, got)
		}
	}
	_, err := d.JSON([]byte(`{"url":"http://e.test","device":7}`))
	if got := fieldsOf(t, err)["body.device"]; got != "must be a string" {
		t.Errorf("%q", got)
	}
}
