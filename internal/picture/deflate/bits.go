package deflate

import (
	"encoding/binary"
	"io"
)

// bitWriter writes bits from the lowest up (RFC 1951, 3.1.1).
type bitWriter struct {
	w    io.Writer
	bits uint64
	n    uint // bits that wait
	buf  []byte
	err  error
}

// flushAt is how many bytes are written at once.
const flushAt = 32 << 10

// put writes the lowest n bits of v, at most 32.
func (b *bitWriter) put(v uint32, n uint) {
	b.bits |= uint64(v) << b.n
	b.n += n
	if b.n < 32 {
		return
	}
	b.buf = binary.LittleEndian.AppendUint32(b.buf, uint32(b.bits)) //nolint:gosec // the lowest 32 bits
	b.bits >>= 32
	b.n -= 32
	if len(b.buf) >= flushAt {
		b.flush()
	}
}

// end fills the last byte.
func (b *bitWriter) end() {
	for b.n > 0 {
		b.buf = append(b.buf, byte(b.bits)) //nolint:gosec // the lowest 8 bits
		b.bits >>= 8
		b.n -= min(8, b.n)
	}
	b.bits = 0
	b.flush()
}

func (b *bitWriter) flush() {
	if b.err == nil {
		_, b.err = b.w.Write(b.buf)
	}
	b.buf = b.buf[:0]
}
