package savepage_test

import (
	"strings"
	"testing"

	"github.com/savepage/savepage"
)

func TestDevices(t *testing.T) {
	all := savepage.Devices()
	if len(all) < 200 {
		t.Fatalf("%d devices", len(all))
	}
	names := map[string]bool{}
	for _, d := range all {
		if d.Name == "" || names[d.Name] || d.Width < 320 || d.Height < 240 || d.Width > 3840 || d.Height > 2160 || d.Scale < 1 ||
			d.ScreenWidth < 320 || !strings.HasPrefix(d.UserAgent, "Mozilla/5.0 ") {
			t.Errorf("%+v", d)
		}
		names[d.Name] = true
		if found, known := savepage.FindDevice(strings.ToUpper(strings.ReplaceAll(d.Name, " ", "-"))); !known || found != d {
			t.Errorf("%s is not found", d.Name)
		}
		if upright, isLandscape := strings.CutSuffix(d.Name, " landscape"); isLandscape && !names[upright] {
			t.Errorf("%s has no upright one", d.Name)
		}
	}
	if _, known := savepage.FindDevice("no such device"); known {
		t.Error("found")
	}
	all[0].Name = "changed"
	if savepage.Devices()[0].Name == "changed" {
		t.Error("the table can be changed")
	}
}

func TestWithDefaultsKeepsWhatTheDeviceSet(t *testing.T) {
	once := savepage.Options{URL: "http://e.test", Device: "galaxy s9+ landscape"}.WithDefaults()
	if once.Scale != 4.5 || once.Width != 658 || once.Device != "Galaxy S9+ landscape" {
		t.Errorf("%+v", once)
	}
	if twice := once.WithDefaults(); twice.Scale != once.Scale || twice.Width != once.Width || twice.UserAgent != once.UserAgent {
		t.Errorf("%+v", twice)
	}
	if o := (savepage.Options{Device: "none such"}).WithDefaults(); o.Width != 1440 || o.UserAgent != "" {
		t.Errorf("%+v", o)
	}
}
