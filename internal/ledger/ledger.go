// Package ledger is what every ledger has in common, whatever its database: what the program needs of one (Store, Keys,
// Database), and the decisions that are not SQL. These are whether a picture is shared, where a capture stands in the queue,
// what is owed and when, what a key's use and a redelivery mean, which delivery is next, when a breaker opens, how secrets
// rotate. It refuses to know SQL and River; the packages below it do.
package ledger

import (
	"context"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
)

// The queues, as they are named in jobs, metrics and capture.Depth.
const (
	QueueInteractive = "interactive" // captures
	QueueBatch       = "batch"       // captures of batches, in depths only: they wait in one order with the others
	QueueWebhook     = "webhook"     // deliveries
)

// DeliveryStats count the deliveries of all accounts.
type DeliveryStats struct {
	Pending         int
	Dead            int    // dead letters that are kept
	Delivered       uint64 // since the start
	Died            uint64 // since the start
	OpenReceivers   int    // receivers whose breaker is open
	ReceiversOpened uint64 // since the start
}

// MostCounted is up to how many captures Volume counts.
const MostCounted = 1_000_000

// Volume is how much is recorded, of all accounts.
type Volume struct {
	Captures int   // at most MostCounted
	Bytes    int64 // that the database takes
}

// Handlers do the work that a ledger hands out. Both are called on many goroutines at once.
// What is nil is not worked on.
type Handlers struct {
	// Render makes the claimed capture and ends with the ledger's Finish or Release. An error says that it did neither:
	// the capture is then given back and taken again later.
	Render func(ctx context.Context, c capture.Claim) error
	// Deliver makes one attempt. The delivery carries the attempts before it; secrets are what it is signed with, newest
	// first and never none. The ledger counts attempts itself: Verdict.Attempt.Number is overwritten.
	// Those to a store have an Upload and no secrets; a verdict without a state says that no attempt was made.
	Deliver func(ctx context.Context, d savepage.Delivery, secrets []string) savepage.Verdict
	// Stored is needed with Deliver.
	Stored StoredHandler
}

// StoredHandler is asked when the delivery of a picture to a store has ended, and with it the capture.
type StoredHandler struct {
	Owe   capture.Owe // returns the callbacks of the capture, in the transaction
	Ended func(ctx context.Context, c savepage.Capture)
}
