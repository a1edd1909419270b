package deflate

import "math"

// costs is what symbols cost, in 16ths of a bit.
type costs struct {
	literals  [256]uint32
	lengths   [maxLength + 1]uint32 // with the bits that follow
	distances [distances]uint32     // with the bits that follow
}

const perBit = 16

// standardCosts are those of a picture that nothing is known of.
func standardCosts() *costs {
	c := &costs{}
	for i := range c.literals {
		c.literals[i] = 7 * perBit
	}
	for n := minLength; n <= maxLength; n++ {
		_, extra, _ := lengthSymbol(n)
		c.lengths[n] = (6 + uint32(extra)) * perBit //nolint:gosec // small
	}
	for symbol := range c.distances {
		c.distances[symbol] = (4 + extraOf(symbol)) * perBit
	}
	return c
}

func extraOf(distanceSymbol int) uint32 { return uint32(max(0, distanceSymbol/2-1)) } //nolint:gosec // small

// costsOf are those of a block with such symbols.
func costsOf(h *histogram) *costs {
	c := &costs{}
	of := entropy(h.literals[:])
	copy(c.literals[:], of)
	for n := minLength; n <= maxLength; n++ {
		symbol, extra, _ := lengthSymbol(n)
		c.lengths[n] = of[symbol] + uint32(extra)*perBit //nolint:gosec // small
	}
	for symbol, cost := range entropy(h.distances[:]) {
		c.distances[symbol] = cost + extraOf(symbol)*perBit
	}
	return c
}

// entropy is the cost of each symbol. One that does not occur costs as if it occurred less than once.
func entropy(counts []uint32) []uint32 {
	total := 0.0
	for _, n := range counts {
		total += float64(n)
	}
	total = max(total, 1)
	costs := make([]uint32, len(counts))
	for i, n := range counts {
		share := max(float64(n), 0.4) / total
		costs[i] = max(perBit, uint32(min(maxBits, -math.Log2(share))*perBit))
	}
	return costs
}

// weigher weighs all ways to write bytes as tokens. It is used again and again for the sake of its memory.
type weigher struct {
	first int     // the place that ends[0] belongs to
	all   []token // repetitions, by place and then by length
	ends  []int32 // of each place, in all
	price []uint32
	pick  []token
}

// collect looks for the repetitions of data[from:].
func (w *weigher) collect(f *finder, data []byte, from int, level Level) {
	w.first, w.all, w.ends = from, w.all[:0], w.ends[:0]
	longest := 0
	keep := func(n, d int) {
		w.all = append(w.all, match(n, d))
		longest = n
	}
	for at := from; at < len(data); {
		longest = 0
		f.find(data, at, 0, level, keep)
		w.ends = append(w.ends, int32(len(w.all))) //nolint:gosec // some millions
		at++
		if longest < level.nice {
			continue
		}
		f.noteAll(data, at, at+longest-1)
		for range longest - 1 { // within a long one nothing is looked for
			w.ends = append(w.ends, int32(len(w.all))) //nolint:gosec // some millions
			at++
		}
	}
}

// at is the repetitions of a place.
func (w *weigher) at(place int) []token {
	i, begin := place-w.first, int32(0)
	if i > 0 {
		begin = w.ends[i-1]
	}
	return w.all[begin:w.ends[i]]
}

// parse appends the cheapest tokens for data[from:to], which were collected.
func (w *weigher) parse(data []byte, from, to int, c *costs, tokens []token) []token {
	n := to - from
	if cap(w.price) < n+1 {
		w.price, w.pick = make([]uint32, n+1), make([]token, n+1)
	}
	price, pick := w.price[:n+1], w.pick[:n+1]
	price[n] = 0
	for i := n - 1; i >= 0; i-- {
		best, chosen := c.literals[data[from+i]]+price[i+1], token(data[from+i])
		length := minLength
		for _, m := range w.at(from + i) {
			symbol, _, _ := distanceSymbol(m.distance())
			for limit := min(m.length(), n-i); length <= limit; length++ {
				if cost := c.distances[symbol] + c.lengths[length] + price[i+length]; cost < best {
					best, chosen = cost, match(length, m.distance())
				}
			}
		}
		price[i], pick[i] = best, chosen
	}
	for i := 0; i < n; i += max(1, pick[i].length()) {
		tokens = append(tokens, pick[i])
	}
	return tokens
}
