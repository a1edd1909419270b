package savepage

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // the names of time zones are the same wherever the service runs
)

// ColorScheme is the value of the media feature prefers-color-scheme.
type ColorScheme string

// The colour schemes.
const (
	ColorSchemeLight ColorScheme = "light"
	ColorSchemeDark  ColorScheme = "dark"
)

// Media is the medium whose styles apply.
type Media string

// The media.
const (
	MediaScreen Media = "screen"
	MediaPrint  Media = "print"
)

// Geolocation is a position on earth. It can also be written as the text "latitude,longitude" or
// "latitude,longitude,accuracy".
type Geolocation struct {
	Latitude  float64 `json:"latitude" minimum:"-90" maximum:"90" doc:"Degrees north."`
	Longitude float64 `json:"longitude" minimum:"-180" maximum:"180" doc:"Degrees east."`
	Accuracy  float64 `json:"accuracy,omitempty" minimum:"0" maximum:"100000" doc:"Metres."`
}

// MaxAccuracy bounds Geolocation.Accuracy, in metres.
const MaxAccuracy = 100_000

// UnmarshalJSON takes an object with at least latitude and longitude, or the text "latitude,longitude".
func (g *Geolocation) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '"' {
		var text string
		if err := json.Unmarshal(data, &text); err != nil {
			return err
		}
		return g.UnmarshalText([]byte(text))
	}
	var given struct {
		Latitude, Longitude *float64
		Accuracy            float64
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&given); err != nil || given.Latitude == nil || given.Longitude == nil {
		return errors.New(`must be {"latitude","longitude","accuracy"} in numbers`)
	}
	*g = Geolocation{*given.Latitude, *given.Longitude, given.Accuracy}
	return nil
}

// UnmarshalText reads "latitude,longitude" or "latitude,longitude,accuracy".
func (g *Geolocation) UnmarshalText(text []byte) error {
	parts := strings.Split(string(text), ",")
	if len(parts) != 2 && len(parts) != 3 {
		return fmt.Errorf("%q is not latitude,longitude", text)
	}
	into := []*float64{&g.Latitude, &g.Longitude, &g.Accuracy}
	for i, part := range parts {
		n, err := strconv.ParseFloat(strings.TrimSpace(part), 64)
		if err != nil {
			return fmt.Errorf("%q is not latitude,longitude: %q is not a number", text, part)
		}
		*into[i] = n
	}
	return nil
}

// check compares each member with its range. NaN is in none.
func (g *Geolocation) check() []FieldError {
	if g == nil {
		return nil
	}
	var wrong []FieldError
	for _, one := range []struct {
		name             string
		value, low, high float64
	}{{"latitude", g.Latitude, -90, 90}, {"longitude", g.Longitude, -180, 180}, {"accuracy", g.Accuracy, 0, MaxAccuracy}} {
		if !(one.value >= one.low && one.value <= one.high) {
			message := fmt.Sprintf("must be from %v to %v", one.low, one.high)
			wrong = append(wrong, FieldError{"geolocation." + one.name, message, fmt.Sprint(one.value)})
		}
	}
	return wrong
}

// checkEnvironment refuses unknown time zones and malformed locales.
func (o Options) checkEnvironment() []FieldError {
	wrong := o.Geolocation.check()
	if o.Timezone != "" && !isTimezone(o.Timezone) {
		wrong = append(wrong, FieldError{"timezone", "must be an IANA time zone such as Europe/Berlin", o.Timezone})
	}
	if o.Locale != "" && !isLocale(o.Locale) {
		wrong = append(wrong, FieldError{"locale", "must be a BCP 47 tag such as de-CH", o.Locale})
	}
	return wrong
}

func isTimezone(name string) bool {
	if name == "Local" || strings.HasPrefix(name, "posix") || strings.HasPrefix(name, "right/") {
		return false
	}
	_, err := time.LoadLocation(name)
	return err == nil
}

// isLocale reports whether a text is shaped like a BCP 47 tag: a language of 2 to 8 letters, then parts of 1 to 8 letters
// and digits.
func isLocale(tag string) bool {
	for i, part := range strings.Split(tag, "-") {
		if len(part) < 1 || len(part) > 8 || i == 0 && len(part) < 2 {
			return false
		}
		for _, c := range part {
			letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
			if !letter && (i == 0 || c < '0' || c > '9') {
				return false
			}
		}
	}
	return true
}
