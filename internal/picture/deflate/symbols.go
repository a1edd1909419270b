package deflate

import "math/bits"

// Limits of the format (RFC 1951, 3.2.5 to 3.2.7).
const (
	maxBits     = 15 // of a symbol's code
	maxLength   = 258
	minLength   = 3
	window      = 32 << 10
	endOfBlock  = 256
	literals    = 286 // with the symbols of lengths
	distances   = 30
	lengthCodes = 19
)

// token is a literal, below 256, or a match: its length in the upper and its distance in the lower 16 bits.
type token uint32

func match(length, distance int) token { return token(length<<16 | distance) } //nolint:gosec // both have 16 bits

func (t token) isMatch() bool { return t >= 1<<16 }
func (t token) length() int   { return int(t >> 16) }
func (t token) distance() int { return int(t & 0xffff) }

// lengthSymbol returns the symbol of a length, and how many bits follow it with which value.
func lengthSymbol(length int) (symbol int, extra uint, value uint32) {
	if length == maxLength {
		return 285, 0, 0
	}
	n := length - minLength
	if n < 8 {
		return 257 + n, 0, 0
	}
	extra = log2(n) - 2
	return 257 + int(extra)*4 + n>>extra, extra, uint32(n) & (1<<extra - 1) //nolint:gosec // small
}

// distanceSymbol returns the symbol of a distance, and how many bits follow it with which value.
func distanceSymbol(distance int) (symbol int, extra uint, value uint32) {
	n := distance - 1
	if n < 4 {
		return n, 0, 0
	}
	extra = log2(n) - 1
	return int(extra)*2 + n>>extra, extra, uint32(n) & (1<<extra - 1) //nolint:gosec // small
}

// log2 is the place of the highest bit of n, which is at least 1.
func log2(n int) uint { return uint(bits.Len(uint(n))) - 1 }
