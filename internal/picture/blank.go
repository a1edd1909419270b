package picture

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"

	"golang.org/x/image/webp"
)

// Blank reports whether all pixels of a png, jpeg or webp have the same colour, and which. It stops at the first pixel that
// differs: only a picture that is blank, or nearly, is read to its end.
func Blank(data []byte) (color.NRGBA, bool, error) {
	if bytes.HasPrefix(data, []byte(pngSignature)) {
		return blankPNG(data)
	}
	if !mayBeBlank(data) {
		return color.NRGBA{}, false, nil
	}
	width, height, err := Size(data)
	if err != nil {
		return color.NRGBA{}, false, err
	}
	if width*height > maxDecoded {
		return color.NRGBA{}, false, fmt.Errorf("picture of %d x %d pixels is too large to decode", width, height)
	}
	decode := jpeg.Decode
	if data[0] == 'R' {
		decode = webp.Decode
	}
	img, err := decode(bytes.NewReader(data))
	if err != nil {
		return color.NRGBA{}, false, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	c, one := oneColour(img)
	return c, one, nil
}

// maxDecoded bounds the memory of a picture that has to be decoded to be judged, in pixels.
const maxDecoded = 1 << 27

// mayBeBlank looks at the packed bytes only: a webp of one colour is tiny, and the scan of such a jpeg repeats itself.
// It may say yes for a picture of more colours, never no for one of one.
func mayBeBlank(data []byte) bool {
	if !bytes.HasPrefix(data, []byte{0xff, 0xd8}) {
		width, height, err := Size(data)
		blocks := ((width + 15) / 16) * ((height + 15) / 16)
		return err != nil || len(data) <= 2048+blocks
	}
	_, scan, err := splitJPEG(data)
	return err != nil || repeats(scan)
}

// repeats reports whether the middle of a scan has a short period. In a picture of one colour each MCU after the first has
// the same few bits; with six blocks of at most 16 bits and stuffed bytes the period is at most 192 bytes.
func repeats(scan []byte) bool {
	const longest = 192
	if len(scan) < 3*longest {
		return true
	}
	middle := scan[longest : len(scan)-4]
	for period := 1; period <= longest; period++ {
		if bytes.Equal(middle[period:], middle[:len(middle)-period]) {
			return true
		}
	}
	return false
}

func blankPNG(data []byte) (color.NRGBA, bool, error) {
	t, err := openPNG(data)
	if err != nil {
		return color.NRGBA{}, false, err
	}
	var first []byte // a row of the first pixel's colour
	one := true
	err = t.each(func(row []byte) bool {
		if first == nil {
			first = bytes.Repeat(row[:t.channels], t.width)
		}
		one = bytes.Equal(row, first)
		return one
	})
	if err != nil {
		return color.NRGBA{}, false, err
	}
	c := color.NRGBA{first[0], first[1], first[2], 0xff}
	if t.channels == 4 {
		c.A = first[3]
	}
	return c, one, nil
}

// lossyNoise is how far a sample of a lossy picture of one colour may be off.
const lossyNoise = 2

// oneColour looks at a decoded picture. Lossy ones are compared plane by plane, with a tolerance.
func oneColour(img image.Image) (color.NRGBA, bool) {
	first := img.At(img.Bounds().Min.X, img.Bounds().Min.Y)
	c, _ := color.NRGBAModel.Convert(first).(color.NRGBA)
	switch img := img.(type) {
	case *image.YCbCr:
		return c, flat(img.Y) && flat(img.Cb) && flat(img.Cr)
	case *image.NYCbCrA:
		return c, flat(img.Y) && flat(img.Cb) && flat(img.Cr) && flat(img.A)
	case *image.NRGBA: // of a lossless webp
		pixel := img.Pix[:4]
		for i := 4; i < len(img.Pix); i += 4 {
			if !bytes.Equal(img.Pix[i:i+4], pixel) {
				return c, false
			}
		}
		return c, true
	default:
		return c, false
	}
}

// flat reports whether a plane has one value. What a decoder adds to fill whole blocks continues the picture's edge.
func flat(plane []byte) bool {
	for _, v := range plane {
		if abs(int(v)-int(plane[0])) > lossyNoise {
			return false
		}
	}
	return true
}
