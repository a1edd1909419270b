package picture

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/klauspost/compress/zlib"
	"golang.org/x/image/draw"

	"github.com/savepage/savepage"
)

// noise is a picture with flat parts, gradients and noise, the same for each seed.
func noise(width, height int, alpha bool, seed uint64) *image.NRGBA {
	rnd := rand.New(rand.NewPCG(seed, 1))
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			c := color.NRGBA{uint8(x * 3), uint8(y * 5), uint8(x + y), 255}
			if (x/7+y/5)%3 == 0 {
				c = color.NRGBA{uint8(rnd.Uint32()), uint8(rnd.Uint32()), 90, 255}
			}
			if alpha {
				c.A = uint8(x * y)
			}
			img.SetNRGBA(x, y, c)
		}
	}
	return img
}

// encode writes part of a picture as a png whose row y has filter(y), as an encoder may choose freely.
func encode(tb testing.TB, img *image.NRGBA, from, to int, alpha bool, filter func(y int) byte) []byte {
	tb.Helper()
	channels := 3
	if alpha {
		channels = 4
	}
	width := img.Rect.Dx()
	var file, packed bytes.Buffer
	head := &bytes.Buffer{}
	head.WriteString(pngSignature)
	chunks := &chunkWriter{w: head}
	body := []byte{0, 0, byte(width >> 8), byte(width), 0, 0, byte((to - from) >> 8), byte(to - from), 8, colourRGB, 0, 0, 0}
	if alpha {
		body[9] = colourRGBA
	}
	check(tb, chunks.chunk("IHDR", body))
	check(tb, chunks.chunk("tEXt", []byte("Comment\x00x")))
	z := zlib.NewWriter(&packed)
	above := make([]byte, width*channels)
	for y := from; y < to; y++ {
		row := make([]byte, 0, width*channels)
		for x := range width {
			c := img.NRGBAAt(x, y)
			row = append(row, c.R, c.G, c.B)
			if alpha {
				row = append(row, c.A)
			}
		}
		f := filter(y - from)
		z.Write([]byte{f})
		z.Write(filterRow(f, row, above, channels))
		above = row
	}
	check(tb, z.Close())
	data := packed.Bytes()
	half := len(data) / 2
	check(tb, chunks.chunk("IDAT", data[:half]))
	check(tb, chunks.chunk("IDAT", data[half:]))
	check(tb, chunks.chunk("IEND", nil))
	io.Copy(&file, head)
	return file.Bytes()
}

func filterRow(f byte, row, above []byte, channels int) []byte {
	out := make([]byte, len(row))
	for i, v := range row {
		var left, corner byte
		if i >= channels {
			left, corner = row[i-channels], above[i-channels]
		}
		switch f {
		case 0:
			out[i] = v
		case 1:
			out[i] = v - left
		case 2:
			out[i] = v - above[i]
		case 3:
			out[i] = v - byte((int(left)+int(above[i]))/2)
		case 4:
			out[i] = v - paeth(left, above[i], corner)
		}
	}
	return out
}

