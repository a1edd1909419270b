package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
)

func (d *documents) docPostCapture() *huma.Operation {
	op := operation("createCapture", tagCaptures, "Capture a page",
		map[int]reflect.Type{http.StatusOK: schemaOf[capture.View](), http.StatusAccepted: schemaOf[Accepted]()},
		400, 401, 409, 413, 415, 422, 429, 502, 503, 504)
	op.Description = "Waits for the picture and answers 200 with the result. With callback_url, async or Prefer: respond-async it answers " +
		"202 at once. If the capture takes longer than the wait, the answer is 202 as well, and the capture goes on. With response=image, " +
		"or an Accept header that prefers image/* or application/pdf to JSON, a success is answered with the bytes of the picture."
	op.Parameters = append(formDoc(),
		header("Idempotency-Key", "1 to 255 printable ASCII characters. For 24 hours, the same key with the same body returns the same "+
			"capture, with Idempotent-Replayed: true; with a different body, 422.", text()),
		d.preferParam(),
	)
	op.Responses["200"] = &huma.Response{Description: "The result, or the picture.", Content: pictures()}
	options := &huma.MediaType{Schema: refTo("Options")}
	op.RequestBody = &huma.RequestBody{
		Required: true, Description: "At most 3 MiB. Fields of a form are written as in a query.", Content: map[string]*huma.MediaType{
			"application/json": options, "application/x-www-form-urlencoded": options, "multipart/form-data": options,
		},
	}
	return op
}

func (d *documents) docGetCapture() *huma.Operation {
	op := operation("captureByQuery", tagCaptures, "Capture a page, with options in the query",
		map[int]reflect.Type{http.StatusOK: schemaOf[capture.View](), http.StatusAccepted: schemaOf[Accepted]()},
		400, 401, 409, 429, 502, 503, 504)
	op.Description = "Like POST /v1/capture. /v1/ is the same. A query with key or q is a request of the older API: it takes what POST /v1 " +
		"takes in its body, answers with the picture's bytes, and tells errors as that does."
	op.Security = []map[string][]string{{olderKey: {}}}
	for _, f := range OptionFields() {
		op.Parameters = append(op.Parameters, d.optionParam(f))
	}
	op.Parameters = append(op.Parameters, query("q", "Of the older API: URL of the page to capture.", text()))
	op.Parameters = append(append(op.Parameters, formDoc()...), d.preferParam())
	op.Responses["200"] = &huma.Response{Description: "The result, or the picture with response=image.", Content: pictures()}
	return op
}

// formDoc describes the parameters that say how to answer.
func formDoc() []*huma.Param {
	response := wordsSchema([]string{"json", "image"})
	response.Default = "json"
	least, most := 0.0, float64(maxInline)
	inline := &huma.Schema{Type: huma.TypeInteger, Minimum: &least, Maximum: &most, Default: 0}
	return []*huma.Param{
		query("response", "image: answer with the bytes of the picture. With cache_ttl the header X-Cache is then hit or miss.", response),
		query("inline", "Number of bytes: image_base64 of the answer is the picture itself if it has at most so many.", inline),
	}
}

// optionParam describes an option in a query.
func (d *documents) optionParam(f Field) *huma.Param {
	p := query(f.Name, withDefault(f.Doc, f.Default), d.querySchema(f))
	switch {
	case f.Example == "":
	case f.Kind == KindList:
		_ = json.Unmarshal([]byte(f.Example), &p.Example) // a test decodes every example
	default:
		p.Example = f.Example
	}
	return p
}

// querySchema is how an option is written in a query: maps and structures are strings there.
func (d *documents) querySchema(f Field) *huma.Schema {
	switch f.Kind {
	case KindHeaders, KindCookies, KindMetadata, KindClip, KindPlace, KindStore, KindSteps, KindAssets:
		return text()
	default:
		s := *d.decoder.schema.Properties[f.Name]
		s.Description, s.Default = "", nil
		return &s
	}
}

func (d *documents) preferParam() *huma.Param {
	longest, usual := int(min(d.waits.atMost.Seconds(), maxWait)), int(d.waits.usual.Seconds())
	doc := "respond-async: answer 202 at once. wait=N: wait N seconds, 1 to %d, instead of %d. Preference-Applied repeats what applies."
	return header("Prefer", fmt.Sprintf(doc, longest, usual), text())
}

