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
	noise := make([]byte, 700_000)
	for i := range noise {
		noise[i] = byte(random.Uint32())
	}
	pixels := bytes.Repeat([]byte{1, 2, 3, 1, 2, 3, 9, 9, 9}, 60_000)
	for i := range pixels {
		if random.IntN(40) == 0 {
			pixels[i] = byte(random.IntN(4))
		}
	}
	for name, data := range map[string][]byte{
		"nothing": nil, "a byte": {7}, "three": {7, 7, 7}, "zeros": make([]byte, 1_200_000), "noise": noise, "pixels": pixels,
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

// Counts like Fibonacci's numbers make the deepest trees. Within the limit the code still is complete.
func TestCodesAreNotTooLong(t *testing.T) {
	for _, limit := range []int{7, maxBits} {
		for _, symbols := range []int{2, 3, 8, 19, 30} {
			counts := make([]uint32, symbols+1) // the last does not occur
			a, b := uint32(1), uint32(1)
			for i := range symbols {
				counts[i], a, b = a, b, a+b
			}
			c := newCode(counts, limit)
			filled, before := 0, uint8(maxBits+1)
			for symbol, n := range c.lengths[:symbols] {
				if n == 0 || int(n) > limit || n > before {
					t.Errorf("symbol %d of %d has %d bits, at most %d", symbol, symbols, n, limit)
				}
				filled += 1 << (limit - int(n))
				before = n
			}
			if filled != 1<<limit || c.lengths[symbols] != 0 {
				t.Errorf("%d symbols in %d bits fill %d of %d", symbols, limit, filled, 1<<limit)
			}
		}
	}
}
