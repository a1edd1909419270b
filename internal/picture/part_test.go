package picture

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"testing"

	"github.com/savepage/savepage"
)

// stripes is a picture whose row y has the colour of y/10.
func stripes(width, height int) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			img.SetNRGBA(x, y, color.NRGBA{uint8(y / 10 * 7), 100, uint8(255 - y/10*7), 255})
		}
	}
	return img
}

func TestWriteParts(t *testing.T) {
	img := stripes(120, 300)
	file := encode(t, img, 0, 300, false, func(y int) byte { return byte(y % 5) })
	for _, c := range []struct {
		part          Part
		width, height int
	}{
		{Part{Top: 0, Rows: 300, To: Thumb{Width: 60}, Format: savepage.FormatPNG}, 60, 150},
		{Part{Top: 90, Rows: 100, To: Thumb{Width: 120}, Format: savepage.FormatPNG}, 120, 100},
		{Part{Top: 290, Rows: 10, To: Thumb{Width: 60}, Format: savepage.FormatJPEG, Quality: 90}, 60, 5},
	} {
		var out, other bytes.Buffer
		c.part.Out = &out
		over := Part{Top: 0, Rows: 300, To: Thumb{Width: 30}, Format: savepage.FormatPNG, Out: &other}
		if err := WriteParts(bytes.NewReader(file), []Part{c.part, over}); err != nil {
			t.Fatalf("%+v: %v", c.part, err)
		}
		got, _, err := image.Decode(&out)
		if err != nil || got.Bounds().Dx() != c.width || got.Bounds().Dy() != c.height {
			t.Fatalf("%+v: %v %v", c.part, got.Bounds(), err)
		}
		if whole, err := png.Decode(&other); err != nil || whole.Bounds().Dy() != 75 {
			t.Fatalf("beside %+v: %v", c.part, err)
		}
		scale := float64(c.part.Rows) / float64(c.height)
		for _, y := range []int{2, c.height / 2, c.height - 3} { // not on a border of two stripes
			at := c.part.Top + int((float64(y)+0.5)*scale)
			if at%10 < 3 || at%10 > 7 {
				at = at/10*10 + 5
				y = int(float64(at-c.part.Top) / scale)
			}
			r, _, b, _ := got.At(c.width/2, min(y, c.height-1)).RGBA()
			want := img.NRGBAAt(0, at)
			if absDiff(uint8(r>>8), want.R) > 9 || absDiff(uint8(b>>8), want.B) > 9 {
				t.Errorf("%+v: row %d is %d,%d, want %d,%d", c.part, y, r>>8, b>>8, want.R, want.B)
			}
		}
	}
	beyond := Part{Top: 250, Rows: 51, To: Thumb{Width: 60}, Format: savepage.FormatPNG, Out: &bytes.Buffer{}}
	if err := WriteParts(bytes.NewReader(file), []Part{beyond}); err == nil {
		t.Error("rows beyond the picture are written")
	}
}

func TestPlain(t *testing.T) {
	img := stripes(40, 30)
	own := encode(t, img, 0, 30, false, always(2))
	if got, err := Plain(own, 1); err != nil || !bytes.Equal(got, own) {
		t.Errorf("a plain png is changed: %v", err)
	}
	var packed, asJPEG bytes.Buffer
	palette := image.NewPaletted(image.Rect(0, 0, 40, 30), color.Palette{color.White, color.NRGBA{200, 0, 0, 255}})
	palette.SetColorIndex(20, 15, 1)
	if err := png.Encode(&packed, palette); err != nil {
		t.Fatal(err)
	}
	if err := jpeg.Encode(&asJPEG, img, nil); err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"palette": packed.Bytes(), "jpeg": asJPEG.Bytes()} {
		plain, err := Plain(data, 1200)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if _, err := pngHeader(plain); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := Plain(data, 1199); err == nil {
			t.Errorf("%s: a picture that is too large is decoded", name)
		}
	}
	plain, err := Plain(packed.Bytes(), 1200)
	if err != nil {
		t.Fatal(err)
	}
	got, err := png.Decode(bytes.NewReader(plain))
	if err != nil {
		t.Fatal(err)
	}
	if r, g, _, _ := got.At(20, 15).RGBA(); r>>8 != 200 || g != 0 {
		t.Errorf("the pixel is %d,%d", r>>8, g>>8)
	}
	if _, err := Plain([]byte("nothing"), 1200); err == nil {
		t.Error("no error")
	}
}
