package capture

import (
	"time"

	"github.com/savepage/savepage"
)

// Filter selects captures of one account, newest first.
type Filter struct {
	States        []savepage.State // empty for all
	URL           string           // exact; empty for all
	BatchID       string           // empty for all
	CreatedAfter  time.Time        // exclusive; zero for all
	CreatedBefore time.Time        // exclusive; zero for all
	Limit         int              // 1 to 100
	Cursor        string           // of the page before; empty for the first
}

// Depth is the state of one queue.
type Depth struct {
	Queue   string        // interactive, batch or webhook
	Waiting int           // jobs that wait, those with a later time included
	Running int           // jobs that a worker holds
	Oldest  time.Duration // how long the oldest due job has waited
}

// Request asks for a capture.
type Request struct {
	Account        string
	Options        savepage.Options
	IdempotencyKey string // from the header; empty for none
	Fingerprint    string // hex SHA-256 of the request body; compared when the key is used again
	Interactive    bool   // a client waits for the answer
	MaxTimeout     int    // the account's limit of timeout in milliseconds; 0 for none
}

// DeliveryFilter selects deliveries for a list. Zero fields select all.
type DeliveryFilter struct {
	State     savepage.DeliveryState
	CaptureID string
	Limit     int    // deliveries on one page
	Cursor    string // from the page before
}
