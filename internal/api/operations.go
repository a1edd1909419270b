package api

import (
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"github.com/savepage/savepage"
)

// bodyOf is the key of an operation's metadata for the Go types of its JSON answers by status; describe makes schemas of
// them.
const bodyOf = "bodies"

// The tags of the document.
const (
	tagCaptures   = "Captures"
	tagWebhooks   = "Webhooks"
	tagDeliveries = "Deliveries"
	tagInbox      = "Inbox"
	tagStores     = "Stores"
	tagBatches    = "Batches"
	tagAccounts   = "Accounts"
	tagOlder      = "Older API"
	tagOperations = "Operations"
)

// olderKey is the security scheme of the older API.
const olderKey = "olderKey"

// operation begins a description. bodies are the JSON answers by status, statuses those of its errors.
func operation(id, tag, summary string, bodies map[int]reflect.Type, statuses ...int) *huma.Operation {
	op := &huma.Operation{
		OperationID: id, Tags: []string{tag}, Summary: summary,
		Responses: map[string]*huma.Response{}, Errors: statuses, Metadata: map[string]any{bodyOf: bodies},
	}
	return op
}

func docVersion() *huma.Operation {
	op := operation("version", tagOperations, "Get the version", map[int]reflect.Type{200: schemaOf[Version]()})
	return open(op)
}

// open says of an operation that it needs no key.
func open(op *huma.Operation) *huma.Operation {
	op.Security = []map[string][]string{}
	op.Responses["421"] = &huma.Response{Description: "A server on loopback has no such host (SAVEPAGE_ALLOWED_HOSTS)."}
	return op
}

func docReady() *huma.Operation {
	op := docOpen("ready", "Whether the server can take captures.", "application/json", map[string]any{"status": "ready"})
	op.Responses["503"] = &huma.Response{
		Description: "It cannot; the answer lists the reasons.", Content: map[string]*huma.MediaType{
			"application/json": {
				Schema:  &huma.Schema{Type: huma.TypeObject},
				Example: map[string]any{"status": "not ready", "wrong": map[string]string{"browser": "no browser answers"}},
			},
		},
	}
	return op
}

// docOpen describes a path that needs no key and answers with a media type.
func docOpen(id, summary, mediaType string, example any) *huma.Operation {
	op := operation(id, tagOperations, summary, nil)
	schema := text()
	if mediaType == "application/json" {
		schema = &huma.Schema{Type: huma.TypeObject}
	}
	op.Responses["200"] = &huma.Response{
		Description: summary, Content: map[string]*huma.MediaType{mediaType: {Schema: schema, Example: example}},
	}
	return open(op)
}

func docOpenAPI() *huma.Operation {
	return docOpen("openapi", "This document.", "application/json", map[string]any{"openapi": "3.1.0"})
}

func docMetrics() *huma.Operation {
	return docOpen("metrics", "Metrics for Prometheus.", "text/plain", "savepage_captures_total{outcome=\"success\"} 1204\n")
}

func pictures() map[string]*huma.MediaType {
	content := map[string]*huma.MediaType{}
	for _, format := range savepage.Formats() {
		content[format.MediaType] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}
	}
	return content
}

func idParam() *huma.Param {
	return pathParam("id", "Id of the capture.")
}

func limitParam() *huma.Param {
	limit := &huma.Schema{Type: huma.TypeInteger, Minimum: new(1.0), Maximum: new(float64(maxLimit)), Default: defaultLimit}
	return query("limit", "Maximum number of entries.", limit)
}

func cursorParam() *huma.Param { return query("cursor", "next_cursor of the previous page.", text()) }

func pathParam(name, doc string) *huma.Param {
	return &huma.Param{Name: name, In: "path", Required: true, Description: doc, Schema: text()}
}

// jsonBody is a request body with a schema of the document.
func jsonBody(schema string, required bool) *huma.RequestBody {
	return &huma.RequestBody{Required: required, Content: map[string]*huma.MediaType{"application/json": {Schema: refTo(schema)}}}
}

func query(name, doc string, s *huma.Schema) *huma.Param {
	return &huma.Param{Name: name, In: "query", Description: doc, Schema: s}
}

func header(name, doc string, s *huma.Schema) *huma.Param {
	return &huma.Param{Name: name, In: "header", Description: doc, Schema: s}
}

func text() *huma.Schema { return &huma.Schema{Type: huma.TypeString} }

func refTo(name string) *huma.Schema { return &huma.Schema{Ref: "#/components/schemas/" + name} }
