package savepage

import (
	"mime"
	"slices"
	"strings"
	"testing"
)

func TestFormatsAreToldApart(t *testing.T) {
	seen := map[string]bool{}
	for _, row := range Formats() {
		for _, name := range append([]Format{row.Format}, row.Aliases...) {
			if seen[string(name)] || string(name) != strings.ToLower(string(name)) || !name.Known() || name.Info().Format != row.Format {
				t.Errorf("name %q of %s", name, row.Format)
			}
			seen[string(name)] = true
		}
		if media, _, err := mime.ParseMediaType(row.MediaType); err != nil || seen[media] {
			t.Errorf("media type %q of %s: %v", row.MediaType, row.Format, err)
		}
		if row.Extension == "" || seen["."+row.Extension] {
			t.Errorf("extension %q of %s", row.Extension, row.Format)
		}
		seen[row.MediaType], seen["."+row.Extension] = true, true
		if !row.Pixels() && (row.MaxSide != 0 || row.Quality || row.Transparent) || row.Pixels() && row.Paged {
			t.Errorf("%s mixes pixels and paper: %+v", row.Format, row)
		}
	}
	if unknown := Format("gif"); unknown.Known() || unknown.MediaType() != "application/octet-stream" || !unknown.Info().Download {
		t.Errorf("unknown format: %+v", unknown.Info())
	}
}

func TestOptionsOfFormats(t *testing.T) {
	for option, want := range map[string][]Format{
		"width": nil, "quality": {FormatJPEG, FormatWebP}, "transparent": {FormatPNG, FormatWebP},
		"clip": {FormatPNG, FormatJPEG, FormatWebP}, "pdf_paper": {FormatPDF},
	} {
		if got := OptionFormats(option); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", option, got, want)
		}
	}
	for _, rule := range formatRules() {
		if n := len(rule.formats()); n == 0 || n == len(Formats()) {
			t.Errorf("the rule of %s tells no formats apart", rule.option)
		}
	}
	for want, o := range map[string]Options{
		"selector: needs format png, jpeg or webp":      {Selector: "p", Format: FormatPDF},
		"transparent: needs format png or webp":         {Transparent: true, Format: FormatJPG},
		"quality: needs format jpeg or webp":            {Quality: 10, Format: FormatPDF},
		"pdf_paper: needs format pdf":                   {PDFPaper: "a5"},
		"fail_on: cannot contain blank with format pdf": {FailOn: []Failure{FailOnBlank}, Format: FormatPDF},
		"": {Quality: 10, FailOn: []Failure{FailOnBlank}},
	} {
		o.URL = "http://example.com/"
		var got []string
		for _, field := range o.ValidateFields() {
			got = append(got, field.String())
		}
		if strings.Join(got, "; ") != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
