package picture

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"hash"
	"hash/adler32"
	"io"

	"github.com/klauspost/compress/flate"

	"github.com/savepage/savepage/internal/picture/deflate"
)

// Packing is how a png is packed again.
type Packing struct {
	Best     bool        // as small as can be had, in several times the time
	PerMetre int         // pixels, see PerMetre; 0 for unknown
	Hurry    func() bool // asked again and again: true when Best holds no longer for the rest; nil for never
}

const (
	// packedBand is how many bytes are given one filter.
	packedBand = 64 << 10
	// unfiltered is how a trial of rows without a filter counts, in percent: they repeat rows further up, which it does not see.
	unfiltered = 90
)

// Pack reads a png as Chromium or this package writes it, twice, and writes one of the same pixels to w that is smaller: in
// grey or with a palette where they allow it, each part with the filter that suits it, and packed more thoroughly. It holds
// some rows at a time.
func Pack(ctx context.Context, w io.Writer, open func() io.Reader, p Packing) error {
	seen, err := look(ctx, open())
	if err != nil {
		return err
	}
	in, err := streamPNG(open())
	if err != nil {
		return err
	}
	out, err := newPacker(w, in, seen.reduction(), p)
	if err != nil {
		return err
	}
	var failed error
	err = in.each(func(row []byte) bool {
		if failed = out.pixels(row); failed == nil {
			failed = ctx.Err()
		}
		return failed == nil
	})
	if err = cmp.Or(failed, err); err == nil {
		err = in.end()
	}
	if err != nil {
		return fmt.Errorf("pack png: %w", err)
	}
	return out.close()
}

// look takes the census of a png.
func look(ctx context.Context, r io.Reader) (*census, error) {
	t, err := streamPNG(r)
	if err != nil {
		return nil, err
	}
	seen := newCensus(t.channels)
	if err := t.each(func(row []byte) bool { return seen.pixels(row) && ctx.Err() == nil }); err != nil {
		return nil, err
	}
	return seen, ctx.Err()
}

// packer packs rows of pixels.
type packer struct {
	Packing
	*reduction
	chunks *chunkWriter
	pack   *deflate.Writer
	sum    hash.Hash32
	filter *filters
	band   []byte // rows that wait, after the row before them
	size   int    // of a row
	fits   int    // bytes that wait at most
}

func newPacker(w io.Writer, t *pngTile, r *reduction, p Packing) (*packer, error) {
	out := &packer{Packing: p, reduction: r, sum: adler32.New()}
	var err error
	out.chunks, err = writeHead(w, pngHead{
		width: t.width, height: t.height, depth: r.depth, colour: r.colourType, palette: r.palette, alpha: r.alpha, perMetre: p.PerMetre,
	})
	if err != nil {
		return nil, err
	}
	level := deflate.Normal()
	if p.Best {
		level = deflate.Best()
	}
	var left int
	out.size, left = r.bytes(t.width)
	out.pack = deflate.NewWriter(out.chunks, level, 1+out.size)
	out.fits = max(1, packedBand/out.size) * out.size
	out.filter = newFilters(out.size, left, candidates(r.colourType, p.Best))
	out.band = make([]byte, out.size, out.size+out.fits)
	_, err = out.chunks.Write([]byte{0x78, 0xda}) // RFC 1950: a window of 32 KiB, packed thoroughly
	return out, err
}

func (p *packer) pixels(row []byte) error {
	p.band = p.row(p.band, row)
	if len(p.band)-p.size < p.fits {
		return nil
	}
	return p.flush()
}

// flush packs the rows that wait.
func (p *packer) flush() error {
	if p.Hurry != nil && p.Hurry() {
		p.pack.SetLevel(deflate.Normal())
		p.filter.tried = candidates(p.colourType, false)
	}
	filtered := p.filter.best(p.band)
	_, _ = p.sum.Write(filtered)
	_, err := p.pack.Write(filtered)
	copy(p.band, p.band[len(p.band)-p.size:])
	p.band = p.band[:p.size]
	return err
}

