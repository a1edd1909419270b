package truth

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	_ "image/jpeg" // a format of pictures
	_ "image/png"  // a format of pictures
	"math"

	_ "golang.org/x/image/webp" // a format of pictures

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
)

// Picture is what a capture gave. Places are CSS pixels of the page, whatever the scale of the picture.
type Picture struct {
	Bytes         []byte
	Width, Height int // pixels of the picture
	Report        savepage.Report
	Options       savepage.Options // complete
	Scale         float64          // pixels of the picture for each CSS pixel

	tolerance int         // of a channel, for formats that lose some
	img       image.Image // nil for a document, and for a png that is too large to be held in pixels
}

// Box is a part of the page in CSS pixels.
type Box struct{ X, Y, Width, Height int }

// and is the smallest box around two. An empty one counts for nothing.
func (b Box) and(other Box) Box {
	of := func(b Box) image.Rectangle { return image.Rect(b.X, b.Y, b.X+b.Width, b.Y+b.Height) }
	r := of(b).Union(of(other))
	return Box{r.Min.X, r.Min.Y, r.Dx(), r.Dy()}
}

// within reports whether a part of the page so large, from its top left on, shows all of the box.
func (b Box) within(width, height int) bool { return b.X+b.Width <= width && b.Y+b.Height <= height }

// mostHeld is how many pixels are held decoded. Rows of a larger png are read one by one.
const mostHeld = 100_000_000

func open(o savepage.Options, shot capture.Shot) (*Picture, error) {
	o = o.WithDefaults()
	p := &Picture{Bytes: shot.Bytes, Width: shot.Width, Height: shot.Height, Report: shot.Report, Options: o, Scale: o.Scale}
	if o.ThumbWidth > 0 && shot.Width > 0 {
		p.Scale = float64(shot.Width) / float64(o.Width)
	}
	switch o.Format {
	case savepage.FormatJPEG:
		p.tolerance = 8
	case savepage.FormatWebP:
		if o.Quality < 100 {
			p.tolerance = 10
		}
	case savepage.FormatPNG:
	default:
		return p, nil
	}
	return p, p.decode()
}

func (p *Picture) decode() error {
	cfg, _, err := image.DecodeConfig(bytes.NewReader(p.Bytes))
	if err != nil {
		return fmt.Errorf("the bytes are no picture: %w", err)
	}
	if cfg.Width != p.Width || cfg.Height != p.Height {
		return fmt.Errorf("the picture has %d x %d pixels, the result says %d x %d", cfg.Width, cfg.Height, p.Width, p.Height)
	}
	if p.Options.Format == savepage.FormatPNG && cfg.Width*cfg.Height > mostHeld {
		return nil
	}
	img, format, err := image.Decode(bytes.NewReader(p.Bytes))
	if err != nil {
		return fmt.Errorf("the picture can not be read: %w", err)
	}
	if lossy, is := img.(*image.YCbCr); is && format == "webp" {
		img = webpColours{lossy}
	}
	p.img = img
	return nil
}

// pixel is the colour of a pixel of the picture, with the alpha not multiplied in.
func (p *Picture) pixel(x, y int) color.RGBA {
	if p.img == nil || !(image.Point{X: x, Y: y}.In(p.img.Bounds())) {
		return color.RGBA{}
	}
	switch img := p.img.(type) {
	case *image.RGBA: // opaque: what Go makes of a png without alpha
		return img.RGBAAt(x, y)
	case *image.NRGBA:
		return color.RGBA(img.NRGBAAt(x, y))
	default:
		return color.RGBA(color.NRGBAModel.Convert(img.At(x, y)).(color.NRGBA)) //nolint:forcetypeassert // the model's own type
	}
}

// At is the colour in the middle of a CSS pixel.
func (p *Picture) At(x, y int) color.RGBA { return p.pixel(p.column(x), p.row(y)) }

func (p *Picture) column(x int) int { return int((float64(x) + 0.5) * p.Scale) }
func (p *Picture) row(y int) int    { return int((float64(y) + 0.5) * p.Scale) }

// pixels is a box in pixels of the picture, cut to it.
func (p *Picture) pixels(b Box) image.Rectangle {
	at := func(n int) int { return int(math.Round(float64(n) * p.Scale)) }
	return image.Rect(at(b.X), at(b.Y), at(b.X+b.Width), at(b.Y+b.Height)).Intersect(image.Rect(0, 0, p.Width, p.Height))
}

// near compares colours as closely as the format allows.
func (p *Picture) near(a, b color.RGBA) bool {
	for _, d := range [4]int{int(a.R) - int(b.R), int(a.G) - int(b.G), int(a.B) - int(b.B), int(a.A) - int(b.A)} {
		if max(d, -d) > p.tolerance {
			return false
		}
	}
	return true
}

// webpColours reads the samples of a lossy webp as RFC 9649 means them, from 16 to 235: x/image takes them for full range.
type webpColours struct{ *image.YCbCr }

func (w webpColours) At(x, y int) color.Color {
	c := w.YCbCrAt(x, y)
	l, cb, cr := 1.164*(float64(c.Y)-16), float64(c.Cb)-128, float64(c.Cr)-128
	clamp := func(v float64) uint8 { return uint8(min(max(v, 0), 255) + 0.5) }
	return color.RGBA{clamp(l + 1.596*cr), clamp(l - 0.392*cb - 0.813*cr), clamp(l + 2.017*cb), 255}
}

func (w webpColours) ColorModel() color.Model { return color.RGBAModel }
