package api

import (
	"bytes"
	_ "embed" // for the page
	"html/template"
	"maps"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/savepage/savepage"
)

// manualPage is the manual as one page that loads nothing from anywhere.
//
//go:embed manual.html
var manualPage string

// OptionGroup is a part of the list of options.
type OptionGroup struct {
	Title  string
	Fields []Field
}

// OptionGroups lists every option, grouped, in the order of savepage.Options.
func OptionGroups() []OptionGroup {
	fields := OptionFields()
	var groups []OptionGroup
	for _, group := range savepage.OptionGroups() {
		groups = append(groups, OptionGroup{group.Title, fields[:len(group.Options)]})
		fields = fields[len(group.Options):]
	}
	return groups
}

type manualGroup struct {
	Name, Description string
	Operations        []*huma.Operation
}

// renderManual writes the manual from the document.
func renderManual(document *huma.OpenAPI) ([]byte, error) {
	page, err := template.New("manual").Parse(manualPage)
	if err != nil {
		return nil, err
	}
	var groups []manualGroup
	for _, tag := range document.Tags {
		groups = append(groups, manualGroup{Name: tag.Name, Description: tag.Description, Operations: operationsOf(document, tag.Name)})
	}
	var out bytes.Buffer
	err = page.Execute(&out, map[string]any{
		"Info": document.Info, "Server": document.Servers[0].URL, "OptionGroups": OptionGroups(), "Groups": groups, "Codes": savepage.Codes(),
	})
	return out.Bytes(), err
}

// operationsOf returns the operations of a tag in the order of their paths.
func operationsOf(document *huma.OpenAPI, tag string) []*huma.Operation {
	var found []*huma.Operation
	for _, path := range slices.Sorted(maps.Keys(document.Paths)) {
		item := document.Paths[path]
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Patch, item.Delete} {
			if op != nil && slices.Contains(op.Tags, tag) {
				found = append(found, op)
			}
		}
	}
	return found
}
