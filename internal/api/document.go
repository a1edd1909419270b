package api

import (
	"fmt"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/savepage/savepage"
)

// describe makes the OpenAPI document of the table of routes.
func (d *documents) describe(routes []route) error {
	registry := newRegistry()
	optionsSchema(registry)
	registry.Schema(reflect.TypeFor[Rotation](), true, "Rotation")
	registry.Schema(reflect.TypeFor[TestEvent](), true, "TestEvent")
	registry.Schema(reflect.TypeFor[InboxChange](), true, "InboxChange")
	registry.Schema(reflect.TypeFor[RedeliveryBody](), true, "RedeliveryBody")
	batchSchemas(registry)
	accountSchemas(registry)
	problem := registry.Schema(reflect.TypeFor[Problem](), true, "Problem")
	document := &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info: &huma.Info{
			Title: "SavePage", Version: d.version, License: &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"},
			Description: "Turns web pages into pictures. A 2xx to a submission is a promise: the capture is stored, and ends as success, failed " +
				"or canceled.",
		},
		Servers: []*huma.Server{{URL: d.out.publicURL}},
		Tags: []*huma.Tag{
			{Name: tagCaptures, Description: "Submit captures, look them up, get their pictures."},
			{Name: tagWebhooks, Description: "The secrets that sign callbacks, and test events."},
			{Name: tagDeliveries, Description: "Callbacks: what was sent, what the receiver answered, and how to send them again."},
			{Name: tagInbox, Description: "A receiver of your own at the service, to try callbacks without a server."},
			{Name: tagStores, Description: "Buckets of your own, in which captures put their pictures."},
			{Name: tagBatches, Description: "Up to 1,000 captures that are accepted together, with one event when all have ended."},
			{Name: tagAccounts, Description: "What an account uses of its limits; accounts and keys, for keys with the scope admin."},
			{Name: tagOlder, Description: "For clients of the older API of savepage.io; only the base URL changes."},
			{Name: tagOperations, Description: "Health, metrics and this document. No key is needed."},
		},
		Security: []map[string][]string{{"key": {}}},
		Components: &huma.Components{
			Schemas: registry,
			SecuritySchemes: map[string]*huma.SecurityScheme{
				"key": {
					Type: "http", Scheme: "bearer", Description: "Authorization: Bearer KEY. Keys in the query are not accepted. " +
						"An operation names the scopes of which a key needs one: capture, read, admin.",
				},
				olderKey: {Type: "apiKey", In: "query", Name: "key", Description: "Of requests of the older API only."},
			},
		},
		Extensions: map[string]any{"x-error-codes": codeTable()},
	}
	examples := d.examples()
	for _, r := range routes {
		if r.doc == nil {
			continue
		}
		r.doc.Method, r.doc.Path = r.method, r.path
		complete(registry, problem, r.doc)
		examples.fill(r.doc, bodiesOf(r.doc))
		document.AddOperation(r.doc)
	}
	mayBeNull(registry, "View", "format", "timing", "report")
	mayBeNull(registry, "Record", "format", "timing", "report")
	tellDefaults(registry)
	document.Webhooks = map[string]*huma.PathItem{"captureEnded": examples.event(callback()), "batchEnded": examples.event(batchCallback())}
	var err error
	if d.document, err = document.MarshalJSON(); err != nil {
		return fmt.Errorf("encode the OpenAPI document: %w", err)
	}
	return nil
}

func (d *documents) examples() samples { return samples{links: d.links} }

// bodiesOf are the types of the JSON answers of an operation by status.
func bodiesOf(op *huma.Operation) map[int]reflect.Type {
	bodies, _ := op.Metadata[bodyOf].(map[int]reflect.Type)
	return bodies
}

// complete adds the answers that an operation only names, and those of every request with a key.
func complete(registry huma.Registry, problem *huma.Schema, op *huma.Operation) {
	for status, body := range bodiesOf(op) {
		code := strconv.Itoa(status)
		if op.Responses[code] == nil {
			op.Responses[code] = &huma.Response{Description: http.StatusText(status), Content: map[string]*huma.MediaType{}}
		}
		op.Responses[code].Content["application/json"] = &huma.MediaType{Schema: registry.Schema(body, true, body.Name())}
	}
	keyed := len(op.Security) > 0 // neither open nor the older API
	if keyed {
		op.Errors = append(op.Errors, http.StatusForbidden)
	}
	for _, status := range op.Errors {
		op.Responses[strconv.Itoa(status)] = &huma.Response{
			Description: codesOf(status), Content: map[string]*huma.MediaType{"application/problem+json": {Schema: problem}},
		}
	}
	if !keyed {
		return
	}
	for _, response := range op.Responses {
		if response.Headers == nil {
			response.Headers = map[string]*huma.Header{}
		}
		for name, doc := range map[string]string{
			"X-RateLimit-Limit":     "Requests per minute that the account may make.",
			"X-RateLimit-Remaining": "Number of requests that are left.",
			"X-RateLimit-Reset":     "When all of them are available again, in Unix seconds.",
		} {
			response.Headers[name] = &huma.Header{Description: doc, Schema: &huma.Schema{Type: huma.TypeInteger}}
		}
	}
}

// codesOf names the codes of answers with a status.
func codesOf(status int) string {
	var codes []string
	for _, row := range savepage.Codes() {
		if row.Status == status {
			codes = append(codes, string(row.Code))
		}
	}
	if len(codes) == 0 {
		return http.StatusText(status)
	}
	return http.StatusText(status) + ": " + strings.Join(codes, ", ")
}

// CodeRow is one row of the table of codes in the OpenAPI document.
type CodeRow struct {
	Code    savepage.Code `json:"code"`
	Status  int           `json:"status"`
	Retried bool          `json:"retried"`
	Manual  string        `json:"manual"`
}

func codeTable() []CodeRow {
	var table []CodeRow
	for _, row := range savepage.Codes() {
		table = append(table, CodeRow{Code: row.Code, Status: row.Status, Retried: row.Retried, Manual: row.Manual})
	}
	return table
}

// callback describes the POST to a callback_url.
func callback() *huma.PathItem {
	return &huma.PathItem{Post: &huma.Operation{
		OperationID: "captureEnded", Tags: []string{tagCaptures}, Summary: "A capture has ended",
		Description: "POST to callback_url. " + savepage.HeaderSignature + " is the lower-case hex HMAC-SHA256 of the raw body, keyed with the " +
			"webhook secret, or with callback_secret if the request had one. The Standard Webhooks headers are sent as well. A 2xx within 15 s " +
			"ends the delivery. Other answers are retried: at most 13 attempts in about two days.",
		Parameters: []*huma.Param{
			header(savepage.HeaderSignature, "Hex HMAC-SHA256 of the raw body.", text()),
			header(savepage.HeaderWebhookID, "The same for every attempt of a delivery.", text()),
			header(savepage.HeaderWebhookTimestamp, "Unix seconds of the attempt.", text()),
			header(savepage.HeaderWebhookSignature, "v1, and the base64 HMAC-SHA256 of id.timestamp.body. Several, separated by spaces, while a "+
				"secret is rotated.", text()),
		},
		RequestBody: jsonBody("View", true),
		Responses:   map[string]*huma.Response{"2XX": {Description: "Received."}},
	}}
}
