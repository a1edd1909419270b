package deflate

import (
	"bytes"
	"compress/flate"
	"io"
	"math/rand/v2"
	"testing"
)

// TestReadBack packs what is hard to pack, at every level and in pieces of any size, and unpacks it with Go's own reader.
func TestReadBack(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, 3<<20)
	for i := range noise {
		noise[i] = byte(random.Uint32())
	}
	pixels := bytes.Repeat([]byte{1, 2, 3, 1, 2, 3, 9, 9, 9}, 200_000)
	for i := range pixels {
		if random.IntN(40) == 0 {
			pixels[i] = byte(random.IntN(4))
		}
	}
	for name, data := range map[string][]byte{
		"nothing": nil, "a byte": {7}, "three": {7, 7, 7}, "zeros": make([]byte, 2_000_000), "noise": noise, "pixels": pixels,
		"one far": append(append(bytes.Clone(noise[:40_000]), noise[:300]...), noise[7000:8000]...),
	} {
		for level, l := range map[string]Level{"normal": Normal(), "best": Best()} {
			var packed bytes.Buffer
			w := NewWriter(&packed, l, random.IntN(2000))
			for rest := data; len(rest) > 0; {
				n := min(len(rest), 1+random.IntN(100_000))
				if _, err := w.Write(rest[:n]); err != nil {
					t.Fatal(err)
				}
				rest = rest[n:]
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(flate.NewReader(&packed))
			if err != nil || !bytes.Equal(got, data) {
				t.Errorf("%s, %s: %d of %d bytes came back, %v", name, level, len(got), len(data), err)
			}
		}
	}
}
