package manual

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
)

// How many results a search shows: on its page, and while somebody types.
const (
	maxFound = 40
	maxTyped = 8
)

// The weights of what a search finds: a title counts more than a text, and an exact name more than anything.
const (
	weightExact = 1000
	weightBegin = 100
	weightTitle = 20
	weightText  = 1
)

// index is everything that can be found.
type index []entry

// entry is a place in the manual.
type entry struct {
	Title, Of, Address, Text string
	title, text              string // in lower case, with spaces for underscores
}

// results are what a search has found.
type results struct {
	Query string
	Found []entry // the best
	Of    int     // so many there are
}

func (i *index) add(title, of, address, text string) {
	*i = append(*i, entry{
		Title: title, Of: of, Address: address, Text: shortened(text), title: searchable(title), text: searchable(text),
	})
}

func (i *index) addSections(r rendered, address string) {
	for n, one := range r.sections {
		at, of := address+"#"+one.id, r.title
		if n == 0 {
			at, of = address, ""
		}
		i.add(one.title, of, at, one.text)
	}
}

// find returns the places that have all the words, the best first and at most so many of them, and how many there are.
func (i index) find(query string, most int) (best []entry, of int) {
	words := strings.Fields(searchable(query))
	if len(words) == 0 {
		return nil, 0
	}
	type scored struct {
		entry

		score int
	}
	var found []scored
	for _, one := range i {
		if score := one.score(strings.Join(words, " "), words); score > 0 {
			found = append(found, scored{one, score})
		}
	}
	slices.SortStableFunc(found, func(a, b scored) int { return cmp.Compare(b.score, a.score) })
	for _, one := range found[:min(len(found), most)] {
		best = append(best, one.entry)
	}
	return best, len(found)
}

// score is 0 for a place without one of the words.
func (e entry) score(query string, words []string) int {
	score := 0
	for _, word := range words {
		switch {
		case strings.Contains(e.title, word):
			score += weightTitle
		case strings.Contains(e.text, word):
			score += weightText
		default:
			return 0
		}
	}
	switch {
	case e.title == query:
		score += weightExact
	case strings.HasPrefix(e.title, query):
		score += weightBegin
	}
	return score
}

func searchable(text string) string {
	return strings.Join(strings.Fields(strings.NewReplacer("_", " ", "-", " ").Replace(strings.ToLower(text))), " ")
}

// shortened is the beginning of a text, up to a word.
func shortened(text string) string {
	const most = 160
	text = strings.Join(strings.Fields(text), " ")
	if len(text) <= most {
		return text
	}
	return text[:max(strings.LastIndexByte(text[:most], ' '), 0)] + " …"
}

// search answers the form of the search.
func (s *book) search(w http.ResponseWriter, r *http.Request) {
	s.show(w, http.StatusOK, &page{Address: Prefix + "/search", Title: "Search", layout: "search", content: s.seek(r, maxFound)})
}

// places answers the search while somebody types, with a list for the page that is open.
func (s *book) places(w http.ResponseWriter, r *http.Request) {
	s.show(w, http.StatusOK, &page{layout: "places", content: s.seek(r, maxTyped)})
}

// seek finds what a request asks for.
func (s *book) seek(r *http.Request, most int) results {
	query := strings.TrimSpace(strings.ToValidUTF8(r.URL.Query().Get("q"), ""))
	if len(query) > 200 {
		query = strings.ToValidUTF8(query[:200], "")
	}
	found := results{Query: query}
	found.Found, found.Of = s.index.find(query, most)
	return found
}
