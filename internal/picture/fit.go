package picture

import (
	"bytes"
	"image/color"

	"github.com/savepage/savepage"
)

// Thumb is the size that a picture is scaled to.
type Thumb struct {
	Width, Height int          // pixels; 0 for what keeps the proportions
	Fit           savepage.Fit // when both are given
	Bars          color.NRGBA  // of FitContain
}

// Size is the size of the result for a picture of width x height pixels.
func (t Thumb) Size(width, height int) (w, h int) {
	f := t.fit(width, height)
	return f.width, f.height
}

// fitting is how a picture is fitted: a part of it is scaled to a size and put on a canvas.
type fitting struct {
	left, across, down int // the part of the source, which begins at its top
	toWidth, toHeight  int // what it is scaled to
	atX, atY           int // where that stands on the canvas
	width, height      int // of the canvas
}

// fit computes how a picture of width x height pixels becomes the thumbnail.
func (t Thumb) fit(width, height int) fitting {
	f := fitting{across: width, down: height, width: t.Width, height: t.Height}
	switch {
	case t.Height == 0:
		f.height = proportional(height, t.Width, width)
	case t.Width == 0:
		f.width = proportional(width, t.Height, height)
	case t.Fit == savepage.FitCover:
		f.across = min(width, proportional(height, t.Width, t.Height))
		f.down = min(height, proportional(width, t.Height, t.Width))
		f.left = (width - f.across) / 2
	case t.Fit == savepage.FitContain, t.Fit == savepage.FitInside:
		w := min(t.Width, proportional(width, t.Height, height))
		h := min(t.Height, proportional(height, t.Width, width))
		f.toWidth, f.toHeight = w, h
		if t.Fit == savepage.FitInside {
			f.width, f.height = w, h
		}
		f.atX, f.atY = (f.width-w)/2, (f.height-h)/2
		return f
	}
	f.toWidth, f.toHeight = f.width, f.height
	return f
}

// proportional is length x times / by, rounded, and at least 1.
func proportional(length, times, by int) int {
	return max(1, int((int64(length)*int64(times)+int64(by)/2)/int64(by)))
}

// crop passes on the part of the source that is shown.
type crop struct {
	out  rowWriter
	f    fitting
	seen int // rows
}

func (c *crop) pixels(row []byte, channels int) error {
	if c.seen++; c.seen > c.f.down {
		return nil
	}
	return c.out.pixels(row[c.f.left*channels:][:c.f.across*channels], channels)
}

func (c *crop) close() error { return c.out.close() }

// bars puts rows on a canvas of one colour.
type bars struct {
	out    rowWriter
	f      fitting
	colour color.NRGBA
	empty  []byte // a row of the colour
	line   []byte
	done   int // rows written
}

func (b *bars) pixels(row []byte, channels int) error {
	if b.empty == nil {
		c := b.colour
		b.empty = bytes.Repeat([]byte{c.R, c.G, c.B, c.A}[:channels], b.f.width)
		b.line = bytes.Clone(b.empty)
		if err := b.bar(b.f.atY); err != nil {
			return err
		}
	}
	copy(b.line[b.f.atX*channels:], row)
	b.done++
	return b.out.pixels(b.line, channels)
}

// bar writes empty rows.
func (b *bars) bar(rows int) error {
	for range rows {
		b.done++
		if err := b.out.pixels(b.empty, len(b.empty)/b.f.width); err != nil {
			return err
		}
	}
	return nil
}

func (b *bars) close() error {
	if err := b.bar(b.f.height - b.done); err != nil {
		return err
	}
	return b.out.close()
}
