package picture

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"runtime"
	"testing"
)

// painted is a picture whose pixel at x, y is what paint says.
func painted(width, height int, paint func(x, y int) color.NRGBA) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			img.SetNRGBA(x, y, paint(x, y))
		}
	}
	return img
}

// shades is a picture of so many colours, some of them translucent.
func shades(n int, grey bool, translucent int) *image.NRGBA {
	return painted(101, 67, func(x, y int) color.NRGBA {
		i := (x*7 + y*y) % n
		c := color.NRGBA{byte(i), byte(i * 3), byte(i >> 8), 0xff}
		if grey {
			c.G, c.B = c.R, c.R
		}
		if i < translucent {
			c.A = byte(i)
		}
		return c
	})
}

func packed(t *testing.T, data []byte, p Packing) []byte {
	t.Helper()
	var out bytes.Buffer
	check(t, Pack(t.Context(), &out, func() io.Reader { return bytes.NewReader(data) }, p))
	return out.Bytes()
}

// What is packed has the same pixels, in the fewest bits that they allow.
func TestPackKeepsPixels(t *testing.T) {
	for name, c := range map[string]struct {
		img           *image.NRGBA
		alpha         bool
		colour, depth byte
	}{
		"noise":                     {noise(61, 300, false, 7), false, colourRGB, 8},
		"noise with alpha":          {noise(61, 300, true, 7), true, colourRGBA, 8},
		"opaque with alpha":         {noise(61, 300, false, 7), true, colourRGB, 8},
		"one colour":                {shades(1, false, 0), false, colourPalette, 1},
		"two colours":               {shades(2, false, 0), false, colourPalette, 1},
		"three colours":             {shades(3, false, 0), false, colourPalette, 2},
		"5 colours, 3 translucent":  {shades(5, false, 3), true, colourPalette, 4},
		"16 colours":                {shades(16, false, 0), true, colourPalette, 4},
		"17 colours":                {shades(17, false, 0), false, colourPalette, 8},
		"256 colours":               {shades(256, false, 200), true, colourPalette, 8},
		"257 colours":               {shades(257, false, 0), false, colourRGB, 8},
		"16 greys":                  {shades(16, true, 0), false, colourPalette, 4},
		"200 greys":                 {shades(200, true, 0), false, colourGrey, 8},
		"200 greys with alpha":      {shades(200, true, 0), true, colourGrey, 8},
		"greys, many of them clear": {greys(), true, colourGreyAlpha, 8},
		"a pixel":                   {shades(1, true, 0).SubImage(image.Rect(0, 0, 1, 1)).(*image.NRGBA), false, colourPalette, 1},
	} {
		t.Run(name, func(t *testing.T) {
			data := encode(t, c.img, c.img.Rect.Min.Y, c.img.Rect.Max.Y, c.alpha, func(y int) byte { return byte(y % 5) })
			for _, p := range []Packing{{}, {Best: true}, {Best: true, Hurry: func() bool { return true }}} {
				got := packed(t, data, p)
				img, err := png.Decode(bytes.NewReader(got))
				check(t, err)
				samePixels(t, img, c.img)
				if got[25] != c.colour || got[24] != c.depth || len(got) > len(data)+100 {
					t.Errorf("colour type %d, depth %d, %d bytes of %d", got[25], got[24], len(got), len(data))
				}
			}
		})
	}
}

// greys are translucent, and too many for a palette.
func greys() *image.NRGBA {
	return painted(300, 40, func(x, y int) color.NRGBA {
		v := byte(x)
		return color.NRGBA{v, v, v, byte(y * 6)}
	})
}

