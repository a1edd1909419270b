package picture

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"hash"
	"hash/crc32"
	"io"

	"github.com/klauspost/compress/flate"
)

// streamPNG reads a png from its beginning, without holding it. What is wrong with a chunk shows when it is read to its end.
func streamPNG(r io.Reader) (*pngTile, error) {
	in := bufio.NewReaderSize(r, 64<<10)
	head := make([]byte, 33)
	if _, err := io.ReadFull(in, head); err != nil {
		return nil, fmt.Errorf("%w: png header: %w", ErrCorrupt, err)
	}
	t, err := pngHeader(head)
	if err != nil {
		return nil, err
	}
	data := &chunkReader{r: in, sum: crc32.NewIEEE()}
	wrapped := make([]byte, 2) // zlib's header (RFC 1950)
	if _, err := io.ReadFull(data, wrapped); err != nil {
		return nil, fmt.Errorf("%w: png data: %w", ErrCorrupt, err)
	}
	if wrapped[0]&0x0f != 8 {
		return nil, corrupt("png data is not deflated")
	}
	t.rows, t.chunks = flate.NewReader(data), data
	return t, nil
}

// end reads what comes after the last row, up to the end of the picture.
func (t *pngTile) end() error {
	if _, err := io.Copy(io.Discard, t.rows); err != nil {
		return fmt.Errorf("%w: png rows: %w", ErrCorrupt, err)
	}
	_, err := io.Copy(io.Discard, t.chunks)
	return err
}

// chunkReader reads the contents of the IDAT chunks and passes over all others.
type chunkReader struct {
	r    io.Reader
	left int // bytes of the chunk
	sum  hash.Hash32
	end  bool
	err  error // is returned again: who reads ahead may not have passed it on
}

func (c *chunkReader) Read(p []byte) (int, error) {
	for c.left == 0 && !c.end && c.err == nil {
		c.err = c.next()
	}
	switch {
	case c.err != nil:
		return 0, c.err
	case c.end:
		return 0, io.EOF
	}
	var n int
	n, c.err = c.r.Read(p[:min(len(p), c.left)])
	_, _ = c.sum.Write(p[:n])
	if c.left -= n; c.left == 0 && c.err == nil {
		c.err = c.check()
	}
	return n, c.err
}

// next goes to the next chunk of data, or to the end.
func (c *chunkReader) next() error {
	for {
		var head [8]byte
		if _, err := io.ReadFull(c.r, head[:]); err != nil {
			return fmt.Errorf("%w: png ends without IEND: %w", ErrCorrupt, err)
		}
		c.sum.Reset()
		_, _ = c.sum.Write(head[4:])
		size := int64(binary.BigEndian.Uint32(head[:]))
		switch string(head[4:]) {
		case "IEND":
			c.end = true
			return nil
		case "IDAT":
			if c.left = int(size); size > 0 {
				return nil
			}
		}
		if _, err := io.CopyN(c.sum, c.r, size); err != nil {
			return fmt.Errorf("%w: png chunk is cut off: %w", ErrCorrupt, err)
		}
		if err := c.check(); err != nil {
			return err
		}
	}
}

// check compares a chunk with its checksum.
func (c *chunkReader) check() error {
	var sum [4]byte
	if _, err := io.ReadFull(c.r, sum[:]); err != nil {
		return fmt.Errorf("%w: png chunk is cut off: %w", ErrCorrupt, err)
	}
	if binary.BigEndian.Uint32(sum[:]) != c.sum.Sum32() {
		return corrupt("png chunk has a wrong checksum")
	}
	return nil
}
