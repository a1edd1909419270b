package capture

import (
	"time"

	"github.com/savepage/savepage"
)

// Filter selects captures of one account, newest first.
type Filter struct {
	States        []savepage.State // empty for all
	URL           string           // exact; empty for all
	URLContains   string           // part of the page, in any case; empty for all. A page may end early: see ScannedAtOnce
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
	KeyID          string // savepage.Principal.KeyID; empty for none
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

// ScannedAtOnce is in how many captures one page of a list looks for a part of the URL. A page that ends there has a cursor.
const ScannedAtOnce = 10_000

// CountedAtMost is how many deliveries a Redelivery that only counts looks at, and how many captures are counted.
const CountedAtMost = 100_000

// Redelivery selects deliveries that have ended, to be sent again.
type Redelivery struct {
	States    []savepage.DeliveryState // Dead, Delivered or both
	CaptureID string                   // empty: of any capture
	Since     time.Time                // that ended then or later
	CountOnly bool                     // nothing is sent
}

// Redelivered is what a Redelivery has selected.
type Redelivered struct {
	Count int       // if it only counts, at most CountedAtMost
	Last  time.Time // when the last one is due; zero: none is sent
}
