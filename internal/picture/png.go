package picture

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/klauspost/compress/flate"
)

const pngSignature = "\x89PNG\r\n\x1a\n"

// The colour types of PNG that Chromium writes (W3C PNG, 11.2.1), by channels.
const (
	colourRGB  = 2
	colourRGBA = 6
)

// The filter types of PNG (W3C PNG, 9.2).
const (
	filterNone = iota
	filterSub
	filterUp
	filterAverage
	filterPaeth
)

// pngTile reads the rows of one png file.
type pngTile struct {
	width, height int
	channels      int // 3 or 4
	rows          io.Reader
	chunks        io.Reader // that rows reads, when it is a stream
}

// openPNG reads the header and prepares the inflation of the rows.
func openPNG(data []byte) (*pngTile, error) {
	t, err := pngHeader(data)
	if err != nil {
		return nil, err
	}
	packed, err := pngData(data)
	if err != nil {
		return nil, err
	}
	// The two bytes are zlib's header (RFC 1950). Its checksum at the end is not read: the chunks' own have been.
	if len(packed) < 2 || packed[0]&0x0f != 8 {
		return nil, corrupt("png data is not deflated")
	}
	t.rows = flate.NewReader(bytes.NewReader(packed[2:]))
	return t, nil
}

// pngHeader reads IHDR and accepts only what the rest of the package can read.
func pngHeader(data []byte) (*pngTile, error) {
	if len(data) < 33 || string(data[:8]) != pngSignature || string(data[12:16]) != "IHDR" {
		return nil, corrupt("no png header")
	}
	width, height := binary.BigEndian.Uint32(data[16:]), binary.BigEndian.Uint32(data[20:])
	if width == 0 || height == 0 || width > maxRow || height > 1<<30 {
		return nil, corrupt("png of %d x %d pixels", width, height)
	}
	t := &pngTile{width: int(width), height: int(height)}
	switch depth, colour, interlace := data[24], data[25], data[28]; {
	case depth == 8 && colour == colourRGB && interlace == 0:
		t.channels = 3
	case depth == 8 && colour == colourRGBA && interlace == 0:
		t.channels = 4
	default:
		return nil, corrupt("png with depth %d, colour type %d, interlace %d", depth, colour, interlace)
	}
	return t, nil
}

// pngData returns the joined contents of the IDAT chunks, checked against their checksums.
func pngData(data []byte) ([]byte, error) {
	packed := make([]byte, 0, len(data))
	for rest := data[8:]; ; {
		if len(rest) < 12 {
			return nil, corrupt("png ends without IEND")
		}
		size := binary.BigEndian.Uint32(rest)
		if uint64(size)+12 > uint64(len(rest)) {
			return nil, corrupt("png chunk is cut off")
		}
		body, sum := rest[4:8+size], binary.BigEndian.Uint32(rest[8+size:])
		if crc32.ChecksumIEEE(body) != sum {
			return nil, corrupt("png chunk has a wrong checksum")
		}
		switch string(body[:4]) {
		case "IEND":
			return packed, nil
		case "IDAT":
			packed = append(packed, body[4:]...)
		}
		rest = rest[12+size:]
	}
}

// rowBytes is the length of a row with its filter byte.
func (t *pngTile) rowBytes() int { return 1 + t.width*t.channels }

// next reads one row with its filter byte, still filtered.
func (t *pngTile) next(row []byte) error {
	if _, err := io.ReadFull(t.rows, row); err != nil {
		return fmt.Errorf("%w: png rows: %w", ErrCorrupt, err)
	}
	if row[0] > filterPaeth {
		return corrupt("png row with filter %d", row[0])
	}
	return nil
}

// each calls fn with every row's pixels, top to bottom. The slice is valid during the call. fn ends the walk early by
// returning false.
func (t *pngTile) each(fn func(pixels []byte) bool) error {
	row, above := make([]byte, t.rowBytes()), make([]byte, t.rowBytes())
	for range t.height {
		if err := t.next(row); err != nil {
			return err
		}
		unfilter(row[0], row[1:], above[1:], t.channels)
		if !fn(row[1:]) {
			return nil
		}
		row, above = above, row
	}
	return nil
}

// unfilter turns a row into pixels, in place. above holds the pixels of the row before, zeros for the first.
func unfilter(filter byte, row, above []byte, channels int) {
	switch filter {
	case filterSub:
		for i := channels; i < len(row); i++ {
			row[i] += row[i-channels]
		}
	case filterUp:
		for i, up := range above[:len(row)] {
			row[i] += up
		}
	case filterAverage:
		for i, up := range above[:len(row)] {
			left := 0
			if i >= channels {
				left = int(row[i-channels])
			}
			row[i] += byte((left + int(up)) / 2 & 0xff)
		}
	case filterPaeth:
		unfilterPaeth(row, above, channels)
	}
}

func unfilterPaeth(row, above []byte, channels int) {
	for i, up := range above[:len(row)] {
		var left, corner byte
		if i >= channels {
			left, corner = row[i-channels], above[i-channels]
		}
		row[i] += paeth(left, up, corner)
	}
}

// paeth is the predictor of W3C PNG, 9.4.
func paeth(left, up, corner byte) byte {
	p := int(left) + int(up) - int(corner)
	toLeft, toUp, toCorner := abs(p-int(left)), abs(p-int(up)), abs(p-int(corner))
	switch {
	case toLeft <= toUp && toLeft <= toCorner:
		return left
	case toUp <= toCorner:
		return up
	default:
		return corner
	}
}

func abs(n int) int {
	if n < 0 {
		return -n
	}
	return n
}
