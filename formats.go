package savepage

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Format is the file format of a picture.
type Format string

// The formats. FormatJPG is an alias of FormatJPEG and never stored.
const (
	FormatPNG  Format = "png"
	FormatJPEG Format = "jpeg"
	FormatJPG  Format = "jpg"
	FormatWebP Format = "webp"
	FormatPDF  Format = "pdf"
)

// Encoder says how a file of a format is made.
type Encoder string

// The encoders.
const (
	EncoderTiles   Encoder = "tiles"   // internal/picture joins tiles of the page, row by row
	EncoderBrowser Encoder = "browser" // the browser draws the whole picture and encodes it
	EncoderPrint   Encoder = "print"   // the browser prints the page
)

// FormatInfo is everything that differs from one format to another.
type FormatInfo struct {
	Format      Format
	Aliases     []Format // other names that a request may use
	MediaType   string   // Content-Type
	Extension   string   // of file names, without the dot
	Encoder     Encoder
	MaxSide     int  // largest width or height in pixels that the format can hold; 0 for no limit
	Quality     bool // the option quality has an effect
	Transparent bool // pixels may be transparent
	Paged       bool // pages of paper: the whole page is printed, and the pdf_ options hold
	Download    bool // served as an attachment, because a browser may run what is in it
}

// Formats returns the table of formats, in the order of the manual. It is the only source of what a format is: a new one is
// a row here and its encoder.
func Formats() []FormatInfo {
	return []FormatInfo{
		{Format: FormatPNG, MediaType: "image/png", Extension: "png", Encoder: EncoderTiles, Transparent: true},
		{
			Format: FormatJPEG, Aliases: []Format{FormatJPG}, MediaType: "image/jpeg", Extension: "jpeg", Encoder: EncoderTiles,
			MaxSide: 65535, // ITU T.81, B.2.2: 16 bits
			Quality: true,
		},
		{
			Format: FormatWebP, MediaType: "image/webp", Extension: "webp", Encoder: EncoderBrowser,
			MaxSide: 16383, // RFC 9649, 2.5: 14 bits, and one less in the encoder
			Quality: true, Transparent: true,
		},
		{Format: FormatPDF, MediaType: "application/pdf", Extension: "pdf", Encoder: EncoderPrint, Paged: true, Download: true},
	}
}

// Info returns the table's row for a format or an alias. Of an unknown format it knows only that it is a download.
func (f Format) Info() FormatInfo {
	for _, row := range Formats() {
		if row.Format == f || slices.Contains(row.Aliases, f) {
			return row
		}
	}
	return FormatInfo{Format: f, MediaType: "application/octet-stream", Extension: string(f), Download: true}
}

// Known reports whether f is a format or an alias.
func (f Format) Known() bool { return f.Info().Encoder != "" }

// MediaType is the Content-Type of the format.
func (f Format) MediaType() string { return f.Info().MediaType }

// Extension is the ending of file names, without the dot.
func (f Format) Extension() string { return f.Info().Extension }

// Pixels reports whether a file of the format is a picture of pixels.
func (i FormatInfo) Pixels() bool { return i.Encoder == EncoderTiles || i.Encoder == EncoderBrowser }

// formatRule is an option that some formats cannot have.
type formatRule struct {
	option  string
	fits    func(FormatInfo) bool     // formats in which the option has an effect
	given   func(Options) (any, bool) // the value, and whether there is one
	ignored bool                      // other formats of pixels take the option without effect
}

