package deflate

const (
	leastTokens = 2048  // of a block that is made by splitting
	mostTokens  = 65536 // of a block
	places      = 8     // where a block is tried to be split
)

// split cuts tokens into blocks where two codes are shorter than one.
func split(tokens []token) [][]token {
	if len(tokens) > mostTokens {
		half := len(tokens) / 2
		return append(split(tokens[:half]), split(tokens[half:])...)
	}
	return splitBlock(tokens, planOf(tokens).size)
}

func splitBlock(tokens []token, whole int) [][]token {
	least, cut, left, right := whole, 0, 0, 0
	for i := 1; i < places; i++ {
		at := len(tokens) * i / places
		if at < leastTokens || len(tokens)-at < leastTokens {
			continue
		}
		a, b := planOf(tokens[:at]).size, planOf(tokens[at:]).size
		if a+b < least {
			least, cut, left, right = a+b, at, a, b
		}
	}
	if cut == 0 {
		return [][]token{tokens}
	}
	return append(splitBlock(tokens[:cut], left), splitBlock(tokens[cut:], right)...)
}
