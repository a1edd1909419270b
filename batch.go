package savepage

import "time"

// Batch is a set of captures that are accepted together, or not at all, and whose common end is announced once.
type Batch struct {
	ID          string // "bat_" and 26 characters, sortable by time
	Account     string
	CallbackURL string // gets one event when the last capture has ended; empty for none
	Metadata    Metadata
	Counts      Counts

	CreatedAt time.Time
	EndedAt   time.Time // zero while one of its captures is on the way
}

// Counts is how many captures of a batch there are in each state. Those that were deleted since are still counted.
type Counts struct {
	Total    int `json:"total" doc:"Captures in all."`
	Queued   int `json:"queued" doc:"That wait."`
	Running  int `json:"running" doc:"That a worker holds."`
	Success  int `json:"success" doc:"That ended with a picture."`
	Failed   int `json:"failed" doc:"That ended without one."`
	Canceled int `json:"canceled" doc:"That were canceled."`
}

// Cross checks what no schema says of a batch. Locations are bare field names.
func (b Batch) Cross() []FieldError { return checkMetadata(b.Metadata) }
