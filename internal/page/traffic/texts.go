package traffic

import "strings"

// What is kept of the addresses that a page asks for.
const (
	maxTexts = 8 << 20 // bytes in all
	longText = 8 << 10 // bytes of one
	briefly  = 256     // bytes of one when those in all are used up
)

// texts bounds what is kept of a page's texts.
type texts struct{ used int }

// keep returns what may be kept of a text: its beginning. A redirect that is kept in place of another counts as well.
func (t *texts) keep(s string) string {
	most := longText
	if t.used+min(len(s), most) > maxTexts {
		most = briefly
	}
	s = strings.Clone(s[:min(len(s), most)])
	t.used += len(s)
	return s
}

// same reports whether a kept text may be of the given one.
func same(kept, text string) bool {
	return kept == text || len(kept) >= briefly && strings.HasPrefix(text, kept)
}
