package deflate

import (
	"encoding/binary"
	"math/bits"
)

const (
	hashBits  = 16
	never     = -window - 1 // a place that no repetition can refer to
	nearThree = 8 << 10     // a repetition of three bytes is worth its distance up to here
)

// finder finds earlier places where the next bytes stand. For four bytes and more all places of the window are chained, the
// latest first; for three only the latest is known.
type finder struct {
	three, four []int32
	stride      int           // a distance that is always looked at; 0 for none
	before      [window]int32 // the place before, by place modulo window
}

func newFinder(stride int) *finder {
	f := &finder{stride: stride, three: make([]int32, 1<<hashBits), four: make([]int32, 1<<hashBits)}
	for i := range f.three {
		f.three[i], f.four[i] = never, never
	}
	for i := range f.before {
		f.before[i] = never
	}
	return f
}

// slide makes up for bytes that were dropped: a multiple of window.
func (f *finder) slide(drop int) {
	for _, table := range [][]int32{f.three, f.four, f.before[:]} {
		for i, at := range table {
			table[i] = max(never, at-int32(drop)) //nolint:gosec // at most window and segment
		}
	}
}

func hash(v uint32) uint32 { return v * 0x9e3779b1 >> (32 - hashBits) }

// note makes a place known and returns the latest ones before it with the same three and the same four bytes, or others with
// the same hash. Four bytes must follow it.
func (f *finder) note(data []byte, at int) (three, four int) {
	v := binary.LittleEndian.Uint32(data[at:])
	h3, h4 := hash(v<<8), hash(v)
	three, four = int(f.three[h3]), int(f.four[h4])
	f.before[at&(window-1)] = f.four[h4]
	f.three[h3], f.four[h4] = int32(at), int32(at) //nolint:gosec // at most window and segment
	return three, four
}

// noteAll makes places known that are not asked for.
func (f *finder) noteAll(data []byte, from, to int) {
	to = min(to, len(data)-3)
	for at := from; at < to; at++ {
		v := binary.LittleEndian.Uint32(data[at:])
		h4 := hash(v)
		f.before[at&(window-1)] = f.four[h4]
		f.four[h4] = int32(at)          //nolint:gosec // at most window and segment
		f.three[hash(v<<8)] = int32(at) //nolint:gosec // at most window and segment
	}
}

// common is how many bytes from two places on are the same, at most maxLength.
func common(data []byte, a, b int) int {
	limit := min(maxLength, len(data)-b)
	n := 0
	for n+8 <= limit {
		if x := binary.LittleEndian.Uint64(data[a+n:]) ^ binary.LittleEndian.Uint64(data[b+n:]); x != 0 {
			return n + bits.TrailingZeros64(x)>>3
		}
		n += 8
	}
	for n < limit && data[a+n] == data[b+n] {
		n++
	}
	return n
}

// find calls found with every repetition of the bytes at a place that is longer than all nearer ones, and makes the place
// known. With more than least bytes only.
func (f *finder) find(data []byte, at, least int, level Level, found func(length, distance int)) {
	if len(data)-at < 4 {
		return
	}
	three, four := f.note(data, at)
	best := max(least, minLength-1)
	if best < minLength && three >= max(0, at-nearThree) && common(data, three, at) >= minLength {
		best = minLength
		found(minLength, at-three)
	}
	far := max(0, at-window)
	for range level.depth {
		if four < far || at+best >= len(data) || best >= level.nice {
			break
		}
		if n := longer(data, four, at, best); n > best {
			best = n
			found(n, at-four)
		}
		four = int(f.before[four&(window-1)])
	}
	if above := at - f.stride; f.stride > 0 && above >= far && at+best < len(data) {
		if n := longer(data, above, at, best); n > best {
			found(n, f.stride)
		}
	}
}

// longer is how many bytes from two places on are the same, or 0 when they are not more than so many.
func longer(data []byte, a, b, than int) int {
	if than >= maxLength || data[a+than] != data[b+than] {
		return 0
	}
	return common(data, a, b)
}

// lazy writes data[from:] as tokens: at each place the longest repetition, unless the next place has a longer one.
func (f *finder) lazy(data []byte, from int, level Level, tokens []token) []token {
	length, distance := 0, 0
	keep := func(n, d int) { length, distance = n, d }
	for at := from; at < len(data); {
		if length == 0 {
			f.find(data, at, 0, level, keep)
		}
		if length == 0 {
			tokens = append(tokens, token(data[at]))
			at++
			continue
		}
		held, heldDistance := length, distance
		length = 0
		noted := at + 1
		if held < level.lazy {
			f.find(data, at+1, held, level, keep)
			noted++
		}
		if length > held {
			tokens = append(tokens, token(data[at]))
			at++
			continue
		}
		tokens = append(tokens, match(held, heldDistance))
		f.noteAll(data, noted, at+held)
		at += held
		length = 0
	}
	return tokens
}
