package api

import (
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"
)

// newAssetsField describes a list of files.
func newAssetsField(f Field, s *huma.Schema) Field {
	f.Range = "at most " + strconv.Itoa(*s.MaxItems)
	f.item = `must be an object such as {"name":"style.css","data":"BASE64"}`
	f.expect = `must be a list of files such as [{"name":"style.css","data":"BASE64"}], ` + f.Range
	f.sort = f.expect
	return f
}

// rewordAsset returns the message of a schema error in the files, in one of them, or in a member of one.
func rewordAsset(assets Field, carrier string, detail *huma.ErrorDetail) string {
	switch {
	case detail.Location == at(carrier, assets.Name):
		return assets.expect
	case strings.HasSuffix(detail.Location, "].data"):
		return "must be the file as base64"
	case strings.HasSuffix(detail.Location, "].name") && detail.Message != validation.MsgExpectedString:
		return "must be at most 255 characters"
	case strings.HasSuffix(detail.Location, "].name"):
		return "must be a string"
	default:
		return assets.item
	}
}
