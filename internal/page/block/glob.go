package block

// maxMatched is how many bytes of a URL are compared with patterns: a page can ask for URLs of megabytes, and every request
// waits for the answer.
const maxMatched = 8 << 10

// glob matches a whole text against a pattern in which * stands for any text and ? for one byte. It follows all ways to match
// at once, one bit for each (the shift-and method), so that no pattern takes more than one step for each byte and each 64
// bytes of the pattern.
type glob struct {
	stars   []uint64          // bit i: a * stands before token i
	matches map[byte][]uint64 // bit i: token i accepts the byte
	any     []uint64          // bit i: token i is a ?
	end     int               // number of tokens: the state in which the whole pattern has matched
}

// newGlob compiles a pattern. Every text is a pattern.
func newGlob(pattern string) *glob {
	words := len(pattern)/64 + 1
	g := &glob{stars: make([]uint64, words), any: make([]uint64, words), matches: map[byte][]uint64{}}
	for i := range len(pattern) {
		at, bit := g.end/64, uint64(1)<<(g.end%64)
		switch c := pattern[i]; c {
		case '*':
			g.stars[at] |= bit
			continue
		case '?':
			g.any[at] |= bit
		default:
			if g.matches[c] == nil {
				g.matches[c] = make([]uint64, words)
			}
			g.matches[c][at] |= bit
		}
		g.end++
	}
	for _, accepted := range g.matches {
		for i := range accepted {
			accepted[i] |= g.any[i]
		}
	}
	return g
}

// match reports whether the text matches. Only the first maxMatched bytes of a longer text are compared.
func (g *glob) match(text string) bool {
	states := make([]uint64, len(g.stars))
	states[0] = 1
	for i := range min(len(text), maxMatched) {
		accepted, named := g.matches[text[i]]
		if !named {
			accepted = g.any
		}
		if !g.step(states, accepted) {
			return false
		}
	}
	return states[g.end/64]>>(g.end%64)&1 == 1
}

// step goes on by one byte: a state goes to the next token when the token accepts the byte, and stays where a * stands. It
// reports whether any state is left.
func (g *glob) step(states, accepted []uint64) bool {
	var carry, left uint64
	for i, state := range states {
		moved := state & accepted[i]
		states[i] = moved<<1 | carry | state&g.stars[i]
		carry = moved >> 63
		left |= states[i]
	}
	return left != 0
}