func formatRules() []formatRule {
	pixels := FormatInfo.Pixels
	paged := func(i FormatInfo) bool { return i.Paged }
	return []formatRule{
		{option: "selector", fits: pixels, given: func(o Options) (any, bool) { return given(o.Selector) }},
		{option: "clip", fits: pixels, given: func(o Options) (any, bool) { return nil, o.Clip != nil }},
		{option: "max_height", fits: pixels, given: func(o Options) (any, bool) { return given(o.MaxHeight) }},
		{
			option: "transparent", fits: func(i FormatInfo) bool { return i.Transparent },
			given: func(o Options) (any, bool) { return given(o.Transparent) },
		},
		{option: "background", fits: pixels, given: func(o Options) (any, bool) { return given(o.Background) }},
		{option: "thumb_width", fits: pixels, given: func(o Options) (any, bool) { return given(o.ThumbWidth) }},
		{option: "thumb_height", fits: pixels, given: func(o Options) (any, bool) { return given(o.ThumbHeight) }},
		{option: "thumb_fit", fits: pixels, given: func(o Options) (any, bool) { return given(o.ThumbFit) }},
		{
			option: "quality", fits: func(i FormatInfo) bool { return i.Quality }, ignored: true,
			given: func(o Options) (any, bool) { return o.Quality, o.Quality != 0 && o.Quality != Defaults().Quality },
		},
		{
			option: "png_effort", fits: func(i FormatInfo) bool { return i.Format == FormatPNG },
			given: func(o Options) (any, bool) {
				return o.PNGEffort, o.PNGEffort != "" && o.PNGEffort != Defaults().PNGEffort
			},
		},
		{option: "pdf_paper", fits: paged, given: func(o Options) (any, bool) { return given(o.PDFPaper) }},
		{option: "pdf_width", fits: paged, given: func(o Options) (any, bool) { return given(o.PDFWidth) }},
		{option: "pdf_height", fits: paged, given: func(o Options) (any, bool) { return given(o.PDFHeight) }},
		{option: "pdf_landscape", fits: paged, given: func(o Options) (any, bool) { return given(o.PDFLandscape) }},
		{option: "pdf_css_page_size", fits: paged, given: func(o Options) (any, bool) { return given(o.PDFCSSPageSize) }},
		{option: "pdf_margin", fits: paged, given: func(o Options) (any, bool) { return given(o.PDFMargin) }},
		{option: "pdf_background", fits: paged, given: func(o Options) (any, bool) { return o.PDFBackground, o.PDFBackground != nil }},
		{option: "pdf_pages", fits: paged, given: func(o Options) (any, bool) { return given(o.PDFPages) }},
		{option: "pdf_single_page", fits: paged, given: func(o Options) (any, bool) { return given(o.PDFSinglePage) }},
		{option: "pdf_scale", fits: paged, given: func(o Options) (any, bool) { return given(o.PDFScale) }},
		{option: "pdf_header", fits: paged, given: func(o Options) (any, bool) { return nil, o.PDFHeader != "" }},
		{option: "pdf_footer", fits: paged, given: func(o Options) (any, bool) { return nil, o.PDFFooter != "" }},
		{option: "pdf_page_numbers", fits: paged, given: func(o Options) (any, bool) { return given(o.PDFPageNumbers) }},
		{option: "pdf_outline", fits: paged, given: func(o Options) (any, bool) { return o.PDFOutline, o.PDFOutline != nil }},
	}
}

func given[T comparable](value T) (any, bool) {
	var zero T
	return value, value != zero
}

// OptionFormats returns the formats in which an option, named as on the wire, has an effect; nil when it has one in all.
func OptionFormats(option string) []Format {
	for _, rule := range formatRules() {
		if rule.option == option {
			return rule.formats()
		}
	}
	return nil
}

func (r formatRule) formats() []Format {
	var fit []Format
	for _, row := range Formats() {
		if r.fits(row) {
			fit = append(fit, row.Format)
		}
	}
	return fit
}

// checkFormat refuses options that the format cannot have.
func (o Options) checkFormat() []FieldError {
	format := cmp.Or(o.Format, Defaults().Format)
	if !format.Known() {
		return nil // the schema refuses it
	}
	var wrong []FieldError
	info := format.Info()
	for _, rule := range formatRules() {
		value, given := rule.given(o)
		if takes := rule.fits(info) || rule.ignored && info.Pixels(); given && !takes {
			wrong = append(wrong, FieldError{rule.option, "needs format " + listed(rule.formats(), " or "), value})
		}
	}
	if info.Paged && slices.Contains(o.FailOn, FailOnBlank) {
		wrong = append(wrong, FieldError{"fail_on", fmt.Sprintf("cannot contain %s with format %s", FailOnBlank, info.Format), nil})
	}
	return wrong
}

// listed joins the names of formats with commas, and the last two with another separator.
func listed(formats []Format, last string) string {
	var b strings.Builder
	for i, f := range formats {
		switch {
		case i == 0:
		case i == len(formats)-1:
			b.WriteString(last)
		default:
			b.WriteString(", ")
		}
		b.WriteString(string(f))
	}
	return b.String()
}
