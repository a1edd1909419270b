package mcp

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/client"
	"github.com/savepage/savepage/internal/picture"
)

// MaxTokens is how many tokens an answer takes at most, by the measure of pictureTokens and textTokens.
const MaxTokens = 25_000

// Longest sides of a picture that is shown, in pixels. Models scale what is longer than the usual one down.
const (
	lowestSide  = 64
	smallSide   = 640
	usualSide   = 1568
	highestSide = 2000
)

// overlapPart of a tile's height is shown in the next one too, so that no line of text is cut in both.
const overlapPart = 16

// maxFile is the size in bytes from which a picture is shown as jpeg and not as png.
const maxFile = 1 << 20

// shownQuality is the quality of such a jpeg.
const shownQuality = 80

// maxDecoded is how many pixels a picture may have that is not a png as this program writes it: it is decoded whole.
const maxDecoded = 1 << 24

// pictureTokens is what a picture costs a model: Anthropic's measure, which is the highest among the usual ones.
func pictureTokens(width, height int) int { return (width*height + 749) / 750 }

// textTokens is more than any text costs: no tokenizer that works on bytes makes more tokens of a text than it has bytes.
func textTokens(text string) int { return len(text) }

// view is how a picture is shown.
type view struct {
	side  int // the longest
	tiles bool
	first int // tile, from 1
}

// readView takes the arguments of a view.
func readView(given *arguments, side int) view {
	v := view{side: side, first: 1}
	given.integer("longest_side", &v.side, lowestSide, highestSide)
	given.boolean("tiles", &v.tiles)
	given.integer("first_tile", &v.first, 1, noMost)
	return v
}

// atMost is what one picture of the view costs at most, with the words about it.
func (v view) atMost() int { return pictureTokens(v.side, v.side) + 2*maxCaption }

// piece is a part of a picture and the size in which it is shown.
type piece struct{ top, rows, width, height int }

// pieces cuts a picture of width x height pixels, and says by which factor the pieces are smaller.
func (v view) pieces(width, height int) (all []piece, factor float64) {
	if !v.tiles {
		factor = min(1, float64(v.side)/float64(max(width, height)))
		return []piece{{0, height, scaled(width, factor), scaled(height, factor)}}, factor
	}
	factor = min(1, float64(v.side)/float64(width))
	rows := max(1, int(float64(v.side)/factor))
	step := rows - rows/overlapPart
	for top := 0; ; top += step {
		one := min(rows, height-top)
		all = append(all, piece{top, one, scaled(width, factor), min(v.side, scaled(one, factor))})
		if top+one >= height {
			return all, factor
		}
	}
}

func scaled(length int, factor float64) int { return max(1, int(math.Round(float64(length)*factor))) }

// picture shows the picture of a success, as far as the answer has room.
func (t *tools) picture(ctx context.Context, a *answer, from Captures, done client.Capture, look view) error {
	if !done.Format.Info().Pixels() {
		a.say(fmt.Sprintf("A %s is not shown; it is at the link.", done.Format))
		return nil
	}
	select {
	case t.views <- struct{}{}:
		defer func() { <-t.views }()
	case <-ctx.Done():
		return ctx.Err()
	}
	data, err := from.Picture(ctx, done)
	if err != nil {
		return err
	}
	plain, err := picture.Plain(data, maxDecoded)
	if err != nil {
		a.say(cut(fmt.Sprintf("It is not shown here (%v); it is at the link. A png is shown at any size.", err), maxLine))
		return nil
	}
	width, height, err := picture.Size(plain)
	if err != nil {
		return err
	}
	all, factor := look.pieces(width, height)
	if look.first > len(all) {
		why := "without tiles: true the picture is one piece"
		if look.tiles {
			why = fmt.Sprintf("with a longest_side of %d the picture has %d tiles", look.side, len(all))
		}
		return outside("first_tile", look.first, len(all), why)
	}
	return a.pieces(plain, all, look, factor)
}

// pieces shows pieces of a picture from the view's first on, until the answer is full.
func (a *answer) pieces(plain []byte, all []piece, look view, factor float64) error {
	first, left := look.first-1, a.left()
	end := first
	for end < len(all) {
		if left -= pictureTokens(all[end].width, all[end].height) + maxCaption; left < maxCaption {
			break
		}
		end++
	}
	files, err := drawn(plain, all[first:end])
	if err != nil {
		return err
	}
	for i := first; i < end; i++ {
		a.say(caption(all, i, factor))
		a.show(files[i-first], all[i])
	}
	switch {
	case end < len(all):
		a.say(fmt.Sprintf("%d more tiles do not fit into this answer: look_up with tiles: true, longest_side: %d and first_tile: %d shows them.",
			len(all)-end, look.side, end+1))
	case len(all) == 1 && factor < readable && all[0].height > 2*all[0].width:
		a.say("The page is tall: look_up with tiles: true shows it in readable pieces.")
	}
	return nil
}

// readable is the factor below which text is too small to read.
const readable = 0.5

// caption says what of the picture a piece shows, and how.
func caption(all []piece, i int, factor float64) string {
	one := all[i]
	text := fmt.Sprintf("Shown at %d×%d px, factor %.4g: a pixel here is %.4g of the full picture.", one.width, one.height, factor, 1/factor)
	if factor == 1 {
		text = fmt.Sprintf("Shown at %d×%d px, factor 1: not scaled.", one.width, one.height)
	}
	if len(all) == 1 {
		return text
	}
	over := ""
	if i > 0 {
		over = fmt.Sprintf(", the first %d of which are in tile %d too", all[i-1].top+all[i-1].rows-one.top, i)
	}
	return fmt.Sprintf("Tile %d of %d: rows %d to %d of the full picture%s. %s", i+1, len(all), one.top, one.top+one.rows-1, over, text)
}

// shownFile is a piece as it is sent.
type shownFile struct {
	data   []byte
	format savepage.Format
}

// drawn writes pieces of a picture: as png, or jpeg where that is too large.
func drawn(plain []byte, pieces []piece) ([]shownFile, error) {
	files := make([]shownFile, len(pieces))
	all := make([]int, len(pieces))
	for i := range all {
		all[i] = i
	}
	if err := draw(plain, pieces, files, all, savepage.FormatPNG); err != nil {
		return nil, err
	}
	large := slices.DeleteFunc(all, func(i int) bool { return len(files[i].data) <= maxFile })
	return files, draw(plain, pieces, files, large, savepage.FormatJPEG)
}

// draw writes those pieces whose numbers are given.
func draw(plain []byte, pieces []piece, files []shownFile, which []int, format savepage.Format) error {
	parts := make([]picture.Part, len(which))
	outs := make([]bytes.Buffer, len(which))
	for n, i := range which {
		one := pieces[i]
		parts[n] = picture.Part{
			Top: one.top, Rows: one.rows, To: picture.Thumb{Width: one.width, Height: one.height, Fit: savepage.FitFill},
			Format: format, Quality: shownQuality, Out: &outs[n],
		}
	}
	if err := picture.WriteParts(bytes.NewReader(plain), parts); err != nil {
		return fmt.Errorf("scale the picture: %w", err)
	}
	for n, i := range which {
		files[i] = shownFile{outs[n].Bytes(), format}
	}
	return nil
}
