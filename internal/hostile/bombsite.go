package hostile

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"crypto/rand"
	_ "embed"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/zstd"
)

// brotliText is 512 MB of text. The module has no encoder: this came from Node's zlib.
//
//go:embed bombs/text.br
var brotliText []byte

const (
	textBytes = 512 << 20
	openTags  = 10_000_000
	side      = 25_000  // of the PNG
	gifFrames = 100_000 // of the GIF
	noise     = 60_000_000
	dripEvery = 200 * time.Millisecond
)

// bombs serves what the bombs need, by name. A file is made once, when it is first asked for.
type bombs struct{ files map[string]http.HandlerFunc }

func newBombs() *bombs {
	text := func() []byte { return gzipped("<!doctype html><p>", "a ", textBytes/2) }
	tags := func() []byte { return gzipped("<!doctype html>", "<b>", openTags) }
	return &bombs{map[string]http.HandlerFunc{
		"small":    func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "small") },
		"gzip":     packed("gzip", text),
		"tags":     packed("gzip", tags),
		"br":       packed("br", func() []byte { return brotliText }),
		"zstd":     packed("zstd", zstdText),
		"png":      file("image/png", hugePNG),
		"gif":      file("image/gif", longGIF),
		"loop":     again,
		"noise":    func(w http.ResponseWriter, _ *http.Request) { random(w) },
		"download": download,
		"drip":     drip,
	}}
}

func (b *bombs) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	for _, bomb := range Bombs() {
		if bomb.Body != "" && bomb.page() == name {
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, bomb.Body)
			return
		}
	}
	if serve := b.files[name]; serve != nil {
		serve(w, r)
		return
	}
	http.NotFound(w, r)
}

// page is the last part of the bomb's path.
func (b Bomb) page() string {
	if b.Path != "" {
		return b.Path[strings.LastIndexByte(b.Path, '/')+1:]
	}
	return strings.ReplaceAll(b.ID, "/", "-")
}

// BombURL is the address of a bomb on its origin.
func (s *Site) BombURL(b Bomb) string {
	if strings.HasPrefix(b.Path, "secure/") {
		return s.Secure + "/bomb/" + b.page()
	}
	return "http://" + SiteHost + "/bomb/" + b.page()
}

func packed(encoding string, body func() []byte) http.HandlerFunc {
	send := file("text/html", body)
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", encoding)
		send(w, r)
	}
}

func file(kind string, body func() []byte) http.HandlerFunc {
	body = sync.OnceValue(body)
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		_, _ = w.Write(body()) // a page that is gone does not read
	}
}

func random(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/octet-stream")
	_, _ = io.Copy(w, io.LimitReader(rand.Reader, noise)) // a page that is gone does not read
}

func download(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Disposition", "attachment")
	random(w)
}

// again redirects without end.
func again(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Location", "/bomb/loop?"+r.URL.RawQuery+"x")
	w.WriteHeader(http.StatusFound)
}

// drip sends a page, one letter each time that the client has taken the one before, until it goes.
func drip(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/html")
	out := http.NewResponseController(w)
	for r.Context().Err() == nil {
		if _, err := io.WriteString(w, "x"); err != nil || out.Flush() != nil {
			return
		}
		select {
		case <-r.Context().Done():
		case <-time.After(dripEvery):
		}
	}
}

// gzipped packs a text that begins so and then says the same again and again.
func gzipped(begin, again string, times int) []byte {
	var out bytes.Buffer
	w, _ := gzip.NewWriterLevel(&out, gzip.BestCompression) // the level is a valid one
	_, _ = io.WriteString(w, begin)
	repeat(w, again, times)
	_ = w.Close() // a buffer takes everything
	return out.Bytes()
}

func repeat(w io.Writer, text string, times int) {
	atOnce := max(1, (1<<20)/len(text))
	block := strings.Repeat(text, atOnce)
	for ; times > atOnce; times -= atOnce {
		_, _ = io.WriteString(w, block)
	}
	_, _ = io.WriteString(w, strings.Repeat(text, times))
}

func zstdText() []byte {
	var out bytes.Buffer
	w, err := zstd.NewWriter(&out)
	if err != nil {
		return nil
	}
	_, _ = io.WriteString(w, "<!doctype html><p>")
	repeat(w, "a ", textBytes/2)
	_ = w.Close() // a buffer takes everything
	return out.Bytes()
}

// hugePNG is a black square of one bit a point; see the PNG specification, section 5.
func hugePNG() []byte {
	var out, rows bytes.Buffer
	w, _ := zlib.NewWriterLevel(&rows, zlib.BestSpeed)
	repeat(w, "\x00"+strings.Repeat("\x00", (side+7)/8), side)
	_ = w.Close() // a buffer takes everything
	out.WriteString("\x89PNG\r\n\x1a\n")
	header := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, side), side)
	for _, chunk := range []struct {
		kind string
		data []byte
	}{{"IHDR", append(header, 1, 0, 0, 0, 0)}, {"IDAT", rows.Bytes()}, {"IEND", nil}} {
		body := append([]byte(chunk.kind), chunk.data...)
		_ = binary.Write(&out, binary.BigEndian, uint32(len(chunk.data))) //nolint:gosec // a short file
		out.Write(body)
		_ = binary.Write(&out, binary.BigEndian, crc32.ChecksumIEEE(body))
	}
	return out.Bytes()
}

// longGIF has many frames of one point.
func longGIF() []byte {
	var out bytes.Buffer
	fmt.Fprint(&out, "GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff\x21\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00")
	repeat(&out, "\x21\xf9\x04\x00\x01\x00\x00\x00\x2c\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02\x44\x01\x00", gifFrames)
	out.WriteByte(0x3b)
	return out.Bytes()
}
