// Package near finds the known name that was probably meant by an unknown one. It is used for options, settings, commands
// and devices alike, and knows nothing about them.
package near

import (
	"strconv"
	"strings"
)

// maxName is the longest name, in bytes, that is compared: the cost grows with its square.
const maxName = 64

// maxEdits is how many letters of a name may be wrong, and no more than half of them.
const maxEdits = 2

// Plain removes differences of spelling: full_page, fullPage and full-page become fullpage.
func Plain(name string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "", ".", "", " ", "").Replace(name))
}

// Name returns the known name that differs from the given one in its spelling or in few letters, or "" when none does.
func Name(given string, known []string) string {
	if len(given) > maxName {
		return ""
	}
	name, edits := closest(given, known)
	if edits <= min(maxEdits, len(Plain(given))/2) {
		return name
	}
	return ""
}

// Closest returns the known name that takes the fewest edits to reach, however many they are; "" when no name is known.
func Closest(given string, known []string) string {
	name, _ := closest(given[:min(len(given), maxName)], known)
	return name
}

// Hint is what an error adds about an unknown name: `; did you mean "fullpage"?`, or nothing when no known name is near.
func Hint(given string, known []string) string {
	name := Name(given, known)
	if name == "" {
		return ""
	}
	return "; did you mean " + strconv.Quote(name) + "?"
}

func closest(given string, known []string) (name string, edits int) {
	want, edits := Plain(given), maxName+1
	for _, one := range known {
		if d := distance(want, Plain(one)); d < edits || name == "" {
			name, edits = one, d
		}
	}
	return name, edits
}

// distance is the Levenshtein distance of two names in bytes: how many letters are changed, added or left out.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			substitute := diagonal
			if a[i] != b[j] {
				substitute++
			}
			diagonal = row[j+1]
			row[j+1] = min(substitute, diagonal+1, row[j]+1)
		}
	}
	return row[len(b)]
}
