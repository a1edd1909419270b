package picture

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/draw"
	_ "image/jpeg" // for Plain
	"image/png"
	"io"

	"github.com/savepage/savepage"
)

// Part is a band of rows of a picture, and how it is written.
type Part struct {
	Top, Rows int // in pixels of the picture
	To        Thumb
	Format    savepage.Format // png or jpeg
	Quality   int             // of jpeg, 1 to 100
	Out       io.Writer
}

// WriteParts reads a plain png, see Plain, once, down to the last row that a part needs, and writes each part, scaled. Parts may
// overlap. It holds some rows at a time.
func WriteParts(from io.Reader, parts []Part) error {
	in, err := streamPNG(from)
	if err != nil {
		return err
	}
	end := 0
	open := make([]rowWriter, len(parts))
	for i, p := range parts {
		if p.Top < 0 || p.Rows < 1 || p.Top+p.Rows > in.height {
			return fmt.Errorf("rows %d to %d of a picture with %d", p.Top, p.Top+p.Rows, in.height)
		}
		scaled := Scaled{Width: in.width, Height: p.Rows, To: p.To, Format: p.Format, Quality: p.Quality}
		if open[i], err = scaled.open(p.Out, in.channels); err != nil {
			return err
		}
		end = max(end, p.Top+p.Rows)
	}
	if end == 0 {
		return nil
	}
	var failed error
	seen := 0
	err = in.each(func(row []byte) bool {
		failed = hand(row, in.channels, seen, parts, open)
		seen++
		return failed == nil && seen < end
	})
	return errors.Join(err, failed)
}

// hand gives a row of the picture to the parts that show it, and closes those of which it is the last.
func hand(row []byte, channels, at int, parts []Part, open []rowWriter) error {
	for i, p := range parts {
		if at < p.Top || at >= p.Top+p.Rows {
			continue
		}
		if err := open[i].pixels(row, channels); err != nil {
			return err
		}
		if at == p.Top+p.Rows-1 {
			if err := open[i].close(); err != nil {
				return err
			}
		}
	}
	return nil
}

// Plain returns a picture as a png that WriteParts reads: 8 bits a channel, RGB or RGBA, not interlaced. One that is so is
// returned as it is. Any other png, a jpeg or a webp is decoded whole, if it has at most so many pixels.
func Plain(data []byte, most int) ([]byte, error) {
	if _, err := pngHeader(data); err == nil {
		return data, nil
	}
	width, height, err := Size(data)
	if err != nil {
		return nil, err
	}
	if width*height > most {
		return nil, fmt.Errorf("picture of %d x %d pixels is too large to decode: at most %d pixels", width, height, most)
	}
	img, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	pixels := image.NewNRGBA(image.Rect(0, 0, width, height))
	draw.Draw(pixels, pixels.Rect, img, img.Bounds().Min, draw.Src)
	var out bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&out, pixels); err != nil {
		return nil, fmt.Errorf("write png: %w", err)
	}
	return out.Bytes(), nil
}
