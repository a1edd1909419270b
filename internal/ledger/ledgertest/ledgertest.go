// Package ledgertest is the suite that every ledger must pass, whatever its database. It refuses to know the database: a
// Store opens the ledger and does what only the database's own tools can do.
package ledgertest

import (
	"context"
	"testing"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/clock"
	"github.com/savepage/savepage/internal/ledger"
)

// Ledger is what is tested.
type Ledger interface {
	capture.Ledger
	Reader
	Watcher
	Keeper
}

// Reader is what the API reads.
type Reader interface {
	Outbox
	Get(ctx context.Context, account, id string) (savepage.Capture, error)
	List(ctx context.Context, account string, f capture.Filter) (page []savepage.Capture, next string, err error)
	Deliveries(ctx context.Context, account, captureID string) ([]savepage.Delivery, error)
	Authenticate(ctx context.Context, key string) (savepage.Principal, error)
}

// Watcher is what is asked of captures on the way.
type Watcher interface {
	Await(ctx context.Context, id string) (savepage.Capture, error)
	Cancel(ctx context.Context, account, id string) (savepage.Capture, error)
	Depth(ctx context.Context) ([]capture.Depth, error)
	PendingDeliveries(ctx context.Context) (int, error)
	Batcher
}

// Batcher is what is asked of batches.
type Batcher interface {
	capture.Batches
	Batch(ctx context.Context, account, id string) (savepage.Batch, error)
	ListBatches(ctx context.Context, account string, limit int, cursor string) (page []savepage.Batch, next string, err error)
	BatchDeliveries(ctx context.Context, account, id string) ([]savepage.Delivery, error)
	CancelBatch(ctx context.Context, account, id string) (savepage.Batch, error)
}

// Outbox is what is known of deliveries.
type Outbox interface {
	Delivery(ctx context.Context, account, id string) (savepage.Delivery, error)
	ListDeliveries(ctx context.Context, account string, f capture.DeliveryFilter) (page []savepage.Delivery, next string, err error)
	Redeliver(ctx context.Context, account, id string) (savepage.Delivery, error)
	RedeliverDead(ctx context.Context, account string, since time.Time) (count int, last time.Time, err error)
	DeliveryStats(ctx context.Context) (ledger.DeliveryStats, error)
}

// Signer is what is known of webhook secrets.
type Signer interface {
	Secrets(ctx context.Context, account string) (savepage.WebhookSecrets, error)
	RotateSecret(ctx context.Context, account string, overlap time.Duration) (savepage.WebhookSecrets, error)
	Signing(ctx context.Context, account string) ([]string, error)
}

// Keeper is the ledger's life, and what it signs with.
type Keeper interface {
	Signer
	Work(ctx context.Context, h ledger.Handlers) error
	Known(ctx context.Context, names []string) (map[string]bool, error)
	Ready(ctx context.Context) error
	Close() error
}

// Keys makes and revokes keys beside an open ledger, as the command line does.
type Keys interface {
	Create(ctx context.Context, account string) (ledger.Issued, error)
	Bootstrap(ctx context.Context) (issued ledger.Issued, created bool, err error)
	List(ctx context.Context, account string) ([]ledger.Key, error)
	Revoke(ctx context.Context, key string) error
	KeySecrets
}

// KeySecrets replaces secrets beside an open ledger.
type KeySecrets interface {
	SetAPISecret(ctx context.Context, account, secret string) error
	RotateSecret(ctx context.Context, account string, overlap time.Duration) (savepage.WebhookSecrets, error)
}

// Options of an open ledger; zero values are the ledger's defaults.
type Options struct {
	MaxPending      int
	Workers         int
	DeliveryWorkers int
	ProbeWait       time.Duration
	Grace           time.Duration
	Vault           ledger.Vault
	Clock           *clock.Clock
}

// Store is one empty place for records. All of its functions work on the same place.
type Store struct {
	Open     func(tb testing.TB, o Options) Ledger // the caller closes it
	Keys     func(tb testing.TB) Keys              // closed by the end of the test
	DropJobs func(tb testing.TB)                   // removes all jobs that do not run, behind the ledger's back
	Timed    func(tb testing.TB) int               // how many jobs wait for their time
	Private  func(tb testing.TB) []string          // ids of the captures that something private is kept of
}

// Run tests ledgers; each test gets a new store.
func Run(t *testing.T, newStore func(tb testing.TB) Store) {
	t.Helper()
	groups := map[string]map[string]func(*scene){
		"accept": acceptTests(), "run": runTests(), "deliver": deliverTests(), "keep": keepTests(), "batch": batchTests(), "redeliver": redeliverTests(),
		"share": shareTests(), "secrets": secretTests(),
	}
	for group, tests := range groups {
		for name, test := range tests {
			t.Run(group+"/"+name, func(t *testing.T) {
				t.Parallel()
				test(&scene{T: t, Store: newStore(t)})
			})
		}
	}
}
