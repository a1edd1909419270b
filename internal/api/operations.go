package api

import (
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
)

// bodyOf marks, in an operation's metadata, the Go type of a JSON answer by status; describe turns it into a schema.
const bodyOf = "bodies"

// Names of the parts of the document.
const (
	tagCaptures   = "Captures"
	tagWebhooks   = "Webhooks"
	tagDeliveries = "Deliveries"
	tagBatches    = "Batches"
	tagOlder      = "Older API"
	tagOperations = "Operations"
)

// operation starts a description. Bodies are the JSON answers by status, statuses the errors it may answer.
func operation(id, tag, summary string, bodies map[int]reflect.Type, statuses ...int) *huma.Operation {
	op := &huma.Operation{
		OperationID: id, Tags: []string{tag}, Summary: summary,
		Responses: map[string]*huma.Response{}, Errors: statuses, Metadata: map[string]any{bodyOf: bodies},
	}
	return op
}

func (a *API) docPostCapture() *huma.Operation {
	op := operation("createCapture", tagCaptures, "Capture a page",
		map[int]reflect.Type{http.StatusOK: schemaOf[capture.View](), http.StatusAccepted: schemaOf[Accepted]()},
		400, 401, 409, 413, 415, 422, 429, 502, 503, 504)
	op.Description = "Waits for the picture and answers 200 with the result. With callback_url, async or Prefer: respond-async it answers " +
		"202 at once. A capture that takes longer than the wait is not lost: the answer is then 202, and it goes on."
	op.Parameters = []*huma.Param{
		header("Idempotency-Key", "1 to 255 printable ASCII characters. The same key with the same body gets the same capture for 24 hours, marked Idempotent-Replayed: true; with another body 422.", text()),
		preferParam(a.cfg),
	}
	op.RequestBody = &huma.RequestBody{Required: true, Description: "At most 3 MiB. Fields of forms are written as in a query.", Content: map[string]*huma.MediaType{
		"application/json":                  {Schema: refTo("Options")},
		"application/x-www-form-urlencoded": {Schema: refTo("Options")},
		"multipart/form-data":               {Schema: refTo("Options")},
	}}
	return op
}

func (a *API) docGetCapture() *huma.Operation {
	op := operation("captureByQuery", tagCaptures, "Capture a page, options in the query",
		map[int]reflect.Type{http.StatusOK: schemaOf[capture.View](), http.StatusAccepted: schemaOf[Accepted]()},
		400, 401, 409, 429, 502, 503, 504)
	op.Description = "The same as POST /v1/capture. /v1 without the slash is the same address. A key or q in the query chooses the older API."
	for _, f := range OptionFields() {
		op.Parameters = append(op.Parameters, &huma.Param{Name: f.Name, In: "query", Description: f.Doc, Schema: a.querySchema(f)})
	}
	response := text()
	response.Enum, response.Default = []any{"json", "image"}, "json"
	op.Parameters = append(op.Parameters,
		query("response", "image: answer with the picture's bytes. With cache_ttl the header X-Cache then says hit or miss.", response), preferParam(a.cfg))
	op.Responses["200"] = &huma.Response{Description: "The result, or the picture with response=image.", Content: pictures()}
	return op
}

// querySchema is how an option is written in a query: lists and maps are texts there.
func (a *API) querySchema(f Field) *huma.Schema {
	switch f.Kind {
	case KindHeaders, KindCookies, KindMetadata, KindClip, KindPlace:
		return text()
	default:
		s := *a.decoder.schema.Properties[f.Name]
		s.Description = ""
		return &s
	}
}

func preferParam(cfg Config) *huma.Param {
	return header("Prefer", "respond-async: answer 202 at once. wait=N: wait N seconds, 1 to "+
		strconv.Itoa(int(min(cfg.MaxWait.Seconds(), maxWait)))+", instead of "+strconv.Itoa(int(cfg.SyncWait.Seconds()))+
		". What is honoured is named in Preference-Applied.", text())
}

// docLegacy describes the older API of savepage.io.
func (a *API) docLegacy(id string, body bool) *huma.Operation {
	op := operation(id, tagOlder, "The older API of savepage.io: the picture's bytes", nil)
	op.Description = "Chosen by the presence of key or q; on /v1 and /v1/ alike. Unknown parameters are ignored and numbers out of range are " +
		"clamped. Open to pages of every origin. Errors are never 2xx: {\"error\":\"461 - Cannot verify the API Key\"} (401)."
	op.Security = []map[string][]string{}
	properties := map[string]*huma.Schema{}
	for _, p := range legacyTable() {
		schema := text()
		schema.Description = p[1]
		properties[p[0]] = schema
		if !body {
			op.Parameters = append(op.Parameters, &huma.Param{Name: p[0], In: "query", Description: p[1], Required: p[0] == "key" || p[0] == "q", Schema: text()})
		}
	}
	if body {
		form := &huma.Schema{Type: huma.TypeObject, Properties: properties, Required: []string{"key", "q"}, AdditionalProperties: true}
		op.RequestBody = &huma.RequestBody{Content: map[string]*huma.MediaType{
			"application/x-www-form-urlencoded": {Schema: form}, "application/json": {Schema: form},
		}}
	}
	op.Responses["200"] = &huma.Response{Description: "The picture.", Content: pictures()}
	op.Responses["default"] = &huma.Response{Description: "What is wrong.", Content: map[string]*huma.MediaType{"application/json": {
		Schema: &huma.Schema{Type: huma.TypeObject, Properties: map[string]*huma.Schema{"error": text()}},
	}}}
	return op
}

