package truth

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
	"testing"
)

// Rows that are read one by one are the rows that the standard library reads.
func TestStreamedRows(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, opaque := range []bool{true, false} {
		img := image.NewNRGBA(image.Rect(0, 0, 37, 50))
		for i := range img.Pix {
			img.Pix[i] = byte(i/3 + rnd.IntN(9)) // smooth enough for every filter to be chosen
			if opaque && i%4 == 3 {
				img.Pix[i] = 255
			}
		}
		var file bytes.Buffer
		if err := png.Encode(&file, img); err != nil {
			t.Fatal(err)
		}
		last := -1
		err := streamPNG(file.Bytes(), func(y int, at func(x int) color.RGBA) error {
			last = y
			for x := range 37 {
				if got := color.NRGBA(at(x)); got != img.NRGBAAt(x, y) {
					t.Fatalf("%d,%d is %v, want %v", x, y, got, img.NRGBAAt(x, y))
				}
			}
			return nil
		})
		if err != nil || last != 49 {
			t.Errorf("row %d: %v", last, err)
		}
	}
}
