package records

import (
	"slices"
	"strings"
	"testing"
)

// StatementsOf returns the statements that stand in this package, and those of lists, but those that read a whole table for a
// reason.
func StatementsOf(t *testing.T) []string {
	t.Helper()
	var texts []string
	for _, s := range slices.Concat(statements(t), lists(t)) {
		excepted := beginning.MatchString(s.text) || strings.Contains(s.text, "%")
		for part := range exceptions() {
			excepted = excepted || strings.Contains(s.text, part)
		}
		if !excepted {
			texts = append(texts, s.text)
		}
	}
	slices.Sort(texts)
	texts = slices.Compact(texts)
	// The beginning of one that is put together is among them, before what it begins.
	var whole []string
	for i, text := range texts {
		if i+1 == len(texts) || !strings.HasPrefix(texts[i+1], text) {
			whole = append(whole, text)
		}
	}
	return whole
}
