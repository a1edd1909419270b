// Package picture works on finished pictures: it joins tiles into one picture row band by row band, fits pictures into
// a size, packs png files again so that they are smaller, finds those of one colour, and reads their size. It holds one tile or
// some rows at a time and never a whole picture in pixels. It encodes png and jpeg only and renders nothing: webp and everything
// on a page is the browser's.
package picture

import (
	"errors"
	"fmt"
)

// ErrCorrupt means that the bytes are not a picture of the expected kind, or are cut off.
var ErrCorrupt = errors.New("picture is corrupt")

// maxRow bounds the memory that a header can ask for one row, in pixels.
const maxRow = 1 << 20

func corrupt(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrCorrupt, fmt.Sprintf(format, args...))
}

// Sink takes the tiles of one picture from top to bottom. Each tile is a png file as Chromium writes it: 8 bits a
// channel, RGB or RGBA, not interlaced, as wide as the picture.
type Sink interface {
	// Add takes the next tile. The slice is free for use again when Add returns.
	Add(tile []byte) error
	// Close writes what is left. It fails when rows are missing. It does not close the underlying writer.
	Close() error
}
