package truth

import (
	"fmt"
	"slices"

	"github.com/savepage/savepage"
)

// texts are pages whose letters must be the right ones.
func texts() []Case {
	return []Case{
		{
			Name: "slow web font", Path: "/fonts?ms=600",
			Checks: []Check{Ink("a line of text", Box{40, 40, 1300, 140}, 0.05, 0.5)},
		},
		{
			Name: "sixteen scripts and emoji", Path: "/scripts", Options: savepage.Options{Height: 960},
			Checks: append(lines(16), Report("no letter without a glyph", func(r savepage.Report) string {
				return differ(r.Fonts.Missing, 0)
			})),
		},
		{
			Name: "letters without a glyph", Path: "/letterless",
			Checks: []Check{Report("they are named", func(r savepage.Report) string {
				want := []string{"U+10570 Vithkuqi", "U+10571 Vithkuqi", "U+10572 Vithkuqi", "U+E123 private use"}
				return differ(fmt.Sprint(slices.Sorted(slices.Values(r.Fonts.Named))), fmt.Sprint(want))
			})},
		},
		{
			Name: "a font that never comes", Path: "/fonts-late",
			Options: savepage.Options{Timeout: 20_000},
			Partial: "nobody answered, and the page was shown without: http",
			Checks:  []Check{Ink("the headline in another font", Box{360, 100, 500, 60}, 0.05, 0.5), Names("(no answer)")},
		},
		{
			Name: "a font that is not there", Path: "/fonts-late?from=status/404",
			Checks: []Check{Ink("the headline in another font", Box{360, 100, 500, 60}, 0.05, 0.5), Names("status 404")},
		},
	}
}

// lines wants ink in n lines of 60 pixels.
func lines(n int) []Check {
	var checks []Check
	for i := range n {
		checks = append(checks, Ink(fmt.Sprintf("line %d", i+1), Box{0, i * 60, 1440, 60}, 0.01, 0.4))
	}
	return checks
}
