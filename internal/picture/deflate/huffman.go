package deflate

import (
	"cmp"
	"math/bits"
	"slices"
)

// code is a canonical prefix code (RFC 1951, 3.2.2).
type code struct {
	lengths []uint8  // of each symbol, in bits; 0 when it does not occur
	words   []uint16 // reversed, as they are written
}

// newCode makes the code for how often each symbol occurs, with at most limit bits a symbol.
func newCode(counts []uint32, limit int) code {
	c := code{lengths: codeLengths(counts, limit), words: make([]uint16, len(counts))}
	var perLength, next [maxBits + 2]uint16
	for _, n := range c.lengths {
		perLength[n]++
	}
	perLength[0] = 0
	for n := 1; n <= maxBits; n++ {
		next[n+1] = (next[n] + perLength[n]) << 1
	}
	for symbol, n := range c.lengths {
		if n > 0 {
			c.words[symbol] = bits.Reverse16(next[n]) >> (16 - n)
			next[n]++
		}
	}
	return c
}

// used is a symbol that occurs.
type used struct {
	symbol int
	count  uint32
}

// codeLengths builds Huffman's tree from two queues, the leaves by their counts and the nodes in the order in which they are
// made, and shortens what is too long. At least one symbol gets a length.
func codeLengths(counts []uint32, limit int) []uint8 {
	lengths := make([]uint8, len(counts))
	var leaves []used
	for symbol, count := range counts {
		if count > 0 {
			leaves = append(leaves, used{symbol, count})
		}
	}
	if len(leaves) < 2 {
		if len(leaves) == 0 {
			leaves = []used{{0, 1}}
		}
		lengths[leaves[0].symbol] = 1
		return lengths
	}
	slices.SortFunc(leaves, func(a, b used) int { return cmp.Or(cmp.Compare(a.count, b.count), a.symbol-b.symbol) })
	perLength := limited(depths(leaves), limit)
	at := len(leaves)
	for n := 1; n <= limit; n++ {
		for range perLength[n] {
			at--
			lengths[leaves[at].symbol] = uint8(n)
		}
	}
	return lengths
}

// depths is how many leaves of the tree stand at each depth.
func depths(leaves []used) []int {
	type node struct {
		count       uint32
		left, right int // below len(leaves) a leaf, else a node
	}
	nodes := make([]node, 0, len(leaves)-1)
	leaf, inner := 0, 0
	take := func() (int, uint32) {
		if leaf < len(leaves) && (inner == len(nodes) || leaves[leaf].count <= nodes[inner].count) {
			leaf++
			return leaf - 1, leaves[leaf-1].count
		}
		inner++
		return len(leaves) + inner - 1, nodes[inner-1].count
	}
	for len(nodes) < len(leaves)-1 {
		left, a := take()
		right, b := take()
		nodes = append(nodes, node{a + b, left, right})
	}
	depth := make([]int, len(nodes))
	at := make([]int, len(leaves)+1)
	for i, node := range slices.Backward(nodes) {
		for _, below := range []int{node.left, node.right} {
			if below < len(leaves) {
				at[depth[i]+1]++
			} else {
				depth[below-len(leaves)] = depth[i] + 1
			}
		}
	}
	return at
}

// limited moves leaves that are too deep up to the limit, and others down until the code fits again (Kraft's sum is one).
func limited(at []int, limit int) []int {
	perLength := make([]int, limit+1)
	total := 0
	for depth, n := range at {
		perLength[min(depth, limit)] += n
	}
	for n := 1; n <= limit; n++ {
		total += perLength[n] << (limit - n)
	}
	for ; total > 1<<limit; total-- {
		n := limit - 1
		for perLength[n] == 0 {
			n--
		}
		perLength[n]--
		perLength[n+1] += 2
		perLength[limit]--
	}
	return perLength
}
