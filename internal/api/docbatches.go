package api

import (
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
)

// BatchBody describes the body of a batch. It is read by batchReader, which names more of what can be wrong.
type BatchBody struct {
	URLs             []string           `json:"urls,omitempty" minItems:"1" maxItems:"1000" doc:"Pages to capture. Give these or captures."`
	Captures         []savepage.Options `json:"captures,omitempty" minItems:"1" maxItems:"1000" doc:"Captures, each with options of its own, which win over the common ones."`
	Options          *savepage.Options  `json:"options,omitempty" doc:"Common options of all captures."`
	CallbackURL      string             `json:"callback_url,omitempty" maxLength:"8192" doc:"Gets the result of each capture that names no other."`
	BatchCallbackURL string             `json:"batch_callback_url,omitempty" maxLength:"8192" doc:"Gets one event when the last capture has ended."`
	Metadata         savepage.Metadata  `json:"metadata,omitempty" doc:"Text or flat map up to 1 KiB, given back with the batch; options.metadata is for captures."`
}

func docPostBatch() *huma.Operation {
	op := operation("createBatch", tagBatches, "Capture many pages", map[int]reflect.Type{http.StatusAccepted: schemaOf[AcceptedBatch]()},
		400, 401, 413, 415, 422, 429, 503)
	op.Description = "1 to 1,000 captures. All of them are accepted in one commit, or none: then errors names every wrong field of every row, as " +
		"body.captures[3].width or body.urls[7]. Captures of batches are rendered after others, which pass them for ten minutes at most. " +
		"A url in a row takes the place of a common html, and the other way round."
	op.Parameters = []*huma.Param{header("Idempotency-Key", "As for a single capture.", text())}
	op.RequestBody = &huma.RequestBody{Required: true, Description: "At most 16 MiB.", Content: map[string]*huma.MediaType{
		"application/json": {Schema: refTo("BatchBody")},
	}}
	return op
}

func docListBatches() *huma.Operation {
	op := operation("listBatches", tagBatches, "List batches, newest first", map[int]reflect.Type{200: schemaOf[BatchPage]()}, 400, 401, 429)
	limit := &huma.Schema{Type: huma.TypeInteger, Minimum: new(1.0), Maximum: new(float64(maxLimit)), Default: defaultLimit}
	op.Parameters = []*huma.Param{query("limit", "Batches on a page.", limit), query("cursor", "next_cursor of the page before.", text())}
	return op
}

func docGetBatch() *huma.Operation {
	op := operation("getBatch", tagBatches, "Look a batch up", map[int]reflect.Type{200: schemaOf[BatchRecord]()}, 400, 401, 404, 429)
	op.Description = "Counts go on counting captures that were deleted since."
	op.Parameters = []*huma.Param{batchParam()}
	return op
}

func docCancelBatch() *huma.Operation {
	op := operation("cancelBatch", tagBatches, "Cancel what has not ended", map[int]reflect.Type{200: schemaOf[BatchRecord]()}, 401, 404, 429)
	op.Description = "Captures of the batch that are queued or running are canceled; those that have ended stay, and so does a batch that has."
	op.Parameters = []*huma.Param{batchParam()}
	return op
}

func batchParam() *huma.Param {
	return &huma.Param{Name: "id", In: "path", Required: true, Description: "batch_id", Schema: text()}
}

func docEvents() *huma.Operation {
	op := operation("captureEvents", tagCaptures, "Watch a capture", nil, 400, 401, 404, 429)
	op.Description = "Server-sent events: queued, started, phase (navigate, settle, shoot, encode, store) and retried, with a StepEvent as data, " +
		"then done, with the capture as a look-up shows it, after which the stream ends. One that has ended is told of by done at once. Each event has an id: a client that " +
		"comes back sends it as Last-Event-ID and gets what followed. After a restart of the server phases may be missing, the end never is. " +
		"A comment every 15 s keeps the connection open. An account may have 100 streams at once."
	op.Parameters = []*huma.Param{idParam(), header("Last-Event-ID", "id of the last event that the client has.", text())}
	op.Responses["200"] = &huma.Response{Description: "The events.", Content: map[string]*huma.MediaType{"text/event-stream": {Schema: refTo("StepEvent")}}}
	op.Responses["204"] = &huma.Response{Description: "The client has had the last event: there is nothing to come back for."}
	return op
}

// batchCallback describes the POST that a batch_callback_url gets.
func batchCallback() *huma.PathItem {
	item := callback()
	item.Post.OperationID, item.Post.Tags, item.Post.Summary = "batchEnded", []string{tagBatches}, "A batch has ended"
	item.Post.Description = "POST to batch_callback_url, once for a batch, when its last capture has ended or was canceled. It is signed and " +
		"repeated like the callback of a capture."
	item.Post.RequestBody.Content["application/json"].Schema = refTo("BatchEvent")
	return item
}

// batchSchemas registers what only descriptions of batches and events name.
func batchSchemas(registry huma.Registry) {
	registry.Schema(reflect.TypeFor[BatchBody](), true, "BatchBody")
	registry.Schema(reflect.TypeFor[capture.BatchEvent](), true, "BatchEvent")
	registry.Schema(reflect.TypeFor[StepEvent](), true, "StepEvent")
}
