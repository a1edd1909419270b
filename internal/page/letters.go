package page

import (
	"context"
	"fmt"
	"time"
	"unicode"

	"github.com/savepage/savepage"
)

// maxLetters is how many letters without a glyph the report names.
const maxLetters = 10

// letters notes which letters on the page no font has: a box stands in the picture for each.
func (j *job) letters(ctx context.Context) {
	var missing []rune
	if j.ask(ctx, time.Second, &missing, "letters") != nil {
		return // the picture is there: it is not lost for this
	}
	j.fonts = savepage.FontReport{Missing: len(missing)}
	for _, letter := range missing[:min(len(missing), maxLetters)] {
		j.fonts.Named = append(j.fonts.Named, letterName(letter))
	}
}

// letterName is the number of a letter and its script, where Unicode knows one: "U+A015 Yi".
func letterName(letter rune) string {
	name := fmt.Sprintf("U+%04X", letter)
	if unicode.Is(unicode.Co, letter) {
		return name + " private use"
	}
	for script, table := range unicode.Scripts {
		if script != "Common" && script != "Inherited" && unicode.Is(table, letter) {
			return name + " " + script
		}
	}
	return name
}
