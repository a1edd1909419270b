package savepage

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Paper is the size of a PDF's pages.
type Paper string

// PaperA4 is the paper when none is given.
const PaperA4 Paper = "a4"

// Size is the paper's width and height in points of 1/72 inch, upright; of A4 for an unknown paper. The A series is ISO 216,
// the others are ANSI and US customary sizes.
func (p Paper) Size() (width, height float64) {
	const mm = 72 / 25.4
	switch p {
	case "letter":
		return 612, 792
	case "legal":
		return 612, 1008
	case "tabloid":
		return 792, 1224
	case "ledger":
		return 1224, 792
	case "a0":
		return 841 * mm, 1189 * mm
	case "a1":
		return 594 * mm, 841 * mm
	case "a2":
		return 420 * mm, 594 * mm
	case "a3":
		return 297 * mm, 420 * mm
	case "a5":
		return 148 * mm, 210 * mm
	case "a6":
		return 105 * mm, 148 * mm
	default:
		return 210 * mm, 297 * mm
	}
}

// MaxPaper is the longest side of a PDF's page in points of 1/72 inch: 200 inches, which is what readers of PDFs take (ISO
// 32000-1, annex C).
const MaxPaper = 14_400

// PaperSize is the width and height of the pages in points of 1/72 inch: of pdf_width and pdf_height where they are given, else
// of pdf_paper as it is turned. One long page is as wide as the viewport and the margins, unless its width is given; the height
// is then that of a page that would have to be divided.
func (o Options) PaperSize() (width, height float64) {
	width, height = o.PDFPaper.Size()
	if o.PDFLandscape {
		width, height = height, width
	}
	if o.PDFSinglePage && o.PDFPaper == "" {
		margins := o.Margins()
		width = float64(cmp.Or(o.Width, Defaults().Width))*0.75*cmp.Or(o.PDFScale, 1) + margins.Left + margins.Right
	}
	if given, err := parseLength(o.PDFWidth); err == nil {
		width = given
	}
	if given, err := parseLength(o.PDFHeight); err == nil {
		height = given
	}
	return width, height
}

// Margins are the margins of the pages.
func (o Options) Margins() Margins {
	margins, _ := ParseMargins(cmp.Or(o.PDFMargin, DefaultMargin)) // checked when it came
	return margins
}

// DefaultMargin is the margin of a PDF's pages when none is given.
const DefaultMargin = "10mm"

// Margins are the white edges of a PDF's pages, in points of 1/72 inch.
type Margins struct{ Top, Right, Bottom, Left float64 }

// ParseMargins reads one, two or four lengths as CSS does: "10mm", "1cm 0", "0.5in 20px 0.5in 20px". Units are mm, cm, in,
// px and pt; a number without a unit is in mm.
func ParseMargins(text string) (Margins, error) {
	var given []float64
	for word := range strings.FieldsSeq(text) {
		points, err := parseLength(word)
		if err != nil {
			return Margins{}, err
		}
		given = append(given, points)
	}
	switch len(given) {
	case 1:
		return Margins{given[0], given[0], given[0], given[0]}, nil
	case 2:
		return Margins{given[0], given[1], given[0], given[1]}, nil
	case 4:
		return Margins{given[0], given[1], given[2], given[3]}, nil
	default:
		return Margins{}, errors.New("one, two or four lengths are needed")
	}
}

func parseLength(word string) (float64, error) {
	perUnit := map[string]float64{"mm": 72 / 25.4, "cm": 72 / 2.54, "in": 72, "px": 0.75, "pt": 1, "": 72 / 25.4}
	number := strings.TrimRight(word, "abcdefghijklmnopqrstuvwxyz")
	points, known := perUnit[word[len(number):]]
	n, err := strconv.ParseFloat(number, 64)
	if !known || err != nil || n < 0 || n > 10_000 {
		return 0, fmt.Errorf("%q is not a length", word)
	}
	return n * points, nil
}

// pageRanges matches pages of a PDF: "2", "1-3", "4-", and several of these.
var pageRanges = regexp.MustCompile(`^\d{1,5}(-(\d{1,5})?)?(,\d{1,5}(-(\d{1,5})?)?)*$`)

func checkPages(text string) error {
	text = strings.ReplaceAll(text, " ", "")
	if !pageRanges.MatchString(text) {
		return errors.New("not a list of pages")
	}
	for part := range strings.SplitSeq(text, ",") {
		first, last, is := strings.Cut(part, "-")
		from, _ := strconv.Atoi(first)
		to, _ := strconv.Atoi(last)
		if from == 0 || is && last != "" && to < from {
			return fmt.Errorf("%s is not a range of pages", part)
		}
	}
	return nil
}

// checkPaper compares the margins with the paper and reads the pages.
func (o Options) checkPaper() []FieldError {
	if !o.Format.Info().Paged {
		return nil
	}
	var wrong []FieldError
	margins, err := ParseMargins(cmp.Or(o.PDFMargin, DefaultMargin))
	width, height := o.PaperSize()
	const least = 36 // points that must remain for the page in each direction
	switch {
	case err != nil:
		const message = `must be one, two or four lengths such as "10mm" or "1in 20px" (mm, cm, in, px, pt)`
		wrong = append(wrong, FieldError{"pdf_margin", message, o.PDFMargin})
	case margins.Left+margins.Right > width-least || margins.Top+margins.Bottom > height-least:
		wrong = append(wrong, FieldError{"pdf_margin", "leaves too little space on the paper", o.PDFMargin})
	}
	wrong = append(wrong, o.checkPaperSide("pdf_width", o.PDFWidth)...)
	wrong = append(wrong, o.checkPaperSide("pdf_height", o.PDFHeight)...)
	wrong = append(wrong, o.checkTogether()...)
	if o.PDFPages != "" && checkPages(o.PDFPages) != nil {
		wrong = append(wrong, FieldError{"pdf_pages", `must be page numbers and ranges from 1, such as "1-3,5,8-"`, o.PDFPages})
	}
	return wrong
}

// checkPaperSide checks a side of the paper that is given as a length.
func (o Options) checkPaperSide(option, given string) []FieldError {
	if given == "" {
		return nil
	}
	const least = 72
	points, err := parseLength(given)
	switch {
	case err != nil:
		return []FieldError{{option, `must be a length such as "210mm" (mm, cm, in, px, pt)`, given}}
	case points < least || points > MaxPaper:
		return []FieldError{{option, "must be from 1in to 200in", given}}
	case o.PDFPaper != "":
		return []FieldError{{option, "must not be given together with pdf_paper", given}}
	case o.PDFLandscape:
		return []FieldError{{option, "must not be given together with pdf_landscape", given}}
	default:
		return nil
	}
}

// checkTogether refuses options of a pdf that contradict each other.
func (o Options) checkTogether() []FieldError {
	var wrong []FieldError
	if o.PDFPageNumbers && o.PDFFooter != "" {
		wrong = append(wrong, FieldError{"pdf_page_numbers", "must not be given together with pdf_footer", nil})
	}
	for _, other := range []struct {
		name  string
		given bool
	}{
		{"pdf_height", o.PDFHeight != ""}, {"pdf_pages", o.PDFPages != ""}, {"pdf_css_page_size", o.PDFCSSPageSize},
		{"pdf_landscape", o.PDFLandscape && o.PDFPaper == ""},
	} {
		if o.PDFSinglePage && other.given {
			wrong = append(wrong, FieldError{"pdf_single_page", "must not be given together with " + other.name, nil})
		}
	}
	return wrong
}
