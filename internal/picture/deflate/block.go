package deflate

// histogram counts the symbols of a block.
type histogram struct {
	literals  [literals]uint32
	distances [distances]uint32
	extra     int // bits that follow symbols
}

func (h *histogram) add(tokens []token) {
	for _, t := range tokens {
		if !t.isMatch() {
			h.literals[t]++
			continue
		}
		symbol, extra, _ := lengthSymbol(t.length())
		h.literals[symbol]++
		h.extra += int(extra)
		symbol, extra, _ = distanceSymbol(t.distance())
		h.distances[symbol]++
		h.extra += int(extra)
	}
}

// plan is how a block is written.
type plan struct {
	literals, distances code
	lengths             code  // of the lengths of the two
	packed              []run // these lengths
	size                int   // bits of the whole block
	counts              *histogram
}

// run is a symbol of a code's lengths with what follows it.
type run struct {
	symbol uint8
	extra  uint8
	value  uint8
}

// order is how the lengths of the lengths' code are sorted (RFC 1951, 3.2.7).
func order() [lengthCodes]int {
	return [...]int{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}
}

// planOf is the plan of a block of these tokens.
func planOf(tokens []token) *plan {
	h := &histogram{}
	h.add(tokens)
	return newPlan(h)
}

// newPlan makes the codes of a block with these symbols; the end of the block is added.
func newPlan(h *histogram) *plan {
	h.literals[endOfBlock] = 1
	p := &plan{counts: h, literals: newCode(h.literals[:], maxBits), distances: newCode(h.distances[:], maxBits)}
	p.packed = runs(p.literals.trimmed(257), p.distances.trimmed(1))
	var counts [lengthCodes]uint32
	for _, r := range p.packed {
		counts[r.symbol]++
		p.size += int(r.extra)
	}
	p.lengths = newCode(counts[:], 7)
	p.size += 3 + 5 + 5 + 4 + 3*p.lengthsWritten() + sizeOf(p.lengths, counts[:]) + h.extra
	p.size += sizeOf(p.literals, h.literals[:]) + sizeOf(p.distances, h.distances[:])
	return p
}

func sizeOf(c code, counts []uint32) int {
	size := 0
	for symbol, count := range counts {
		size += int(count) * int(c.lengths[symbol])
	}
	return size
}

// trimmed is the lengths up to the last that is not 0, at least so many.
func (c code) trimmed(least int) []uint8 {
	n := len(c.lengths)
	for n > least && c.lengths[n-1] == 0 {
		n--
	}
	return c.lengths[:n]
}

func (p *plan) lengthsWritten() int {
	all := order()
	n := lengthCodes
	for n > 4 && p.lengths.lengths[all[n-1]] == 0 {
		n--
	}
	return n
}

// runs writes two codes' lengths with the symbols for repetition: 16 for the last length 3 to 6 times, 17 and 18 for zeros.
func runs(codes ...[]uint8) []run {
	var all []uint8
	for _, lengths := range codes {
		all = append(all, lengths...)
	}
	var packed []run
	for i := 0; i < len(all); {
		n := 1
		for i+n < len(all) && all[i+n] == all[i] && n < 138 {
			n++
		}
		switch {
		case all[i] == 0 && n >= 11:
			packed = append(packed, run{18, 7, uint8(n - 11)})
		case all[i] == 0 && n >= 3:
			packed = append(packed, run{17, 3, uint8(n - 3)})
		case n >= 4:
			n = min(n, 7)
			packed = append(packed, run{all[i], 0, 0}, run{16, 2, uint8(n - 4)})
		default:
			n = 1
			packed = append(packed, run{all[i], 0, 0})
		}
		i += n
	}
	return packed
}

// write writes a block with the plan's codes.
func (p *plan) write(to *bitWriter, tokens []token, last bool) {
	to.put(b2u(last)|2<<1, 3)
	to.put(uint32(len(p.literals.trimmed(257))-257), 5) //nolint:gosec // at most 29
	to.put(uint32(len(p.distances.trimmed(1))-1), 5)    //nolint:gosec // at most 29
	n := p.lengthsWritten()
	to.put(uint32(n-4), 4) //nolint:gosec // at most 15
	all := order()
	for _, symbol := range all[:n] {
		to.put(uint32(p.lengths.lengths[symbol]), 3)
	}
	for _, r := range p.packed {
		to.put(uint32(p.lengths.words[r.symbol]), uint(p.lengths.lengths[r.symbol]))
		to.put(uint32(r.value), uint(r.extra))
	}
	for _, t := range tokens {
		p.token(to, t)
	}
	to.put(uint32(p.literals.words[endOfBlock]), uint(p.literals.lengths[endOfBlock]))
}

func (p *plan) token(to *bitWriter, t token) {
	if !t.isMatch() {
		to.put(uint32(p.literals.words[t]), uint(p.literals.lengths[t]))
		return
	}
	symbol, extra, value := lengthSymbol(t.length())
	to.put(uint32(p.literals.words[symbol])|value<<p.literals.lengths[symbol], uint(p.literals.lengths[symbol])+extra)
	symbol, extra, value = distanceSymbol(t.distance())
	to.put(uint32(p.distances.words[symbol])|value<<p.distances.lengths[symbol], uint(p.distances.lengths[symbol])+extra)
}

func b2u(b bool) uint32 {
	if b {
		return 1
	}
	return 0
}
