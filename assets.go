package savepage

import (
	"fmt"
	"path"
	"strings"
)

// Bounds of the option assets.
const (
	MaxAssets     = 100
	MaxAssetBytes = 2 << 20 // of all together
)

// Asset is a file that the document of the option html refers to by its name.
type Asset struct {
	Name string `json:"name" maxLength:"255" doc:"Relative path under which the document refers to the file, such as img/logo.png."`
	Data []byte `json:"data" doc:"The file, as base64."`
}

// checkDocument checks what belongs to the document of the option html.
func (o Options) checkDocument() []FieldError {
	var wrong []FieldError
	if o.HTML == "" {
		for _, one := range []struct {
			name  string
			given bool
		}{{"base_url", o.BaseURL != ""}, {"assets", len(o.Assets) > 0}} {
			if one.given {
				wrong = append(wrong, FieldError{one.name, "needs html", nil})
			}
		}
		return wrong
	}
	whole, seen := 0, map[string]bool{}
	for i, asset := range o.Assets {
		at := fmt.Sprintf("assets[%d].name", i)
		switch {
		case !isAssetName(asset.Name):
			wrong = append(wrong, FieldError{at, "must be a relative path without ., .., ?, # and \\, such as img/logo.png", asset.Name})
		case seen[asset.Name]:
			wrong = append(wrong, FieldError{at, "is given twice", asset.Name})
		}
		seen[asset.Name] = true
		whole += len(asset.Data)
	}
	if whole > MaxAssetBytes {
		wrong = append(wrong, FieldError{"assets", fmt.Sprintf("must be at most %d bytes together", MaxAssetBytes), whole})
	}
	return wrong
}

// isAssetName reports whether a name is a path below the document that no two addresses can mean.
func isAssetName(name string) bool {
	return name != "" && name != "." && len(name) <= 255 && path.Clean(name) == name && !strings.HasPrefix(name, "/") &&
		!strings.HasPrefix(name, "..") && !strings.ContainsFunc(name, func(r rune) bool {
		return r < ' ' || r == 0x7f || strings.ContainsRune(`?#\:`, r)
	})
}
