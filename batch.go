package savepage

import "time"

// Batch is a set of captures that are accepted together or not at all, with one event when all have ended.
type Batch struct {
	ID          string // "bat_" and 26 characters, sortable by time
	Account     string
	CallbackURL string // gets one event when the last capture has ended; empty for none
	Metadata    Metadata
	Counts      Counts
	Trace       string // where the trace of its request goes on, as the service wrote it down; empty without one

	CreatedAt time.Time
	EndedAt   time.Time // zero until all of its captures have ended
}

// Counts is the number of captures of a batch in each state. It still counts those that were deleted since.
type Counts struct {
	Total    int `json:"total" doc:"All captures."`
	Queued   int `json:"queued" doc:"Captures that wait."`
	Running  int `json:"running" doc:"Captures that are rendered now."`
	Success  int `json:"success" doc:"Captures that ended with a picture."`
	Failed   int `json:"failed" doc:"Captures that ended without a picture."`
	Canceled int `json:"canceled" doc:"Canceled captures."`
}

// ValidateFields checks what the schema of a batch cannot express. Locations are bare field names.
func (b Batch) ValidateFields() []FieldError { return checkMetadata(b.Metadata) }
