package shot

import (
	"context"
	_ "embed" // for the script
	"fmt"
	"time"
	"unicode"

	"github.com/savepage/savepage"
)

//go:embed glyphs.js
var glyphsScript string

// maxLetters is how many letters without a glyph the report names.
const maxLetters = 10

// MissingGlyphs says which letters on the page no font has: a box stands in the picture for each. When the page does not
// answer it names none: the picture is there and is not lost for this.
func (c *Camera) MissingGlyphs(ctx context.Context) savepage.FontReport {
	var missing []rune
	if c.letters == nil {
		c.lookForLetters(ctx)
	}
	if c.letters == nil || c.Page.End(ctx, c.letters, time.Second, &missing) != nil {
		return savepage.FontReport{}
	}
	fonts := savepage.FontReport{Missing: len(missing)}
	for _, letter := range missing[:min(len(missing), maxLetters)] {
		fonts.Named = append(fonts.Named, letterName(letter))
	}
	return fonts
}

// lookForLetters has the page look for them when it has nothing else to do: its frame is drawn first.
func (c *Camera) lookForLetters(ctx context.Context) {
	if c.Common() {
		return
	}
	expression := glyphsScript + "()"
	if !c.Stopped {
		expression = "new Promise(idle => requestIdleCallback(idle, {timeout: 100})).then(" + glyphsScript + ")"
	}
	c.letters, _ = c.Page.Begin(ctx, expression)
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
