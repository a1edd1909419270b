package truth

import (
	"bytes"
	"errors"
	"fmt"
	"image/color"
	"os/exec"
	"regexp"

	"github.com/savepage/savepage/internal/testsite"
)

// Has wants pixels of each of the colours somewhere.
func Has(says string, colours ...color.RGBA) Check {
	return Check{Says: says, Look: func(p *Picture) error {
		missing := map[color.RGBA]bool{}
		for _, c := range colours {
			missing[c] = true
		}
		err := p.rows(func(_ int, at func(x int) color.RGBA) error {
			for x := range p.Width {
				delete(missing, at(x))
			}
			return nil
		})
		if len(missing) > 0 {
			err = errors.Join(err, fmt.Errorf("%d of %d colours are missing", len(missing), len(colours)))
		}
		return err
	}}
}

// OneOf wants one of the bands all over a box: one whole slide.
func OneOf(says string, b Box, bands ...int) Check {
	return Check{Says: says, At: b, Look: func(p *Picture) error {
		for _, n := range bands {
			if Fill("", b, testsite.BandColor(n)).Look(p) == nil {
				return nil
			}
		}
		return fmt.Errorf("no slide fills %+v: its middle is %v", b, p.At(b.X+b.Width/2, b.Y+b.Height/2))
	}}
}

// Agrees wants the dot of the slide that is shown, and of no other, to have the colour of the slide. Dots stand so many
// pixels to the right of one another.
func Agrees(says string, slide Box, dot Box, step int, bands ...int) Check {
	return Check{Says: says, At: slide.and(dot), Look: func(p *Picture) error {
		shown := p.At(slide.X+slide.Width/2, slide.Y+slide.Height/2)
		for i, n := range bands {
			got := p.At(dot.X+i*step+dot.Width/2, dot.Y+dot.Height/2)
			if is := p.near(shown, testsite.BandColor(n)); is != p.near(got, testsite.BandColor(n)) {
				return fmt.Errorf("the slide is %v, dot %d is %v", shown, i, got)
			}
		}
		return nil
	}}
}

// Words wants each of some words once in the text of a print.
func Words(words ...string) Check {
	return Check{Says: fmt.Sprintf("%d words, each once", len(words)), Look: func(p *Picture) error {
		cmd := exec.Command("pdftotext", "-layout", "-", "-") //nolint:noctx // it reads what it is given and ends
		cmd.Stdin = bytes.NewReader(p.Bytes)
		text, err := cmd.Output()
		if err != nil {
			return fmt.Errorf("pdftotext: %w", err)
		}
		var wrong []string
		for _, word := range words {
			if n := len(regexp.MustCompile(`\b`+regexp.QuoteMeta(word)+`\b`).FindAll(text, -1)); n != 1 {
				wrong = append(wrong, fmt.Sprintf("%q %d times", word, n))
			}
		}
		if len(wrong) > 0 {
			return fmt.Errorf("%d of %d are not there once: %v", len(wrong), len(words), wrong[:min(3, len(wrong))])
		}
		return nil
	}}
}
