package truth

import (
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"image/color"
	"io"
)

// rows calls fn with every row of the picture, top to bottom, until it fails. A png that is not held in pixels is read
// row by row, by a reader that shares nothing with the code that wrote it.
func (p *Picture) rows(fn func(y int, at func(x int) color.RGBA) error) error {
	if p.img == nil {
		return streamPNG(p.Bytes, fn)
	}
	for y := range p.Height {
		if err := fn(y, func(x int) color.RGBA { return p.pixel(x, y) }); err != nil {
			return err
		}
	}
	return nil
}

// streamPNG reads a png of 8 bits a channel, RGB or RGBA, not interlaced (W3C PNG, 9.2 for the filters).
func streamPNG(data []byte, fn func(y int, at func(x int) color.RGBA) error) error {
	width, height := int(binary.BigEndian.Uint32(data[16:])), int(binary.BigEndian.Uint32(data[20:]))
	channels := map[byte]int{2: 3, 6: 4}[data[25]]
	if data[24] != 8 || channels == 0 || data[28] != 0 {
		return errors.New("a kind of png that is not read here")
	}
	inflated, err := zlib.NewReader(&chunks{rest: data[8:]})
	if err != nil {
		return fmt.Errorf("png: %w", err)
	}
	row, above := make([]byte, 1+width*channels), make([]byte, 1+width*channels)
	for y := range height {
		if _, err := io.ReadFull(inflated, row); err != nil {
			return fmt.Errorf("png row %d: %w", y, err)
		}
		unfilter(row, above, channels)
		err := fn(y, func(x int) color.RGBA {
			px := row[1+x*channels:]
			c := color.RGBA{px[0], px[1], px[2], 255}
			if channels == 4 {
				c.A = px[3]
			}
			return c
		})
		if err != nil {
			return err
		}
		row, above = above, row
	}
	return nil
}

// chunks reads the contents of the IDAT chunks one after the other.
type chunks struct {
	rest []byte // of the file, at the beginning of a chunk
	data []byte // of the current IDAT
}

func (c *chunks) Read(p []byte) (int, error) {
	for len(c.data) == 0 {
		if len(c.rest) < 12 {
			return 0, io.ErrUnexpectedEOF
		}
		size := binary.BigEndian.Uint32(c.rest)
		kind := string(c.rest[4:8])
		if kind == "IEND" || uint64(size)+12 > uint64(len(c.rest)) {
			return 0, io.EOF
		}
		if kind == "IDAT" {
			c.data = c.rest[8 : 8+size]
		}
		c.rest = c.rest[12+size:]
	}
	n := copy(p, c.data)
	c.data = c.data[n:]
	return n, nil
}

// unfilter turns a row with its filter byte into pixels, in place.
func unfilter(row, above []byte, channels int) {
	for i := 1; i < len(row); i++ {
		var left, corner byte
		if i > channels {
			left, corner = row[i-channels], above[i-channels]
		}
		up := above[i]
		switch row[0] {
		case 1:
			row[i] += left
		case 2:
			row[i] += up
		case 3:
			row[i] += left/2 + up/2 + left&up&1
		case 4:
			row[i] += predict(left, up, corner)
		}
	}
}

// predict is Paeth's predictor.
func predict(left, up, corner byte) byte {
	p := int(left) + int(up) - int(corner)
	away := func(b byte) int { return max(p-int(b), int(b)-p) }
	switch {
	case away(left) <= away(up) && away(left) <= away(corner):
		return left
	case away(up) <= away(corner):
		return up
	default:
		return corner
	}
}
