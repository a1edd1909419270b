package picture

import (
	"encoding/binary"
	"hash/crc32"
	"io"
	"math"

	"github.com/klauspost/compress/zlib"
)

// pngHead is what a png says before its pixels.
type pngHead struct {
	width, height  int
	depth, colour  byte
	palette, alpha []byte // contents of PLTE and tRNS; none when they are empty
	perMetre       int    // pixels, for pHYs; 0 for unknown
}

// headOf is the head of a picture of 8 bits a channel.
func headOf(width, height, channels, perMetre int) pngHead {
	h := pngHead{width: width, height: height, depth: 8, colour: colourRGB, perMetre: perMetre}
	if channels == 4 {
		h.colour = colourRGBA
	}
	return h
}

// writeHead writes everything before the pixels.
func writeHead(w io.Writer, h pngHead) (*chunkWriter, error) {
	head := make([]byte, 13)
	binary.BigEndian.PutUint32(head, uint32(h.width))      //nolint:gosec // callers check the size
	binary.BigEndian.PutUint32(head[4:], uint32(h.height)) //nolint:gosec // callers check the size
	head[8], head[9] = h.depth, h.colour
	chunks := &chunkWriter{w: w}
	if _, err := io.WriteString(w, pngSignature); err != nil {
		return nil, err
	}
	for _, one := range []struct {
		kind string
		body []byte
	}{{"IHDR", head}, {"pHYs", density(h.perMetre)}, {"PLTE", h.palette}, {"tRNS", h.alpha}} {
		if len(one.body) == 0 {
			continue
		}
		if err := chunks.chunk(one.kind, one.body); err != nil {
			return nil, err
		}
	}
	return chunks, nil
}

// PerMetre is how many pixels of a picture at a scale are a metre, where a CSS pixel is a 96th of an inch.
func PerMetre(scale float64) int { return int(math.Round(scale * 96 / 0.0254)) }

// density is the content of pHYs (W3C PNG, 11.3.4.3): pixels a metre across and down.
func density(perMetre int) []byte {
	if perMetre <= 0 {
		return nil
	}
	body := binary.BigEndian.AppendUint32(nil, uint32(perMetre)) //nolint:gosec // positive
	body = binary.BigEndian.AppendUint32(body, uint32(perMetre)) //nolint:gosec // positive
	return append(body, 1)
}

// WithDensity returns a png that says how many of its pixels are a metre. The png must not say so already.
func WithDensity(png []byte, perMetre int) ([]byte, error) {
	if _, err := pngHeader(png); err != nil {
		return nil, err
	}
	const end = 33 // of IHDR
	with := make(fixed, 0, len(png)+21)
	with = append(with, png[:end]...)
	if err := (&chunkWriter{w: &with}).chunk("pHYs", density(perMetre)); err != nil {
		return nil, err
	}
	return append(with, png[end:]...), nil
}

// fixed takes what is written.
type fixed []byte

func (f *fixed) Write(p []byte) (int, error) {
	*f = append(*f, p...)
	return len(p), nil
}

// pngWriter writes a png of filtered rows as a stream.
type pngWriter struct {
	chunks *chunkWriter
	pack   *zlib.Writer
	rows   int // still to come
	row    []byte
}

// newPNGWriter writes the head of a picture of 8 bits a channel. level is klauspost's: 1 is fastest.
func newPNGWriter(w io.Writer, h pngHead, level int) (*pngWriter, error) {
	chunks, err := writeHead(w, h)
	if err != nil {
		return nil, err
	}
	pack, err := zlib.NewWriterLevel(chunks, level)
	if err != nil {
		return nil, err
	}
	channels := 3
	if h.colour == colourRGBA {
		channels = 4
	}
	return &pngWriter{chunks: chunks, pack: pack, rows: h.height, row: make([]byte, 1+h.width*channels)}, nil
}

// filtered writes rows that carry their filter bytes.
func (p *pngWriter) filtered(rows []byte) error {
	_, err := p.pack.Write(rows)
	return err
}

// pixels writes one row of pixels with filter Sub, which suits pictures that were scaled: no row needs the one before.
func (p *pngWriter) pixels(pixels []byte, channels int) error {
	p.row[0] = filterSub
	copy(p.row[1:1+channels], pixels)
	for i := channels; i < len(pixels); i++ {
		p.row[1+i] = pixels[i] - pixels[i-channels]
	}
	return p.filtered(p.row)
}

func (p *pngWriter) close() error {
	if err := p.pack.Close(); err != nil {
		return err
	}
	return p.chunks.close()
}

// chunkWriter puts what is written into IDAT chunks of 64 KiB.
type chunkWriter struct {
	w    io.Writer
	data []byte
}

func (c *chunkWriter) Write(p []byte) (int, error) {
	c.data = append(c.data, p...)
	if len(c.data) < 1<<16 {
		return len(p), nil
	}
	return len(p), c.flush()
}

func (c *chunkWriter) flush() error {
	if len(c.data) == 0 {
		return nil
	}
	err := c.chunk("IDAT", c.data)
	c.data = c.data[:0]
	return err
}

// close writes what is left, and the end of the file.
func (c *chunkWriter) close() error {
	if err := c.flush(); err != nil {
		return err
	}
	return c.chunk("IEND", nil)
}

func (c *chunkWriter) chunk(kind string, body []byte) error {
	head := make([]byte, 8)
	binary.BigEndian.PutUint32(head, uint32(len(body))) //nolint:gosec // at most some MiB
	copy(head[4:], kind)
	sum := crc32.Update(crc32.ChecksumIEEE(head[4:]), crc32.IEEETable, body)
	for _, part := range [][]byte{head, body, binary.BigEndian.AppendUint32(nil, sum)} {
		if _, err := c.w.Write(part); err != nil {
			return err
		}
	}
	return nil
}