func check(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

func always(f byte) func(int) byte { return func(int) byte { return f } }

func samePixels(t *testing.T, got image.Image, want *image.NRGBA) {
	t.Helper()
	if got.Bounds() != want.Bounds() {
		t.Fatalf("size %v, want %v", got.Bounds(), want.Bounds())
	}
	for y := range want.Rect.Dy() {
		for x := range want.Rect.Dx() {
			if c := color.NRGBAModel.Convert(got.At(x, y)); c != want.NRGBAAt(x, y) {
				t.Fatalf("pixel %d,%d is %v, want %v", x, y, c, want.NRGBAAt(x, y))
			}
		}
	}
}

func TestJoinPNG(t *testing.T) {
	cycle := func(y int) byte { return byte((y + 3) % 5) }
	for _, alpha := range []bool{false, true} {
		for name, filter := range map[string]func(int) byte{
			"none": always(0), "sub": always(1), "up": always(2), "average": always(3), "paeth": always(4), "mixed": cycle,
		} {
			t.Run(fmt.Sprintf("%s alpha=%v", name, alpha), func(t *testing.T) {
				img := noise(61, 300, alpha, 7)
				var out bytes.Buffer
				sink := JoinPNG(&out, 61, 300, 0)
				for _, part := range [][2]int{{0, 1}, {1, 100}, {100, 257}, {257, 300}} {
					check(t, sink.Add(encode(t, img, part[0], part[1], alpha, filter)))
				}
				check(t, sink.Close())
				got, err := png.Decode(&out)
				check(t, err)
				samePixels(t, got, img)
			})
		}
	}
}

// Tiles of another encoder, with its own choice of filters and chunk sizes.
func TestJoinPNGOfImagePNG(t *testing.T) {
	img := noise(240, 300, false, 3)
	var out bytes.Buffer
	sink := JoinPNG(&out, 240, 300, 0)
	for y := 0; y < 300; y += 100 {
		var tile bytes.Buffer
		check(t, png.Encode(&tile, img.SubImage(image.Rect(0, y, 240, y+100))))
		check(t, sink.Add(tile.Bytes()))
	}
	check(t, sink.Close())
	got, err := png.Decode(&out)
	check(t, err)
	samePixels(t, got, img)
}

func TestJoinRefuses(t *testing.T) {
	img := noise(20, 40, true, 1)
	good := encode(t, img, 0, 20, false, always(2))
	flipped := bytes.Clone(good)
	flipped[len(flipped)-20] ^= 1
	sinks := map[string]func(w io.Writer) Sink{
		"png":  func(w io.Writer) Sink { return JoinPNG(w, 20, 40, 0) },
		"jpeg": func(w io.Writer) Sink { return JoinJPEG(w, 20, 40, 80) },
		"scale": func(w io.Writer) Sink {
			return Scale(w, Scaled{Width: 20, Height: 40, To: Thumb{Width: 10}, Format: savepage.FormatPNG})
		},
	}
	for name, open := range sinks {
		for what, tiles := range map[string][][]byte{ // the last one must be refused
			"empty":         {good, nil},
			"cut":           {good, good[:len(good)-30]},
			"flipped bit":   {good, flipped},
			"other width":   {good, encode(t, noise(21, 20, false, 1), 0, 20, false, always(2))},
			"other channel": {good, encode(t, img, 20, 40, true, always(2))},
			"filter 5":      {good, encode(t, img, 0, 20, false, always(5))},
			"too many rows": {good, good, good},
			"jpeg":          {good, append([]byte("\xff\xd8\xff\xe0"), good...)},
		} {
			t.Run(name+" "+what, func(t *testing.T) {
				sink := open(io.Discard)
				last := len(tiles) - 1
				for _, tile := range tiles[:last] {
					check(t, sink.Add(tile))
				}
				if sink.Add(tiles[last]) == nil {
					t.Fatal("no error")
				}
			})
		}
		for what, tiles := range map[string][][]byte{"rows missing": {good}, "no tile": {}} {
			t.Run(name+" "+what, func(t *testing.T) {
				sink := open(io.Discard)
				for _, tile := range tiles {
					check(t, sink.Add(tile))
				}
				if sink.Close() == nil {
					t.Fatal("no error")
				}
			})
		}
	}
}

func TestWriterErrorIsReturned(t *testing.T) {
	img := noise(900, 400, false, 1)
	tile := encode(t, img, 0, 400, false, always(2))
	for name, sink := range map[string]Sink{
		"png": JoinPNG(broken{}, 900, 400, 0), "jpeg": JoinJPEG(broken{}, 900, 400, 80),
		"scale": Scale(broken{}, Scaled{Width: 900, Height: 400, To: Thumb{Width: 300}, Format: savepage.FormatPNG}),
	} {
		if err := errors.Join(sink.Add(tile), sink.Close()); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

// A joined jpeg decodes to what one jpeg of the whole picture decodes to: bands leave no seam.
func TestJoinJPEG(t *testing.T) {
	for _, height := range []int{90, 128, 130, 400} {
		img := noise(133, height, false, 9)
		var out, whole bytes.Buffer
		sink := JoinJPEG(&out, 133, height, 85)
		for y := 0; y < height; y += 250 {
			check(t, sink.Add(encode(t, img, y, min(y+250, height), false, always(2))))
		}
		check(t, sink.Close())
		check(t, jpeg.Encode(&whole, img, &jpeg.Options{Quality: 85}))
		got, err := jpeg.Decode(&out)
		check(t, err)
		want, err := jpeg.Decode(&whole)
		check(t, err)
		if d := difference(got, want); d > 0 {
			t.Errorf("height %d: differs by %v", height, d)
		}
	}
}

func TestJPEGTooTall(t *testing.T) {
	sink := JoinJPEG(io.Discard, 10, 70000, 80)
	if err := sink.Add(encode(t, noise(10, 10, false, 1), 0, 10, false, always(2))); err == nil {
		t.Fatal("no error")
	}
}

// difference is the largest difference of a channel in 0..255.
func difference(a, b image.Image) float64 {
	if a.Bounds() != b.Bounds() {
		return math.Inf(1)
	}
	worst := 0.0
	for y := range a.Bounds().Dy() {
		for x := range a.Bounds().Dx() {
			r1, g1, b1, a1 := a.At(x, y).RGBA()
			r2, g2, b2, a2 := b.At(x, y).RGBA()
			for _, d := range []float64{float64(r1) - float64(r2), float64(g1) - float64(g2), float64(b1) - float64(b2), float64(a1) - float64(a2)} {
				worst = max(worst, math.Abs(d)/257)
			}
		}
	}
	return worst
}

// The scaler agrees with x/image/draw's Catmull-Rom, which keeps the whole picture in memory.
func TestScaleAgreesWithDraw(t *testing.T) {
	for _, alpha := range []bool{false, true} {
		for _, to := range []int{1, 40, 83, 120, 200} {
			t.Run(fmt.Sprintf("%d alpha=%v", to, alpha), func(t *testing.T) {
				img := noise(120, 210, alpha, 4)
				got := scale(t, img, alpha, to, savepage.FormatPNG)
				want := image.NewRGBA(image.Rect(0, 0, to, proportional(210, to, 120)))
				draw.CatmullRom.Scale(want, want.Bounds(), img, img.Bounds(), draw.Src, nil)
				if d := difference(got, want); d > 2 {
					t.Errorf("differs by %v", d)
				}
			})
		}
	}
}

func scale(t *testing.T, img *image.NRGBA, alpha bool, to int, format savepage.Format) image.Image {
	t.Helper()
	width, height := img.Rect.Dx(), img.Rect.Dy()
	var out bytes.Buffer
	sink := Scale(&out, Scaled{Width: width, Height: height, To: Thumb{Width: to}, Format: format, Quality: 95})
	for y := 0; y < height; y += 100 {
		check(t, sink.Add(encode(t, img, y, min(y+100, height), alpha, always(2))))
	}
	check(t, sink.Close())
	got, _, err := image.Decode(&out)
	check(t, err)
	return got
}

// A pattern of one pixel lines, scaled far down, becomes its mean: nothing is skipped.
func TestScaleDoesNotAlias(t *testing.T) {
	img := image.NewNRGBA(image.Rect(0, 0, 800, 800))
	for y := range 800 {
		for x := range 800 {
			v := uint8(255 * (x & 1))
			img.SetNRGBA(x, y, color.NRGBA{v, v, v, 255})
		}
	}
	got := scale(t, img, false, 90, savepage.FormatPNG)
	for y := 5; y < 85; y++ {
		for x := 5; x < 85; x++ {
			if r, _, _, _ := got.At(x, y).RGBA(); math.Abs(float64(r)/257-127.5) > 3 {
				t.Fatalf("pixel %d,%d is %d, want about 128", x, y, r/257)
			}
		}
	}
}

func TestScaleToJPEG(t *testing.T) {
	img := image.NewNRGBA(image.Rect(0, 0, 400, 300))
	draw.Draw(img, img.Rect, image.NewUniform(color.NRGBA{20, 120, 220, 255}), image.Point{}, draw.Src)
	got := scale(t, img, false, 150, savepage.FormatJPEG)
	if got.Bounds().Dx() != 150 || got.Bounds().Dy() != 113 {
		t.Fatalf("size %v", got.Bounds())
	}
	if c := color.NRGBAModel.Convert(got.At(70, 50)).(color.NRGBA); absDiff(c.R, 20) > 3 || absDiff(c.B, 220) > 3 {
		t.Fatalf("colour %v", c)
	}
}

func absDiff(a, b uint8) int { return abs(int(a) - int(b)) }

func TestScaleRefusesWebP(t *testing.T) {
	sink := Scale(io.Discard, Scaled{Width: 10, Height: 10, To: Thumb{Width: 5}, Format: savepage.FormatWebP})
	if err := sink.Add(encode(t, noise(10, 10, false, 1), 0, 10, false, always(2))); err == nil {
		t.Fatal("no error")
	}
}

func TestBlank(t *testing.T) {
	plain := image.NewNRGBA(image.Rect(0, 0, 350, 250))
	draw.Draw(plain, plain.Rect, image.NewUniform(color.NRGBA{250, 251, 252, 255}), image.Point{}, draw.Src)
	dot := image.NewNRGBA(plain.Rect)
	copy(dot.Pix, plain.Pix)
	dot.SetNRGBA(349, 249, color.NRGBA{0, 0, 0, 255})
	early := image.NewNRGBA(plain.Rect)
	copy(early.Pix, plain.Pix)
	early.SetNRGBA(7, 0, color.NRGBA{0, 0, 0, 255})
	clear := image.NewNRGBA(plain.Rect)
	cases := map[string]struct {
		data []byte
		want bool
	}{
		"png":             {encode(t, plain, 0, 250, false, always(2)), true},
		"png, other":      {encode(t, plain, 0, 250, false, always(4)), true},
		"png last pixel":  {encode(t, dot, 0, 250, false, always(2)), false},
		"png first row":   {encode(t, early, 0, 250, false, always(2)), false},
		"png clear":       {encode(t, clear, 0, 250, true, always(2)), true},
		"png noise":       {encode(t, noise(100, 100, false, 1), 0, 100, false, always(1)), false},
		"jpeg":            {asJPEG(t, plain), true},
		"jpeg last pixel": {asJPEG(t, dot), false},
		"jpeg noise":      {asJPEG(t, noise(300, 300, false, 2)), false},
	}
	for name, c := range cases {
		_, got, err := Blank(c.data)
		if err != nil || got != c.want {
			t.Errorf("%s: %v, %v; want %v", name, got, err, c.want)
		}
	}
	if c, _, _ := Blank(cases["png"].data); c != (color.NRGBA{250, 251, 252, 255}) {
		t.Errorf("colour %v", c)
	}
	if _, _, err := Blank([]byte("GIF89a")); err == nil {
		t.Error("no error for a gif")
	}
}

func asJPEG(tb testing.TB, img image.Image) []byte {
	tb.Helper()
	var b bytes.Buffer
	check(tb, jpeg.Encode(&b, img, &jpeg.Options{Quality: 80}))
	return b.Bytes()
}

// The smallest webps of 3x2 pixels: lossy, lossless and extended headers.
func webps() map[string][]byte {
	head := func(kind string, body ...byte) []byte {
		b := append([]byte("RIFF\x00\x00\x00\x00WEBP"+kind+"\x00\x00\x00\x00"), body...)
		return append(b, make([]byte, 20)...)
	}
	return map[string][]byte{
		"VP8":  head("VP8 ", 0x10, 0, 0, 0x9d, 0x01, 0x2a, 3, 0, 2, 0),
		"VP8L": head("VP8L", 0x2f, 2, 0x40, 0, 0),
		"VP8X": head("VP8X", 0, 0, 0, 0, 2, 0, 0, 1, 0, 0),
	}
}

func TestSize(t *testing.T) {
	files := webps()
	files["png"] = encode(t, noise(3, 2, false, 1), 0, 2, false, always(0))
	files["jpeg"] = asJPEG(t, noise(3, 2, false, 1))
	for name, data := range files {
		w, h, err := Size(data)
		if err != nil || w != 3 || h != 2 {
			t.Errorf("%s: %d x %d, %v", name, w, h, err)
		}
		for cut := range min(len(data), 29) {
			if name == "png" && cut >= 24 {
				break
			}
			if _, _, err := Size(data[:cut]); err == nil {
				t.Errorf("%s cut to %d bytes: no error", name, cut)
			}
		}
	}
}

func seeds(f *testing.F) {
	f.Helper()
	img := noise(17, 9, true, 1)
	for filter := range byte(6) {
		f.Add(encode(f, img, 0, 9, filter%2 == 0, always(filter)))
	}
	f.Add(asJPEG(f, img))
	for _, b := range webps() {
		f.Add(b)
	}
}

// Whatever comes in, the readers answer with a value or an error, and what they accept others accept too.
func FuzzReaders(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		w, h, err := Size(data)
		if err != nil || w*h > 1<<20 {
			return
		}
		if _, _, err := Blank(data); err != nil {
			return
		}
		var out bytes.Buffer
		sink := JoinPNG(&out, w, h, 0)
		if sink.Add(data) != nil || sink.Close() != nil {
			return
		}
		if _, err := png.Decode(&out); err != nil {
			t.Fatalf("joined from a tile that was accepted: %v", err)
		}
		scaled := Scale(io.Discard, Scaled{Width: w, Height: h, To: Thumb{Width: 1 + w/2}, Format: savepage.FormatJPEG, Quality: 80})
		if sh := proportional(h, 1+w/2, w); sh <= savepage.FormatJPEG.Info().MaxSide {
			check(t, scaled.Add(data))
			check(t, scaled.Close())
		}
	})
}

func BenchmarkJoinPNG(b *testing.B) {
	tile := encode(b, noise(1440, 4000, false, 1), 0, 4000, false, always(2))
	b.SetBytes(1440 * 4000 * 3)
	for b.Loop() {
		sink := JoinPNG(io.Discard, 1440, 4000, 0)
		check(b, sink.Add(tile))
		check(b, sink.Close())
	}
}

func BenchmarkScale(b *testing.B) {
	tile := encode(b, noise(1440, 900, false, 1), 0, 900, false, always(2))
	for b.Loop() {
		sink := Scale(io.Discard, Scaled{Width: 1440, Height: 900, To: Thumb{Width: 400}, Format: savepage.FormatPNG})
		check(b, sink.Add(tile))
		check(b, sink.Close())
	}
}

func BenchmarkJoinJPEG(b *testing.B) {
	tile := encode(b, noise(1440, 4000, false, 1), 0, 4000, false, always(2))
	for b.Loop() {
		sink := JoinJPEG(io.Discard, 1440, 4000, 80)
		check(b, sink.Add(tile))
		check(b, sink.Close())
	}
}
