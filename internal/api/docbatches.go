package api

import (
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
)

// BatchBody describes the body of a batch. batchReader reads it, and names more faults than the schema can.
type BatchBody struct {
	URLs             []string           `json:"urls,omitempty" minItems:"1" maxItems:"1000" doc:"Pages. Give these or captures."`
	Captures         []savepage.Options `json:"captures,omitempty" minItems:"1" maxItems:"1000" doc:"Each overrides options."`
	Options          *savepage.Options  `json:"options,omitempty" doc:"Options of all captures."`
	CallbackURL      string             `json:"callback_url,omitempty" maxLength:"8192" doc:"Of captures without their own."`
	BatchCallbackURL string             `json:"batch_callback_url,omitempty" maxLength:"8192" doc:"Receives one event when all have ended."`
	Metadata         savepage.Metadata  `json:"metadata,omitempty" doc:"Of the batch, at most 1 KiB; options.metadata is that of captures."`
}

func docPostBatch() *huma.Operation {
	op := operation("createBatch", tagBatches, "Capture many pages",
		map[int]reflect.Type{http.StatusAccepted: schemaOf[AcceptedBatch]()}, 400, 401, 413, 415, 422, 429, 503)
	op.Description = "1 to 1,000 captures. All are accepted in one commit, or none: then errors names every invalid field of every " +
		"capture, such as body.captures[3].width or body.urls[7]. Other captures go before those of batches, for at most ten minutes. " +
		"The url of a capture replaces the html of options, and the other way round."
	op.Parameters = []*huma.Param{header("Idempotency-Key", "As for one capture.", text())}
	op.RequestBody = jsonBody("BatchBody", true)
	op.RequestBody.Description = "At most 16 MiB."
	return op
}

func docListBatches() *huma.Operation {
	op := operation("listBatches", tagBatches, "List batches, newest first", map[int]reflect.Type{200: schemaOf[BatchPage]()}, 400, 401, 429)
	op.Parameters = []*huma.Param{limitParam(), cursorParam()}
	return op
}

func docGetBatch() *huma.Operation {
	op := operation("getBatch", tagBatches, "Get a batch", map[int]reflect.Type{200: schemaOf[BatchRecord]()}, 400, 401, 404, 429)
	op.Description = "counts includes captures that were deleted since."
	op.Parameters = []*huma.Param{batchParam()}
	return op
}

func docCancelBatch() *huma.Operation {
	op := operation("cancelBatch", tagBatches, "Cancel a batch", map[int]reflect.Type{200: schemaOf[BatchRecord]()}, 401, 404, 429)
	op.Description = "Cancels the captures of the batch that are queued or running. Those that have ended stay as they are."
	op.Parameters = []*huma.Param{batchParam()}
	return op
}

func batchParam() *huma.Param {
	return pathParam("id", "Id of the batch.")
}

// batchCallback describes the POST to a batch_callback_url.
func batchCallback() *huma.PathItem {
	item := callback()
	item.Post.OperationID, item.Post.Tags, item.Post.Summary = "batchEnded", []string{tagBatches}, "A batch has ended"
	item.Post.Description = "POST to batch_callback_url, once for a batch, when its last capture has ended or was canceled. It is signed " +
		"and retried like the callback of a capture."
	item.Post.RequestBody.Content["application/json"].Schema = refTo("BatchEvent")
	return item
}

// batchSchemas registers the schemas that only descriptions of batches and events refer to.
func batchSchemas(registry huma.Registry) {
	registry.Schema(reflect.TypeFor[BatchBody](), true, "BatchBody")
	registry.Schema(reflect.TypeFor[capture.BatchEvent](), true, "BatchEvent")
	registry.Schema(reflect.TypeFor[StepEvent](), true, "StepEvent")
}