func (p *packer) close() error {
	if err := p.flush(); err != nil {
		return err
	}
	if err := p.pack.Close(); err != nil {
		return err
	}
	if _, err := p.chunks.Write(binary.BigEndian.AppendUint32(nil, p.sum.Sum32())); err != nil {
		return err
	}
	return p.chunks.close()
}

// adaptive stands among filters for the one of each row whose bytes are nearest to zero (W3C PNG, 12.7).
const adaptive = filterPaeth + 1

// candidates are the filters that are tried for rows of a colour type.
func candidates(colour byte, best bool) []byte {
	switch {
	case best:
		return []byte{filterNone, filterSub, filterUp, filterAverage, filterPaeth, adaptive}
	case colour == colourPalette:
		return []byte{filterNone}
	default:
		return []byte{filterNone, filterSub}
	}
}

// filters finds the filter that suits rows.
type filters struct {
	tried      []byte
	size, left int // of a row, of the pixel to the left
	count      counter
	trial      *flate.Writer
	kept, made []byte
	rows       [2][]byte // for adaptive
}

// counter counts what is written to it.
type counter int

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

func newFilters(size, left int, tried []byte) *filters {
	f := &filters{tried: tried, size: size, left: left, rows: [2][]byte{make([]byte, 1+size), make([]byte, 1+size)}}
	f.trial, _ = flate.NewWriter(nil, 1) // the level is valid
	return f
}

// best filters the rows of a band, which follow the row above them, so that they are small when they are packed.
func (f *filters) best(band []byte) []byte {
	least := -1
	for _, filter := range f.tried {
		f.made = f.apply(f.made[:0], band, filter)
		if len(f.tried) == 1 {
			return f.made
		}
		size := f.packed(f.made)
		if filter == filterNone {
			size = size * unfiltered / 100
		}
		if least < 0 || size < least {
			least = size
			f.kept, f.made = f.made, f.kept
		}
	}
	return f.kept
}

// packed is the size of what was filtered when it is packed quickly and alone.
func (f *filters) packed(filtered []byte) int {
	f.count = 0
	f.trial.Reset(&f.count)
	_, _ = f.trial.Write(filtered) // a counter does not fail
	_ = f.trial.Close()
	return int(f.count)
}

func (f *filters) apply(to, band []byte, filter byte) []byte {
	for at := f.size; at < len(band); at += f.size {
		above, row := band[at-f.size:at], band[at:at+f.size]
		if filter == adaptive {
			to = append(to, f.nearest(row, above)...)
			continue
		}
		begin := len(to)
		to = append(to, filter)
		to = append(to, row...)
		applyFilter(filter, to[begin+1:], row, above, f.left)
	}
	return to
}

// nearest is a row with the filter that leaves the smallest bytes.
func (f *filters) nearest(row, above []byte) []byte {
	least, kept := -1, 0
	for filter := byte(filterNone); filter <= filterPaeth; filter++ {
		to := f.rows[1-kept]
		to[0] = filter
		applyFilter(filter, to[1:], row, above, f.left)
		if sum := magnitude(to[1:]); least < 0 || sum < least {
			least, kept = sum, 1-kept
		}
	}
	return f.rows[kept]
}

// magnitude is the sum of bytes, each taken as a number from -128 to 127 without its sign.
func magnitude(row []byte) int {
	sum := 0
	for _, v := range row {
		sum += int(min(v, -v))
	}
	return sum
}

// applyFilter is the opposite of unfilter.
func applyFilter(filter byte, to, row, above []byte, left int) {
	above = above[:len(row)]
	to = to[:len(row)]
	copy(to, row)
	switch filter {
	case filterSub:
		for i := left; i < len(row); i++ {
			to[i] = row[i] - row[i-left]
		}
	case filterUp:
		for i, v := range row {
			to[i] = v - above[i]
		}
	case filterAverage:
		for i, v := range row {
			before := 0
			if i >= left {
				before = int(row[i-left])
			}
			to[i] = v - byte((before+int(above[i]))/2) //nolint:gosec // at most 255
		}
	case filterPaeth:
		for i, v := range row {
			var before, corner byte
			if i >= left {
				before, corner = row[i-left], above[i-left]
			}
			to[i] = v - paeth(before, above[i], corner)
		}
	}
}
