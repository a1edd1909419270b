package savepage

import (
	"cmp"
	"encoding/hex"
	"errors"
	"image/color"
	"strings"
)

// PNGEffort is how much time is spent for a smaller png. The pixels are the same.
type PNGEffort string

// The values of png_effort.
const (
	PNGFast   PNGEffort = "fast"
	PNGNormal PNGEffort = "normal"
	PNGBest   PNGEffort = "best"
)

// Fit is how a picture is fitted into thumb_width and thumb_height when both are given.
type Fit string

// The values of thumb_fit.
const (
	FitCover   Fit = "cover"   // fill the size; what is too much is cut off at the bottom, or equally at the sides
	FitContain Fit = "contain" // the whole picture, with bars of the background up to the size
	FitInside  Fit = "inside"  // the whole picture, as large as it fits
	FitFill    Fit = "fill"    // the whole picture, stretched to the size
)

// HasThumb reports whether the picture is scaled to a size of its own.
func (o Options) HasThumb() bool { return o.ThumbWidth > 0 || o.ThumbHeight > 0 }

// Backdrop is what stands behind a page without a background of its own, and around a thumbnail that is smaller than its size:
// the option background, else nothing with transparent, else white.
func (o Options) Backdrop() color.NRGBA {
	given, err := ParseColour(o.Background)
	switch {
	case err == nil:
		return given
	case o.Transparent:
		return color.NRGBA{}
	default:
		return color.NRGBA{0xff, 0xff, 0xff, 0xff}
	}
}

// ParseColour reads a colour as CSS writes it in hexadecimal: #rgb, #rgba, #rrggbb or #rrggbbaa, with or without the #.
func ParseColour(text string) (color.NRGBA, error) {
	digits := strings.TrimPrefix(text, "#")
	if len(digits) == 3 || len(digits) == 4 {
		var doubled strings.Builder
		for _, digit := range []byte(digits) {
			doubled.Write([]byte{digit, digit})
		}
		digits = doubled.String()
	}
	if len(digits) == 6 {
		digits += "ff"
	}
	channels, err := hex.DecodeString(digits)
	if err != nil || len(channels) != 4 {
		return color.NRGBA{}, errors.New("not a colour")
	}
	return color.NRGBA{channels[0], channels[1], channels[2], channels[3]}, nil
}

// checkPicture checks the colour of the background, and that a fit has a size to fit into.
func (o Options) checkPicture() []FieldError {
	var wrong []FieldError
	if o.ThumbFit != "" && (o.ThumbWidth == 0 || o.ThumbHeight == 0) {
		wrong = append(wrong, FieldError{"thumb_fit", "needs thumb_width and thumb_height", o.ThumbFit})
	}
	if o.Background == "" {
		return wrong
	}
	given, err := ParseColour(o.Background)
	info := cmp.Or(o.Format, Defaults().Format).Info()
	switch {
	case err != nil:
		const message = "must be a colour in hexadecimal: #rgb, #rgba, #rrggbb or #rrggbbaa, with or without the #"
		wrong = append(wrong, FieldError{"background", message, o.Background})
	case o.Transparent:
		wrong = append(wrong, FieldError{"background", "must not be given together with transparent", o.Background})
	case given.A != 0xff && info.Pixels() && !info.Transparent:
		wrong = append(wrong, FieldError{"background", "must be opaque with format " + string(info.Format), o.Background})
	}
	return wrong
}