func legacyTable() [][2]string {
	return [][2]string{
		{"key", "API key."},
		{"q", "Page to capture. Without a scheme it is taken for http."},
		{"width", "Viewport width, 320 to 3840; 1440."},
		{"height", "Viewport height, 240 to 2160; 900."},
		{"fullpage", "true, True or 1: the whole scrollable page."},
		{"thumb_width", "Scale the result to this width, 1 to 3840."},
		{"delay", "Extra wait in seconds, up to 30."},
		{"nocookie", "true, True or 1: hide cookie banners."},
		{"noads", "true, True or 1: load nothing from the hosts of advertisements and trackers."},
		{"format", strings.Join(legacyFormats(), ", ") + "; jpeg without it."},
		{"refresh", "Shoot again if the kept picture is older than this many seconds; negative: always. Without it a kept one up to a day old is sent."},
		{"maxage", "Seconds for Cache-Control."},
		{"user_agent", "User-Agent for the page."},
		{"accept_language", "Accept-Language for the page."},
		{"cookie", "Text of a Cookie header for the page."},
		{"hash", "md5 of q, as decoded, and the API secret, in hex; where the account has one."},
	}
}

func docList() *huma.Operation {
	op := operation("listCaptures", tagCaptures, "List captures, newest first", map[int]reflect.Type{200: schemaOf[Page]()}, 400, 401, 429)
	limit := &huma.Schema{Type: huma.TypeInteger, Minimum: new(1.0), Maximum: new(float64(maxLimit)), Default: defaultLimit}
	moment := &huma.Schema{Type: huma.TypeString, Format: "date-time"}
	states := &huma.Schema{Type: huma.TypeArray, Items: &huma.Schema{Type: huma.TypeString}}
	for _, s := range savepage.States() {
		states.Items.Enum = append(states.Items.Enum, string(s))
	}
	op.Parameters = []*huma.Param{
		query("state", "Only these states; repeated or separated by commas.", states),
		query("url", "Only this page, exactly as results name it.", text()),
		query("batch_id", "Only captures of this batch.", text()),
		query("created_after", "Only captures accepted after this time.", moment),
		query("created_before", "Only captures accepted before this time.", moment),
		query("limit", "Captures on a page.", limit),
		query("cursor", "next_cursor of the page before.", text()),
	}
	return op
}

func docGet() *huma.Operation {
	op := operation("getCapture", tagCaptures, "Look a capture up", map[int]reflect.Type{200: schemaOf[Record]()}, 400, 401, 404, 429)
	op.Parameters = []*huma.Param{idParam()}
	return op
}

func docDelete() *huma.Operation {
	op := operation("deleteCapture", tagCaptures, "Cancel a capture, or delete it when it has ended",
		map[int]reflect.Type{200: schemaOf[Record]()}, 401, 404, 429)
	op.Description = "One that is queued or running is canceled and answered with its record. One that has ended is deleted with its picture: 204."
	op.Parameters = []*huma.Param{idParam()}
	op.Responses["204"] = &huma.Response{Description: "Deleted."}
	return op
}

func docImage() *huma.Operation {
	op := operation("getImage", tagCaptures, "Go to the picture", nil, 401, 404, 409, 429)
	op.Parameters = []*huma.Param{idParam()}
	op.Responses["302"] = &huma.Response{Description: "Location is the picture.", Headers: map[string]*huma.Header{"Location": {Schema: text()}}}
	return op
}

func docPicture() *huma.Operation {
	op := operation("getPicture", tagCaptures, "The picture", nil, 404)
	op.Security = []map[string][]string{}
	op.Description = "Needs no key: the name can not be guessed. Takes Range and If-None-Match."
	op.Parameters = []*huma.Param{{Name: "name", In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeString, Pattern: pictureName.String()}}}
	op.Responses["200"] = &huma.Response{Description: "The picture.", Content: pictures()}
	op.Responses["206"] = &huma.Response{Description: "The part that Range asks for.", Content: pictures()}
	op.Responses["304"] = &huma.Response{Description: "The client's copy is current."}
	return op
}

func docVersion() *huma.Operation {
	op := operation("version", tagOperations, "The version", map[int]reflect.Type{200: schemaOf[Version]()})
	op.Security = []map[string][]string{}
	return op
}

func docReady() *huma.Operation {
	op := docOpen("ready", "Whether captures can be taken.", "application/json")
	op.Responses["503"] = &huma.Response{Description: "They can not; the answer lists why."}
	return op
}

// docOpen describes an address that needs no key and answers with something of a media type.
func docOpen(id, summary, mediaType string) *huma.Operation {
	op := operation(id, tagOperations, summary, nil)
	op.Security = []map[string][]string{}
	op.Responses["200"] = &huma.Response{Description: summary, Content: map[string]*huma.MediaType{mediaType: {}}}
	return op
}

func pictures() map[string]*huma.MediaType {
	content := map[string]*huma.MediaType{}
	for _, format := range savepage.Formats() {
		content[format.MediaType] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}
	}
	return content
}

func idParam() *huma.Param {
	return &huma.Param{Name: "id", In: "path", Required: true, Description: "capture_id", Schema: text()}
}

func query(name, doc string, s *huma.Schema) *huma.Param {
	return &huma.Param{Name: name, In: "query", Description: doc, Schema: s}
}

func header(name, doc string, s *huma.Schema) *huma.Param {
	return &huma.Param{Name: name, In: "header", Description: doc, Schema: s}
}

func text() *huma.Schema { return &huma.Schema{Type: huma.TypeString} }

func refTo(name string) *huma.Schema { return &huma.Schema{Ref: "#/components/schemas/" + name} }
