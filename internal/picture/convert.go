package picture

import (
	"errors"
	"fmt"
	"io"

	"github.com/savepage/savepage"
)

// scaleLevel packs small results well: they are few bytes and are read often.
const scaleLevel = 6

// rowWriter takes the pixels of a picture row by row.
type rowWriter interface {
	pixels(row []byte, channels int) error
	close() error
}

// converter decodes its tiles to rows and hands them to a writer, through a scaler when the width changes.
type converter struct {
	width, missing int
	channels       int // of the first tile
	open           func(channels int) (rowWriter, error)
	out            rowWriter
}

// JoinJPEG returns a Sink that writes its tiles as one jpeg of width x height pixels to w.
func JoinJPEG(w io.Writer, width, height, quality int) Sink {
	return &converter{width: width, missing: height, open: func(int) (rowWriter, error) {
		return newJPEGWriter(w, width, height, quality)
	}}
}

// Scaled is a picture that is to be scaled.
type Scaled struct {
	Width, Height int // of the tiles together, in pixels
	To            Thumb
	Format        savepage.Format // png or jpeg
	Quality       int             // of jpeg, 1 to 100
}

// Scale returns a Sink that writes its tiles, scaled, as one picture to w.
func Scale(w io.Writer, s Scaled) Sink {
	return &converter{width: s.Width, missing: s.Height, open: func(channels int) (rowWriter, error) { return s.open(w, channels) }}
}

// open returns what takes the rows of the picture and writes the scaled one to w.
func (s Scaled) open(w io.Writer, channels int) (rowWriter, error) {
	f := s.To.fit(s.Width, s.Height)
	var out rowWriter
	var err error
	switch s.Format {
	case savepage.FormatPNG:
		out, err = newPNGWriter(w, headOf(f.width, f.height, channels, 0), scaleLevel)
	case savepage.FormatJPEG, savepage.FormatJPG:
		out, err = newJPEGWriter(w, f.width, f.height, s.Quality)
	default:
		err = fmt.Errorf("format %s cannot be written here", s.Format)
	}
	if err != nil {
		return nil, err
	}
	if f.width != f.toWidth || f.height != f.toHeight {
		out = &bars{out: out, f: f, colour: s.To.Bars}
	}
	scaled := newScaler(out, channels, axis{f.across, f.toWidth}, axis{f.down, f.toHeight})
	return &crop{out: scaled, f: f}, nil
}

func (c *converter) Add(tile []byte) error {
	t, err := openPNG(tile)
	if err != nil {
		return err
	}
	if c.out == nil {
		if c.out, err = c.open(t.channels); err != nil {
			return err
		}
		c.channels = t.channels
	}
	if err := checkTile(t, c.width, c.missing); err != nil {
		return err
	}
	if t.channels != c.channels {
		return corrupt("tile with %d channels in a picture with %d", t.channels, c.channels)
	}
	c.missing -= t.height
	var failed error
	err = t.each(func(row []byte) bool {
		failed = c.out.pixels(row, t.channels)
		return failed == nil
	})
	return errors.Join(err, failed)
}

func (c *converter) Close() error {
	if c.missing != 0 || c.out == nil {
		return fmt.Errorf("join: %d rows are missing", c.missing)
	}
	return c.out.close()
}
