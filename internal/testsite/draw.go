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
)

// drawn makes a picture by its file name, "WxH-SEED.png" or ".jpg", and keeps it.
func (s *Site) drawn(file string) (data []byte, mediaType string, err error) {
	var width, height, seed int
	name, kind, _ := strings.Cut(file, ".")
	if _, err := fmt.Sscanf(name, "%dx%d-%d", &width, &height, &seed); err != nil || width < 1 || height < 1 || width*height > 1<<22 {
		return nil, "", fmt.Errorf("no picture %q", file)
	}
	mediaType = "image/png"
	if kind == "jpg" {
		mediaType = "image/jpeg"
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if data, ok := s.pictures[file]; ok {
		return data, mediaType, nil
	}
	var out bytes.Buffer
	img := scene(width, height, seed)
	if kind == "jpg" {
		err = jpeg.Encode(&out, img, &jpeg.Options{Quality: 88})
	} else {
		err = png.Encode(&out, img)
	}
	s.pictures[file] = out.Bytes()
	return out.Bytes(), mediaType, err
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
