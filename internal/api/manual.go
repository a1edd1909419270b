package api

import (
	"bytes"
	"html/template"
	"maps"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/savepage/savepage"
)

// manualPage is the reference as one page that loads nothing from anywhere.
const manualPage = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>{{.Info.Title}} reference</title>
<style>
:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;width:100%;margin:.5rem 0 1.5rem}td,th{border:1px solid #8886;padding:.3rem .5rem;text-align:left;vertical-align:top}
code{font-family:ui-monospace,monospace}h2{margin-top:2.5rem}h3 code{font-size:1.05em}
</style></head><body>
<h1>{{.Info.Title}} {{.Info.Version}}</h1><p>{{.Info.Description}}</p>
<p>Base address: <code>{{.Server}}</code>. Key: <code>Authorization: Bearer KEY</code>. The same as a document: <a href="/openapi.json">openapi.json</a>.</p>
<h2 id="options">Options</h2>
<p>The same in the JSON body, a query, a form and as flags of the command line.</p>
<table><tr><th>name</th><th>value</th><th>default</th><th>meaning</th></tr>
{{range .Options}}<tr id="option-{{.Name}}"><td><code>{{.Name}}</code></td><td>{{.Kind}}{{with .Range}}, {{.}}{{end}}</td><td>{{.Default}}</td><td>{{.Doc}}</td></tr>
{{end}}</table>
{{range .Groups}}<h2 id="{{.Name}}">{{.Name}}</h2><p>{{.Description}}</p>
{{range .Operations}}<h3 id="{{.OperationID}}"><code>{{.Method}} {{.Path}}</code></h3><p><b>{{.Summary}}.</b> {{.Description}}</p>
{{if .Parameters}}<table><tr><th>parameter</th><th>in</th><th>meaning</th></tr>{{range .Parameters}}<tr><td><code>{{.Name}}</code></td><td>{{.In}}</td><td>{{.Description}}</td></tr>{{end}}</table>{{end}}
<table><tr><th>status</th><th>answer</th></tr>{{range $status, $answer := .Responses}}<tr><td>{{$status}}</td><td>{{$answer.Description}}</td></tr>{{end}}</table>
{{end}}{{end}}
<h2 id="errors">Errors</h2>
<p>Errors are <code>application/problem+json</code> (RFC 9457) with one of these codes. The same codes stand in failed captures and callbacks.</p>
<table><tr><th>code</th><th>status</th><th>tried again by the service</th><th>meaning</th></tr>
{{range .Codes}}<tr id="{{.Code}}"><td><code>{{.Code}}</code></td><td>{{.Status}}</td><td>{{if .Retried}}yes{{else}}no{{end}}</td><td>{{.Manual}}</td></tr>
{{end}}</table></body></html>
`

type manualGroup struct {
	Name, Description string
	Operations        []*huma.Operation
}

// renderManual writes the reference page from the document.
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
		"Info": document.Info, "Server": document.Servers[0].URL, "Options": OptionFields(), "Groups": groups, "Codes": savepage.Codes(),
	})
	return out.Bytes(), err
}

// operationsOf returns the operations of a tag in the order of their paths.
func operationsOf(document *huma.OpenAPI, tag string) []*huma.Operation {
	var found []*huma.Operation
	for _, path := range slices.Sorted(maps.Keys(document.Paths)) {
		item := document.Paths[path]
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Delete} {
			if op != nil && slices.Contains(op.Tags, tag) {
				found = append(found, op)
			}
		}
	}
	return found
}