func docList() *huma.Operation {
	op := operation("listCaptures", tagCaptures, "List captures, newest first",
		map[int]reflect.Type{200: schemaOf[Page]()}, 400, 401, 429)
	moment := &huma.Schema{Type: huma.TypeString, Format: "date-time"}
	states := &huma.Schema{Type: huma.TypeArray, Items: wordsSchema(savepage.States())}
	op.Parameters = []*huma.Param{
		query("state", "Only captures in these states; repeat it or separate them with commas.", states),
		query("url", "Only captures of this URL, exactly as results show it.", text()),
		query("url_contains", "Only captures with this text in their URL, in any case. It is looked for in 10,000 captures at a time, "+
			"the newest first: a page may have few or no entries and still a next_cursor.", text()),
		query("batch_id", "Only captures of this batch.", text()),
		query("created_after", "Only captures accepted after this time.", moment),
		query("created_before", "Only captures accepted before this time.", moment),
		limitParam(), cursorParam(),
		query("count", "Whether the answer has a total. Not with url_contains.", &huma.Schema{Type: huma.TypeBoolean, Default: false}),
	}
	return op
}

func docGet() *huma.Operation {
	op := operation("getCapture", tagCaptures, "Get a capture", map[int]reflect.Type{200: schemaOf[Record]()}, 400, 401, 404, 429)
	op.Parameters = []*huma.Param{idParam()}
	return op
}

func docDelete() *huma.Operation {
	op := operation("deleteCapture", tagCaptures, "Cancel a capture, or delete it if it has ended",
		map[int]reflect.Type{200: schemaOf[Record]()}, 401, 404, 429)
	op.Description = "A capture that is queued or running is canceled and returned. One that has ended is deleted with its picture: 204."
	op.Parameters = []*huma.Param{idParam()}
	op.Responses["204"] = &huma.Response{Description: "Deleted."}
	return op
}

func docImage() *huma.Operation {
	op := operation("getImage", tagCaptures, "Redirect to the picture", nil, 401, 404, 409, 429)
	op.Parameters = []*huma.Param{idParam()}
	location := map[string]*huma.Header{"Location": {Schema: text()}}
	op.Responses["302"] = &huma.Response{Description: "Location is the URL of the picture.", Headers: location}
	return op
}

func docPicture() *huma.Operation {
	op := operation("getPicture", tagCaptures, "Get the picture", nil, 404)
	op.Security = []map[string][]string{}
	op.Description = "Needs no key, because the name cannot be guessed. Supports Range and If-None-Match."
	name := &huma.Schema{Type: huma.TypeString, Pattern: pictureName.String()}
	op.Parameters = []*huma.Param{{Name: "name", In: "path", Required: true, Description: "Last part of the picture's URL.", Schema: name}}
	op.Responses["200"] = &huma.Response{Description: "The picture.", Content: pictures()}
	op.Responses["206"] = &huma.Response{Description: "The requested range.", Content: pictures()}
	op.Responses["304"] = &huma.Response{Description: "The client's copy is up to date."}
	return op
}

func (d *documents) docEvents() *huma.Operation {
	op := operation("captureEvents", tagCaptures, "Watch a capture", nil, 400, 401, 404, 429)
	op.Description = "Server-sent events: queued, started, phase (navigate, settle, shoot, encode, store) and retried, with a StepEvent as " +
		"data, then done, with the capture as GET /v1/captures/{id} shows it, which ends the stream. For a capture that has ended, done " +
		"comes at once. Every event has an id: a client that reconnects sends it as Last-Event-ID and receives the later ones. After a " +
		"restart of the server, phases may be missing; done never is. A comment every 15 s keeps the connection open. The number of streams " +
		"that an account may have open is limited: " + strconv.Itoa(savepage.DefaultLimits().EventStreams) + " by default."
	op.Parameters = []*huma.Param{idParam(), header("Last-Event-ID", "Id of the last event that the client has received.", text())}
	step := d.examples().answers()[schemaOf[StepEvent]()]
	stream := map[string]*huma.MediaType{"text/event-stream": {Schema: refTo("StepEvent"), Example: step}}
	op.Responses["200"] = &huma.Response{Description: "The events.", Content: stream}
	op.Responses["204"] = &huma.Response{Description: "The client has received the last event and need not reconnect."}
	return op
}
