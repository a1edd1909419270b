package testsite

import (
	"bytes"
	_ "embed" // for the video
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/color/palette"
	"image/draw"
	"image/gif"
	"image/png"
	"net/http"
)

// MovingColors are the colours that the moving pictures show one after the other, for tenths of a second each.
func MovingColors() []color.RGBA { return []color.RGBA{HeaderColor(), HeroColor(), FooterColor()} }

// movingVideo shows the same colours as VP8, for three tenths of a second each. A page's own recorder has made it.
//
//go:embed media/three.webm
var movingVideo []byte

func (s *Site) video(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "video/webm")
	http.ServeContent(w, r, "moving.webm", s.began, bytes.NewReader(movingVideo))
}

// movingGIF moves for ever, or with once in the query until it shows the last colour.
func movingGIF(w http.ResponseWriter, r *http.Request) {
	var all gif.GIF
	if r.URL.Query().Has("once") {
		all.LoopCount = -1
	}
	for _, c := range MovingColors() {
		frame := image.NewPaletted(image.Rect(0, 0, 160, 90), append(color.Palette{c}, palette.WebSafe[:16]...))
		all.Image = append(all.Image, frame)
		all.Delay = append(all.Delay, 10)
	}
	w.Header().Set("Content-Type", "image/gif")
	_ = gif.EncodeAll(w, &all)
}

// movingAPNG joins pictures as https://www.w3.org/TR/png-3/ says: the first one is the picture of those who know no others.
// It moves as movingGIF does.
func movingAPNG(w http.ResponseWriter, r *http.Request) {
	var plays uint32 // for ever
	if r.URL.Query().Has("once") {
		plays = 1
	}
	var out bytes.Buffer
	var sequence uint32
	for i, c := range MovingColors() {
		frame := image.NewNRGBA(image.Rect(0, 0, 160, 90))
		draw.Draw(frame, frame.Rect, image.NewUniform(c), image.Point{}, draw.Src)
		var file bytes.Buffer
		_ = png.Encode(&file, frame)
		header, data := file.Bytes()[:33], chunk(file.Bytes(), "IDAT")
		if i == 0 {
			out.Write(header)
			out.Write(pack("acTL", uint32(3), plays))
		}
		out.Write(pack("fcTL", sequence, uint32(160), uint32(90), uint32(0), uint32(0), uint16(1), uint16(10), uint16(0)))
		sequence++
		if i == 0 {
			out.Write(pack("IDAT", data))
			continue
		}
		out.Write(pack("fdAT", sequence, data))
		sequence++
	}
	out.Write(pack("IEND"))
	w.Header().Set("Content-Type", "image/apng")
	_, _ = w.Write(out.Bytes())
}

// chunk is the data of the first chunk of a kind in a png.
func chunk(file []byte, kind string) []byte {
	for at := 8; at+8 <= len(file); {
		n := int(binary.BigEndian.Uint32(file[at:]))
		if string(file[at+4:at+8]) == kind {
			return file[at+8 : at+8+n]
		}
		at += 12 + n
	}
	return nil
}

// pack makes a chunk of a png.
func pack(kind string, parts ...any) []byte {
	data := bytes.NewBufferString(kind)
	for _, part := range parts {
		_ = binary.Write(data, binary.BigEndian, part)
	}
	out := binary.BigEndian.AppendUint32(nil, uint32(data.Len()-4)) //nolint:gosec // small
	out = append(out, data.Bytes()...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(data.Bytes()))
}
