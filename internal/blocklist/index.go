package blocklist

import "slices"

// index finds the rules that may hold for an address by the words in it: each rule stands under its rarest word, so only
// few are tried. Rules without a word are tried always.
type index struct {
	rules  []rule
	starts []uint32 // by slot: where its rules begin in order; one more at the end
	order  []uint32
	always []uint32
}

// slots is how many words are distinguished: a power of two.
const slots = 1 << 17

// newIndex orders the rules. Rules that another one takes away are left out.
func newIndex(rules []rule) *index {
	rules = withoutBad(rules)
	x := &index{rules: rules, starts: make([]uint32, slots+1)}
	counts := make([]uint32, slots)
	for i := range rules {
		rules[i].eachWord(func(slot uint32) { counts[slot]++ })
	}
	under := make([]int32, len(rules)) // slot of each rule, -1 without a word
	for i := range rules {
		under[i] = rarest(&rules[i], counts)
		if under[i] < 0 {
			x.always = append(x.always, uint32(i))
			continue
		}
		x.starts[under[i]+1]++
	}
	for i := range slots {
		x.starts[i+1] += x.starts[i]
	}
	next := slices.Clone(x.starts)
	x.order = make([]uint32, x.starts[slots])
	for i, slot := range under {
		if slot >= 0 {
			x.order[next[slot]] = uint32(i)
			next[slot]++
		}
	}
	return x
}

func rarest(r *rule, counts []uint32) int32 {
	best := int32(-1)
	r.eachWord(func(slot uint32) {
		if best < 0 || counts[slot] < counts[best] {
			best = int32(slot) //nolint:gosec // below slots
		}
	})
	return best
}

func withoutBad(rules []rule) []rule {
	var taken []rule
	for i := range rules {
		if rules[i].flags&bad != 0 {
			taken = append(taken, rules[i])
		}
	}
	if len(taken) == 0 {
		return rules
	}
	return slices.DeleteFunc(rules, func(r rule) bool {
		return r.flags&bad != 0 || slices.ContainsFunc(taken, func(t rule) bool { return t.same(&r) })
	})
}

// find returns the first rule with these flags that holds for the request, or nil.
func (x *index) find(a *asked, words []uint32, with flags) *rule {
	for _, slot := range words {
		if r := x.among(x.order[x.starts[slot]:x.starts[slot+1]], a, with); r != nil {
			return r
		}
	}
	return x.among(x.always, a, with)
}

func (x *index) among(few []uint32, a *asked, with flags) *rule {
	for _, i := range few {
		if r := &x.rules[i]; r.flags&with == with && r.holds(a) {
			return r
		}
	}
	return nil
}

// eachWord calls fn with the slot of each word of the pattern that stands alone in every address it fits.
func (r *rule) eachWord(fn func(slot uint32)) {
	if r.more != nil && r.more.expr != nil {
		return
	}
	p := r.pattern
	for i := 0; i < len(p); {
		if !wordly(p[i]) {
			i++
			continue
		}
		from, hash := i, uint32(offset)
		for ; i < len(p) && wordly(p[i]); i++ {
			hash = mix(hash, p[i])
		}
		left := from > 0 && p[from-1] != '*' || from == 0 && r.flags&(hostAnchor|startAnchor) != 0
		right := i < len(p) && p[i] != '*' || i == len(p) && r.flags&endAnchor != 0
		if left && right {
			fn(hash % slots)
		}
	}
}

// wordsOf are the slots of the words of an address in lower case, each once.
func wordsOf(url string) []uint32 {
	words := make([]uint32, 0, 32)
	for i := 0; i < len(url); {
		if !wordly(url[i]) {
			i++
			continue
		}
		hash := uint32(offset)
		for ; i < len(url) && wordly(url[i]); i++ {
			hash = mix(hash, url[i])
		}
		words = append(words, hash%slots)
	}
	slices.Sort(words)
	return slices.Compact(words)
}

func wordly(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '%'
}

const (
	offset = 2166136261 // FNV-1a
	prime  = 16777619
)

// mix takes one more character into a hash, in lower case.
func mix(hash uint32, c byte) uint32 {
	if c >= 'A' && c <= 'Z' {
		c += 'a' - 'A'
	}
	return (hash ^ uint32(c)) * prime
}
