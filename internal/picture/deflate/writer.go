// Package deflate packs bytes as RFC 1951 has it, for pictures: it looks for repetitions from three bytes on, the pixel of a
// picture in colour, where other packers of Go look from four on, and at its best level weighs all ways to write a block. It
// knows nothing of pictures and unpacks nothing.
package deflate

import "io"

// Level is how much time is spent for fewer bytes.
type Level struct {
	depth  int // how many places are compared for a repetition
	nice   int // a repetition of this length is not compared further
	lazy   int // a shorter one is compared with that of the next byte
	rounds int // how often all ways to write a block are weighed; 0 for never
}

// Normal is the level for what must be done soon.
func Normal() Level { return Level{depth: 32, nice: 128, lazy: 32} }

// Best is the level for what is read often.
func Best() Level { return Level{depth: 128, nice: maxLength, lazy: maxLength, rounds: 2} }

// segment is how many bytes are packed at once.
const segment = 512 << 10

// Writer packs what is written to it. It is for one goroutine.
type Writer struct {
	to     bitWriter
	level  Level
	data   []byte // the window, then what is to be packed
	packed int    // bytes of data that have been packed
	finder *finder
	tokens []token
	weigh  weigher
}

// NewWriter returns a Writer of rows of so many bytes, each of which may repeat the one above; 0 for other bytes. Close writes
// what is left.
func NewWriter(w io.Writer, level Level, row int) *Writer {
	if row > window {
		row = 0 // out of reach
	}
	return &Writer{to: bitWriter{w: w}, level: level, data: make([]byte, 0, window+segment), finder: newFinder(row)}
}

// SetLevel changes the level of what was not packed yet.
func (w *Writer) SetLevel(level Level) { w.level = level }

// Write takes the next bytes.
func (w *Writer) Write(p []byte) (int, error) {
	taken := 0
	for len(p) > 0 {
		n := min(len(p), cap(w.data)-len(w.data))
		w.data = append(w.data, p[:n]...)
		taken += n
		if p = p[n:]; len(w.data) == cap(w.data) {
			w.pack(false)
			w.slide()
		}
		if w.to.err != nil {
			return taken, w.to.err
		}
	}
	return taken, nil
}

// slide drops what repetitions can no longer refer to.
func (w *Writer) slide() {
	drop := len(w.data) - window
	copy(w.data, w.data[drop:])
	w.data = w.data[:window]
	w.packed = window
	w.finder.slide(drop)
}

// Close packs the rest and ends the stream. It does not close the underlying writer.
func (w *Writer) Close() error {
	w.pack(true)
	w.to.end()
	return w.to.err
}

// pack packs what has not been.
func (w *Writer) pack(last bool) {
	from, to := w.packed, len(w.data)
	w.packed = to
	if w.level.rounds > 0 {
		w.weigh.collect(w.finder, w.data, from, w.level)
		w.tokens = w.weigh.parse(w.data, from, to, standardCosts(), w.tokens[:0])
	} else {
		w.tokens = w.finder.lazy(w.data, from, w.level, w.tokens[:0])
	}
	blocks := split(w.tokens)
	at := from
	for i, tokens := range blocks {
		size := covered(tokens)
		w.block(tokens, at, at+size, last && i == len(blocks)-1)
		at += size
	}
}

// covered is how many bytes tokens stand for.
func covered(tokens []token) int {
	n := 0
	for _, t := range tokens {
		n += max(1, t.length())
	}
	return n
}

// block writes the tokens of data[from:to], or better ones.
func (w *Writer) block(tokens []token, from, to int, last bool) {
	best := planOf(tokens)
	var other []token
	for range w.level.rounds {
		other = w.weigh.parse(w.data, from, to, costsOf(best.counts), nil)
		again := planOf(other)
		if again.size >= best.size {
			break
		}
		best, tokens = again, other
	}
	best.write(&w.to, tokens, last)
}
