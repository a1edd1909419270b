package picture

import "math/bits"

// The colour types of PNG beside those that Chromium writes (W3C PNG, 11.2.1).
const (
	colourGrey      = 0
	colourPalette   = 3
	colourGreyAlpha = 4
)

// maxPalette is how many colours a palette holds.
const maxPalette = 256

// census is what there is in the pixels of a picture, as far as it allows to write fewer bytes for each.
type census struct {
	channels int
	grey     bool // red, green and blue are the same everywhere
	opaque   bool
	colours  []uint32 // in the order in which they come, RGBA from the lowest byte up; nil when they are too many
	known    map[uint32]int
	last     uint32
}

func newCensus(channels int) *census {
	return &census{channels: channels, grey: true, opaque: true, known: map[uint32]int{}}
}

// pixels looks at a row. It returns false when no further row can change the result.
func (c *census) pixels(row []byte) bool {
	for i := 0; i < len(row); i += c.channels {
		colour := c.colour(row[i:])
		if colour == c.last && (i > 0 || len(c.colours) > 0) {
			continue
		}
		c.last = colour
		c.grey = c.grey && row[i] == row[i+1] && row[i] == row[i+2]
		c.opaque = c.opaque && colour>>24 == 0xff
		if c.known == nil {
			continue
		}
		if _, known := c.known[colour]; !known {
			c.add(colour)
		}
	}
	return c.known != nil || c.grey || c.channels == 4 && c.opaque
}

func (c *census) add(colour uint32) {
	if len(c.colours) == maxPalette {
		c.colours, c.known = nil, nil
		return
	}
	c.known[colour] = len(c.colours)
	c.colours = append(c.colours, colour)
}

func (c *census) colour(pixel []byte) uint32 {
	colour := uint32(pixel[0]) | uint32(pixel[1])<<8 | uint32(pixel[2])<<16 | 0xff<<24
	if c.channels == 4 {
		colour = colour&0xffffff | uint32(pixel[3])<<24
	}
	return colour
}

// reduction turns rows of pixels into those of a png that says the same in fewer bytes.
type reduction struct {
	*census
	colourType, depth byte
	keep              []int // the channels that are kept; none for a palette
	palette, alpha    []byte
}

// reduction chooses how the pixels are written.
func (c *census) reduction() *reduction {
	r := &reduction{census: c, depth: 8}
	depth := byte(bits.Len(uint(max(1, len(c.colours)-1)))) //nolint:gosec // at most 8
	switch {
	case c.known != nil && (!c.grey || !c.opaque || depth <= 4):
		r.colourType = colourPalette
		for r.depth = 1; r.depth < depth; r.depth *= 2 {
		}
		r.sort()
	case c.grey && c.opaque:
		r.colourType, r.keep = colourGrey, []int{0}
	case c.grey:
		r.colourType, r.keep = colourGreyAlpha, []int{0, 3}
	case c.opaque:
		r.colourType, r.keep = colourRGB, []int{0, 1, 2}
	default:
		r.colourType, r.keep = colourRGBA, []int{0, 1, 2, 3}
	}
	return r
}

// sort puts what is not opaque first: only these need an alpha (W3C PNG, 11.3.2.1).
func (r *reduction) sort() {
	var sorted []uint32
	for _, opaque := range []bool{false, true} {
		for _, colour := range r.colours {
			if (colour>>24 == 0xff) == opaque {
				r.known[colour] = len(sorted)
				sorted = append(sorted, colour)
			}
		}
		if !opaque {
			for _, colour := range sorted {
				r.alpha = append(r.alpha, byte(colour>>24))
			}
		}
	}
	for _, colour := range sorted {
		r.palette = append(r.palette, byte(colour), byte(colour>>8), byte(colour>>16)) //nolint:gosec // a byte each
	}
}

// bytes is the length of a row of so many pixels, and of the pixel to the left as filters see it.
func (r *reduction) bytes(pixels int) (row, left int) {
	if r.colourType == colourPalette {
		return (pixels*int(r.depth) + 7) / 8, 1
	}
	return pixels * len(r.keep), len(r.keep)
}

// row appends a row.
func (r *reduction) row(to, pixels []byte) []byte {
	switch {
	case r.colourType == colourPalette:
		return r.indices(to, pixels)
	case len(r.keep) == r.channels:
		return append(to, pixels...)
	default:
		for i := 0; i < len(pixels); i += r.channels {
			for _, channel := range r.keep {
				to = append(to, pixels[i+channel])
			}
		}
		return to
	}
}

// indices appends places in the palette, the first in the highest bits of a byte (W3C PNG, 7.2).
func (r *reduction) indices(to, pixels []byte) []byte {
	var held byte
	free := 8
	last, index := uint32(0), -1
	for i := 0; i < len(pixels); i += r.channels {
		if colour := r.colour(pixels[i:]); colour != last || index < 0 {
			last, index = colour, r.known[colour]
		}
		free -= int(r.depth)
		held |= byte(index) << free //nolint:gosec // at most 255
		if free == 0 {
			to = append(to, held)
			held, free = 0, 8
		}
	}
	if free < 8 {
		to = append(to, held)
	}
	return to
}
