package testsite

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"strings"
	"sync"
)

// album holds the pictures that were asked for, each drawn once.
type album struct {
	mu       sync.Mutex // not held while a picture is drawn
	pictures map[string]func() ([]byte, error)
}

// drawn makes a picture by its file name, "WxH-SEED.png" or ".jpg", and keeps it.
func (a *album) drawn(file string) (data []byte, mediaType string, err error) {
	var width, height, seed int
	name, kind, _ := strings.Cut(file, ".")
	if _, err := fmt.Sscanf(name, "%dx%d-%d", &width, &height, &seed); err != nil || width < 1 || height < 1 || width*height > 1<<22 {
		return nil, "", fmt.Errorf("no picture %q", file)
	}
	mediaType = "image/png"
	if kind == "jpg" {
		mediaType = "image/jpeg"
	}
	a.mu.Lock()
	one, known := a.pictures[file]
	if !known {
		one = sync.OnceValues(func() ([]byte, error) { return encoded(kind, scene(width, height, seed)) })
		a.pictures[file] = one
	}
	a.mu.Unlock()
	data, err = one()
	return data, mediaType, err
}

// encoded makes a file of a picture, as fast as may be: with the race detector on it takes long enough.
func encoded(kind string, img image.Image) ([]byte, error) {
	var out bytes.Buffer
	if kind == "jpg" {
		err := jpeg.Encode(&out, img, &jpeg.Options{Quality: 88})
		return out.Bytes(), err
	}
	err := (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&out, img)
	return out.Bytes(), err
}

// scene looks as busy as a photograph: a sky, hills with grain, and the square of PictureColor in the middle.
func scene(width, height, seed int) image.Image {
	rnd := rand.New(rand.NewPCG(uint64(seed), 42)) //nolint:gosec // the same grain every time, not a secret
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	base := PictureColor(seed)
	for y := range height {
		for x := range width {
			shade := 90 + 120*y/height
			hill := height/2 + (x*(seed%5+2)/7+seed*11)%(height/3+1)
			if y > hill {
				shade = 60 + rnd.IntN(70)
			}
			img.SetRGBA(x, y, color.RGBA{mix(base.R, shade), mix(base.G, shade+20), mix(base.B, shade+40), 255})
		}
	}
	draw.Draw(img, image.Rect(width/4, height/4, width*3/4, height*3/4), image.NewUniform(base), image.Point{}, draw.Src)
	return img
}

func mix(a uint8, shade int) uint8 { return uint8(min(255, (int(a)+2*shade)/3)) } //nolint:gosec // at most 255
