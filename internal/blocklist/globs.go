package blocklist

import (
	"container/heap"
	"slices"
	"strings"
)

// Asking about a request takes far longer than deciding on it, so requests are only asked about that a rule may mean:
// those to other hosts than the page's, and on the page's own host those with a part in them that is in some rule.

// reach is what of a list may mean requests to a page's own host.
type reach struct {
	parts []string // of addresses: at least one of them is in every rule for all hosts and pages
	sites []uint32 // rules for all hosts and some pages
	paths []uint32 // rules for paths of a host
}

// Globs are patterns of the addresses that a page's requests must be asked about, with * for any characters; nil when
// that is every address. On the page's own host a part of an address is known in small letters, in capitals, and with the
// first letter a capital. Rules for the whole of the page's own host, or for what its name is like, are left out.
func (f Filter) Globs(page Document) []string {
	if page.host == "" {
		return nil
	}
	known, globs := names(page.host), otherHosts(page.host)
	for _, l := range f {
		for _, i := range l.reach.sites {
			r := &l.block.rules[i]
			if !r.more.domains.hold(known) {
				continue
			}
			if r.more.expr != nil || r.pattern == "" {
				return nil
			}
			globs = append(globs, r.glob())
		}
		for _, i := range l.reach.paths {
			r := &l.block.rules[i]
			if slices.ContainsFunc(known, func(name string) bool {
				return strings.HasPrefix(r.pattern, name) || strings.HasPrefix(name, r.pattern)
			}) {
				globs = append(globs, r.glob())
			}
		}
		for _, part := range l.reach.parts {
			before := "*"
			if strings.Contains("https://"+page.host+"/", part) {
				before += page.host + "*" // the part itself is in all addresses of the host
			}
			globs = append(globs, before+part+"*")
			if upper := strings.ToUpper(part); upper != part {
				globs = append(globs, before+upper+"*", before+upper[:1]+part[1:]+"*")
			}
		}
	}
	return globs
}

// glob is a pattern of all addresses that a rule may fit, in small letters.
func (r *rule) glob() string { return "*" + strings.ReplaceAll(r.pattern, "^", "*") + "*" }

// newReach sorts rules by how they may mean a page's own host.
func newReach(rules []rule) reach {
	var to reach
	var general []string
	for i := range rules {
		r := &rules[i]
		at := uint32(i)
		switch {
		case r.flags&(onlyThird|wholeHost) != 0:
		case r.flags&hostAnchor != 0:
			to.paths = append(to.paths, at)
		case r.more != nil && len(r.more.domains.in) > 0:
			to.sites = append(to.sites, at)
		case r.more == nil || r.more.expr == nil: // expressions for all pages are about hosts that are addresses
			general = append(general, strings.ToLower(r.pattern))
		}
	}
	to.parts = cover(general)
	return to
}

// otherHosts are patterns of all addresses whose host is not this one: they differ from it at some place.
func otherHosts(host string) []string {
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789-._[]:/?#%"
	var globs []string
	for i := range len(host) + 1 {
		for _, c := range []byte(letters) {
			ends := strings.IndexByte(":/?#", c) >= 0
			if i < len(host) && c == host[i] || i == len(host) && ends {
				continue
			}
			globs = append(globs, "*://"+host[:i]+string(c)+"*")
		}
	}
	return globs
}

// partSize is how long the parts are by which rules are known. Shorter ones are in too many addresses.
const partSize = 4

// ordinary is what addresses of plain pages are made of. A part of it says little.
const ordinary = "https://www.example.com/picture/pictures/image/images/img/photo/static/assets/css/style.css/js/main.js/app.js/index.html/" +
	"script.js/jquery.min.js/bootstrap.bundle.min.js/vendor/fonts/font.woff2/media/uploads/content/wp-content/themes/plugins/dist/build/_next/chunks/" +
	"logo.svg/icon.png/favicon.ico/header.jpg/footer.webp/avatar/thumbnail.jpeg/data.json/api/v1/v2/graphql/download/product/products/article/articles/" +
	"gallery/hero.gif/page/pages/public/files/file/resources/640x420/1200x800/320x240?width=&height=&quality=&format=&version=&lang="

// cover chooses few parts so that each pattern has one of them: always the one that most of those have that are left.
func cover(patterns []string) []string {
	holders := map[string][]int32{} // patterns by part
	for i, pattern := range patterns {
		for _, part := range partsOf(pattern) {
			holders[part] = append(holders[part], int32(i)) //nolint:gosec // far fewer than 2^31
		}
	}
	var waiting candidates
	for part, by := range holders {
		waiting = append(waiting, candidate{part, worth(part, len(by))})
	}
	heap.Init(&waiting)
	covered, left := make([]bool, len(patterns)), len(patterns)
	var chosen []string
	for left > 0 && len(waiting) > 0 {
		best := waiting[0]
		holders[best.part] = slices.DeleteFunc(holders[best.part], func(i int32) bool { return covered[i] })
		now := worth(best.part, len(holders[best.part]))
		if now == 0 {
			heap.Pop(&waiting)
			continue
		}
		if now < best.worth { // others were chosen since: it may not be the best any more
			waiting[0].worth = now
			heap.Fix(&waiting, 0)
			continue
		}
		for _, i := range holders[best.part] {
			covered[i] = true
		}
		left -= len(holders[best.part])
		chosen = append(chosen, best.part)
		heap.Pop(&waiting)
	}
	return chosen
}

// candidate is a part that may be chosen.
type candidate struct {
	part  string
	worth int
}

// candidates are a heap with the best on top.
type candidates []candidate

func (c candidates) Len() int { return len(c) }

func (c candidates) Less(i, j int) bool {
	if c[i].worth != c[j].worth {
		return c[i].worth > c[j].worth
	}
	return c[i].part < c[j].part
}

func (c candidates) Swap(i, j int) { c[i], c[j] = c[j], c[i] }

// Push adds a candidate.
func (c *candidates) Push(x any) { *c = append(*c, x.(candidate)) } //nolint:forcetypeassert,errcheck // the heap holds nothing else

// Pop takes the last one.
func (c *candidates) Pop() any {
	last := (*c)[len(*c)-1]
	*c = (*c)[:len(*c)-1]
	return last
}

// worth is how much a part is worth that so many rules have.
func worth(part string, rules int) int {
	if rules > 0 && strings.Contains(ordinary, part) {
		return 1
	}
	return 32 * rules
}

// partsOf are the parts of a pattern. What is shorter is one as a whole.
func partsOf(pattern string) []string {
	var parts []string
	for piece := range strings.FieldsFuncSeq(pattern, func(c rune) bool { return c == '*' || c == '^' }) {
		if len(piece) < partSize {
			continue
		}
		for i := range len(piece) - partSize + 1 {
			parts = append(parts, piece[i:i+partSize])
		}
	}
	if len(parts) > 0 {
		slices.Sort(parts)
		return slices.Compact(parts)
	}
	pieces := strings.FieldsFunc(pattern, func(c rune) bool { return c == '*' || c == '^' })
	if len(pieces) == 0 {
		return []string{"/"} // every address
	}
	longest := slices.MaxFunc(pieces, func(a, b string) int { return len(a) - len(b) })
	return []string{longest}
}
