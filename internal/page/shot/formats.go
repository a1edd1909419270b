package shot

import (
	"cmp"
	"fmt"
	"io"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/page/layout"
	"github.com/savepage/savepage/internal/picture"
)

// rasterBudget is the bitmap that Chromium draws in one shot, in bytes. Beyond its 512 MB of tiles the rest is white,
// without an error.
const rasterBudget = 490_000_000

// tileFormat is the format of tiles and of pictures that are scaled: it loses nothing.
const tileFormat = savepage.FormatPNG

// CheckSize refuses a picture of width x height CSS pixels that no encoder or no memory holds, or that has more than
// maxPixels pixels.
func CheckSize(o savepage.Options, maxPixels int64, width, height int) error {
	format := o.Format.Info()
	if !format.Pixels() {
		return nil
	}
	w, h := layout.DevicePixels(width, o.Scale), layout.DevicePixels(height, o.Scale)
	if o.HasThumb() {
		tw, th := thumb(o).Size(w, h)
		if err := checkFormat(format, tw, th, maxPixels); err != nil {
			return err
		}
		return checkFormat(tileFormat.Info(), w, h, maxPixels)
	}
	if format.Encoder == savepage.EncoderBrowser && int64(w)*int64(h)*4 > rasterBudget {
		return tooLarge(w, h, fmt.Sprintf("a %s is drawn at once and may have %d million pixels", format.Format, rasterBudget/4/1_000_000))
	}
	return checkFormat(format, w, h, maxPixels)
}

// thumb is the size that the options scale the picture to.
func thumb(o savepage.Options) picture.Thumb {
	return picture.Thumb{Width: o.ThumbWidth, Height: o.ThumbHeight, Fit: cmp.Or(o.ThumbFit, savepage.FitCover), Bars: o.Backdrop()}
}

// perMetre is how many pixels of a png are a metre; 0 for one that was scaled to a number of pixels.
func perMetre(o savepage.Options) int {
	if o.HasThumb() {
		return 0
	}
	return picture.PerMetre(o.Scale)
}

func checkFormat(format savepage.FormatInfo, w, h int, maxPixels int64) error {
	switch {
	case int64(w)*int64(h) > maxPixels:
		return tooLarge(w, h, fmt.Sprintf("the limit is %d million pixels", maxPixels/1_000_000))
	case format.MaxSide > 0 && max(w, h) > format.MaxSide:
		return tooLarge(w, h, fmt.Sprintf("a %s has at most %d pixels a side", format.Format, format.MaxSide))
	}
	return nil
}

func tooLarge(w, h int, limit string) error {
	return savepage.Errorf(savepage.CodeTooLarge,
		"the picture would have %d x %d pixels and %s: set max_height, scale or another format", w, h, limit)
}

// sink is where tiles of a picture of w x h pixels go, or nil when the browser's own answer is the picture.
func sink(to io.Writer, o savepage.Options, w, h int) picture.Sink {
	browser := o.Format.Info().Encoder == savepage.EncoderBrowser
	switch {
	case o.HasThumb():
		format := o.Format
		if browser {
			format = tileFormat // which the browser then encodes
		}
		return picture.Scale(to, picture.Scaled{Width: w, Height: h, To: thumb(o), Format: format, Quality: o.Quality})
	case w*h <= onePiece, browser:
		return nil
	case o.Format == savepage.FormatJPEG:
		return picture.JoinJPEG(to, w, h, o.Quality)
	default:
		return picture.JoinPNG(to, w, h, perMetre(o))
	}
}
