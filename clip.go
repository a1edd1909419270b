package savepage

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Bounds of a clip in CSS pixels.
const (
	MaxClipPlace  = 200_000 // of x and y
	MaxClipWidth  = 20_000
	MaxClipHeight = 200_000
)

// Clip is a part of the page in CSS pixels, from the page's upper left corner. It can also be written as the text
// "x,y,width,height".
type Clip struct {
	X      int `json:"x" minimum:"0" maximum:"200000" doc:"CSS pixels from the page's left edge."`
	Y      int `json:"y" minimum:"0" maximum:"200000" doc:"CSS pixels from the page's top."`
	Width  int `json:"width" minimum:"1" maximum:"20000" doc:"CSS pixels."`
	Height int `json:"height" minimum:"1" maximum:"200000" doc:"CSS pixels."`
}

// UnmarshalJSON takes an object with all four members, or the text "x,y,width,height".
func (c *Clip) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '"' {
		var text string
		if err := json.Unmarshal(data, &text); err != nil {
			return err
		}
		return c.UnmarshalText([]byte(text))
	}
	var given struct {
		X, Y, Width, Height *int
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&given); err != nil || given.X == nil || given.Y == nil || given.Width == nil || given.Height == nil {
		return errors.New(`must be {"x","y","width","height"} in whole numbers`)
	}
	*c = Clip{*given.X, *given.Y, *given.Width, *given.Height}
	return nil
}

// UnmarshalText reads "x,y,width,height".
func (c *Clip) UnmarshalText(text []byte) error {
	parts := strings.Split(string(text), ",")
	if len(parts) != 4 {
		return fmt.Errorf("%q is not x,y,width,height", text)
	}
	for i, into := range []*int{&c.X, &c.Y, &c.Width, &c.Height} {
		n, err := strconv.Atoi(strings.TrimSpace(parts[i]))
		if err != nil {
			return fmt.Errorf("%q is not x,y,width,height: %q is not a whole number", text, parts[i])
		}
		*into = n
	}
	return nil
}

// check compares each member with its range.
func (c *Clip) check() []FieldError {
	if c == nil {
		return nil
	}
	var wrong []FieldError
	for _, one := range []struct {
		name             string
		value, low, high int
	}{
		{"x", c.X, 0, MaxClipPlace}, {"y", c.Y, 0, MaxClipPlace}, {"width", c.Width, 1, MaxClipWidth}, {"height", c.Height, 1, MaxClipHeight},
	} {
		if one.value < one.low || one.value > one.high {
			wrong = append(wrong, FieldError{"clip." + one.name, fmt.Sprintf("must be from %d to %d", one.low, one.high), one.value})
		}
	}
	return wrong
}
