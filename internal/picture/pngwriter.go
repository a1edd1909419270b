package picture

import (
	"encoding/binary"
	"hash/crc32"
	"io"

	"github.com/klauspost/compress/zlib"
)

// pngWriter writes a png of filtered rows as a stream.
type pngWriter struct {
	chunks *chunkWriter
	pack   *zlib.Writer
	rows   int // still to come
	row    []byte
}

// newPNGWriter writes the header. level is klauspost's: 1 is fastest.
func newPNGWriter(w io.Writer, width, height, channels, level int) (*pngWriter, error) {
	head := make([]byte, 13)
	binary.BigEndian.PutUint32(head, uint32(width))      //nolint:gosec // callers check the size
	binary.BigEndian.PutUint32(head[4:], uint32(height)) //nolint:gosec // callers check the size
	head[8], head[9] = 8, colourRGB
	if channels == 4 {
		head[9] = colourRGBA
	}
	chunks := &chunkWriter{w: w}
	if _, err := io.WriteString(w, pngSignature); err != nil {
		return nil, err
	}
	if err := chunks.chunk("IHDR", head); err != nil {
		return nil, err
	}
	pack, err := zlib.NewWriterLevel(chunks, level)
	if err != nil {
		return nil, err
	}
	return &pngWriter{chunks: chunks, pack: pack, rows: height, row: make([]byte, 1+width*channels)}, nil
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
	if err := p.chunks.flush(); err != nil {
		return err
	}
	return p.chunks.chunk("IEND", nil)
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
