package api

import (
	"slices"
	"strings"
	"testing"

	"github.com/savepage/savepage"
)

// TestEveryFormatIsServed holds what the API derives from the table of formats against the table.
func TestEveryFormatIsServed(t *testing.T) {
	fields := OptionFields()
	format := fields[slices.IndexFunc(fields, func(f Field) bool { return f.Name == "format" })]
	answers := formatSchema("").Schema(nil).Enum
	older := legacyFormats()
	for _, row := range savepage.Formats() {
		name := strings.Repeat("a", 22) + "." + row.Extension
		if !pictureName.MatchString(name) || formatOf(name) != row.Format {
			t.Errorf("the picture %s is not served as %s", name, row.Format)
		}
		if pictures()[row.MediaType] == nil || !slices.Contains(answers, any(string(row.Format))) {
			t.Errorf("%s is not described", row.Format)
		}
		for _, given := range formatNames(row) {
			if !slices.Contains(format.Enum, given) {
				t.Errorf("the option format does not take %s: %v", given, format.Enum)
			}
			if slices.Contains(older, given) != row.Pixels() || row.Pixels() && legacyFormat(strings.ToUpper(given)) != row.Format {
				t.Errorf("the older API and %s: %v", given, older)
			}
		}
	}
	if legacyFormat("pdf") != savepage.FormatJPEG || legacyFormat("") != savepage.FormatJPEG {
		t.Error("the older API takes an unknown format for something else than jpeg")
	}
	if pictureName.MatchString(strings.Repeat("a", 22)+".jpg") || pictureName.MatchString(strings.Repeat("a", 22)+".png/x") {
		t.Error("another name is served")
	}
}
