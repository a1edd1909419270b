package savepage

import (
	"cmp"
	_ "embed" // for the presets
	"encoding/json"
	"slices"
	"strings"
	"sync"
)

// Device is a preset of the option device. The descriptors are Playwright's: see devices/README.md.
type Device struct {
	Name         string  `json:"name"`
	Width        int     `json:"width"`  // of the viewport, CSS pixels
	Height       int     `json:"height"` // of the viewport, CSS pixels
	Scale        float64 `json:"scale"`  // device scale factor; may be beyond the range of the option scale
	Mobile       bool    `json:"mobile"` // the page's viewport meta tag applies
	Touch        bool    `json:"touch"`
	ScreenWidth  int     `json:"screen_width"`  // CSS pixels, of the device held upright
	ScreenHeight int     `json:"screen_height"` // CSS pixels, of the device held upright
	UserAgent    string  `json:"user_agent"`
}

//go:embed devices/devices.json
var devicesJSON string

// presets reads the embedded table once. A test checks that it is valid.
var presets = sync.OnceValue(func() []Device {
	var all []Device
	if json.Unmarshal([]byte(devicesJSON), &all) != nil {
		return nil
	}
	return all
})

// Devices returns all presets, each phone and tablet upright and as "… landscape".
func Devices() []Device { return slices.Clone(presets()) }

// FindDevice returns the preset with a name. Case, spaces, dashes and underscores make no difference.
func FindDevice(name string) (Device, bool) {
	want := plainDevice(name)
	for _, d := range presets() {
		if plainDevice(d.Name) == want {
			return d, true
		}
	}
	return Device{}, false
}

func plainDevice(name string) string {
	return strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' || r == '_' {
			return -1
		}
		return r
	}, strings.ToLower(name))
}

// withDevice fills options that were not given from the preset.
func (o Options) withDevice() Options {
	if o.Device == "" {
		return o
	}
	d, known := FindDevice(o.Device)
	if !known {
		return o
	}
	o.Device = d.Name
	o.Width = cmp.Or(o.Width, d.Width)
	o.Height = cmp.Or(o.Height, d.Height)
	o.Scale = cmp.Or(o.Scale, d.Scale)
	o.UserAgent = cmp.Or(o.UserAgent, d.UserAgent)
	return o
}