func TestPackSaysTheDensity(t *testing.T) {
	data := encode(t, noise(20, 20, false, 1), 0, 20, false, always(1))
	with, err := WithDensity(data, PerMetre(2))
	check(t, err)
	for name, file := range map[string][]byte{"packed": packed(t, data, Packing{PerMetre: PerMetre(2)}), "as it was": with} {
		at := bytes.Index(file, []byte("pHYs"))
		if at != 37 || binary.BigEndian.Uint32(file[at+4:]) != 7559 || binary.BigEndian.Uint32(file[at+8:]) != 7559 || file[at+12] != 1 {
			t.Errorf("%s: %d, %q", name, at, file[:80])
		}
		if _, err := png.Decode(bytes.NewReader(file)); err != nil { // looks at the checksum
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := WithDensity([]byte("GIF89a"), 1); !errors.Is(err, ErrCorrupt) {
		t.Error(err)
	}
}

// room takes so many bytes.
type room struct{ left int }

func (r *room) Write(p []byte) (int, error) {
	if r.left -= len(p); r.left < 0 {
		return 0, io.ErrShortWrite
	}
	return len(p), nil
}

func TestPackRefuses(t *testing.T) {
	good := encode(t, noise(200, 400, true, 1), 0, 400, true, always(2))
	flipped := bytes.Clone(good)
	flipped[len(flipped)-20] ^= 1
	for name, data := range map[string][]byte{
		"nothing": nil, "a header": good[:33], "cut off": good[:len(good)/2], "no end": good[:len(good)-8], "flipped": flipped,
		"a jpeg": asJPEG(t, noise(20, 20, false, 1)),
	} {
		err := Pack(t.Context(), io.Discard, func() io.Reader { return bytes.NewReader(data) }, Packing{})
		if !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
	open := func() io.Reader { return bytes.NewReader(good) }
	if err := Pack(t.Context(), broken{}, open, Packing{}); !errors.Is(err, io.ErrClosedPipe) {
		t.Error(err)
	}
	full := &room{left: 3000} // for the head, and some of the rows
	if err := Pack(t.Context(), full, open, Packing{}); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("a full disk: %v", err)
	}
	amid, stop := context.WithCancel(t.Context())
	hurry := func() bool { stop(); return false }
	if err := Pack(amid, io.Discard, open, Packing{Hurry: hurry}); !errors.Is(err, context.Canceled) {
		t.Errorf("an end amid the rows: %v", err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if err := Pack(ended, io.Discard, open, Packing{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// memory follows how much is in use while it is written to.
type memory struct{ most uint64 }

func (m *memory) Write(p []byte) (int, error) {
	runtime.GC()
	var now runtime.MemStats
	runtime.ReadMemStats(&now)
	m.most = max(m.most, now.HeapAlloc)
	return len(p), nil
}

// A picture of many rows is packed without being held.
func TestPackHoldsRows(t *testing.T) {
	const width, tiles = 1440, 9
	tile := encode(t, noise(width, 500, false, 5), 0, 500, false, always(1))
	var joined bytes.Buffer
	sink := JoinPNG(&joined, width, tiles*500, 0)
	for range tiles {
		check(t, sink.Add(tile))
	}
	check(t, sink.Close())
	var before, during memory
	_, _ = before.Write(nil)
	out := bufio.NewWriterSize(&during, 1<<20)
	check(t, Pack(t.Context(), out, func() io.Reader { return bytes.NewReader(joined.Bytes()) }, Packing{}))
	check(t, out.Flush())
	if used, whole := int64(during.most)-int64(before.most), int64(width*tiles*500*3); used > whole/2 || during.most == 0 {
		t.Errorf("%d bytes were in use for a picture of %d", used, whole)
	}
}

func BenchmarkPack(b *testing.B) {
	data := encode(b, noise(1440, 900, false, 1), 0, 900, false, always(1))
	for _, best := range []bool{false, true} {
		b.Run(fmt.Sprintf("best=%v", best), func(b *testing.B) {
			for b.Loop() {
				check(b, Pack(b.Context(), io.Discard, func() io.Reader { return bytes.NewReader(data) }, Packing{Best: best}))
			}
		})
	}
}
