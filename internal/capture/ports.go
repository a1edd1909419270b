package capture

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/savepage/savepage"
)

// ErrLost says that a claim is no longer current: the capture was canceled, or another worker has taken it. Nothing was
// written; the worker drops what it made.
var ErrLost = errors.New("the claim is no longer current")

// Submission is a capture to be recorded.
type Submission struct {
	Capture        savepage.Capture // complete, in state Queued
	IdempotencyKey string           // empty for none; unique per account for 24 hours
	Fingerprint    string           // hex SHA-256 of what was asked; compared when the key is used again
	OptionsHash    string           // hex SHA-256 of what the picture depends on; finds a kept one
	Flight         string           // what equal captures that may share a render have in common; empty: none may
	KeptSince      time.Time        // with a Flight: a picture that was taken at or after this time will do
	Owe            Owe              // with a Flight: called in the transaction of a capture that ends in it

	// Stored says whether a picture is in the store. With a Flight it is called in the transaction, for a kept picture that
	// would do; nil: every one is.
	Stored func(picture string) bool
}

// HasPicture reports whether the picture of a kept capture can be given again: it may have gone with its folder.
func (s Submission) HasPicture(kept savepage.Capture) bool {
	return kept.Picture == nil || s.Stored == nil || s.Stored(kept.Picture.Name)
}

// Owe returns the callbacks that are owed for a capture that has ended. It is called in a transaction that may be tried
// again, and must not wait.
type Owe func(c savepage.Capture) ([]savepage.Delivery, error)

// Reuse says what a submission found of its Flight.
type Reuse string

// What a submission with a Flight finds. ReuseNone is for those without one.
const (
	ReuseNone   Reuse = ""
	ReuseHit    Reuse = "hit"    // a kept picture: the capture has ended
	ReuseJoined Reuse = "joined" // an equal capture on the way: this one ends with it
	ReuseMiss   Reuse = "miss"   // nothing: the capture is rendered
)

// Accepted is the answer to a submission.
type Accepted struct {
	Capture  savepage.Capture
	Replayed bool // the Idempotency-Key had been used for the same request: Capture is that first one
	Reuse    Reuse
}

// Claim is a worker's hold on a running capture. Capture.Attempt is the fence: Finish and Release do nothing when the
// record's attempt is another one.
type Claim struct {
	Capture savepage.Capture
	Spent   int   // attempts that count, this one included: Capture.Attempt less those that were free
	Job     int64 // the queue's id of the job that drives it
	Lost    int   // how often its browser, or the process of its page, has ended
	Deaths  int   // times that the service ended while it was rendered

	FaultedAt time.Time // of the first Back.Fault; zero without one
}

// Back says how a claimed capture goes back to the queue.
type Back struct {
	Wait  time.Duration // until it may be taken again
	Free  bool          // the attempt does not count: the page was not the cause
	Fault bool          // a part of the service kept it from its end
	Lost  int           // 1 when its browser, or the process of its page, has ended
}

// apart reports whether it is rendered in a browser of its own.
func (c Claim) apart() bool { return c.Lost > 0 }

// Outcome is how a claimed capture ended, with the callbacks that are owed for it.
type Outcome struct {
	State      savepage.State // Success or Failed
	FinishedAt time.Time
	Picture    *savepage.Picture
	Report     *savepage.Report
	Error      *savepage.Error
	Timing     savepage.Timing
	Deliveries []savepage.Delivery
	Fleeting   bool // the picture is not given to later captures
	Owe        Owe  // called in the transaction for each capture of the Flight that ends with this one; nil: nothing is owed
}

// Ledger is what the flow asks of the record of captures. Each method is one transaction.
type Ledger interface {
	// Accept records captures with their jobs and returns after they are durable. A used Idempotency-Key returns the
	// first capture, or *savepage.Error of CodeIdempotencyMismatch when the fingerprint is another one. A full queue
	// is *savepage.Error of CodeQueueFull. A capture with a Flight ends at once with a kept picture, or waits without a
	// job for an equal one that is on the way; it does not wait for one in the queue that is wanted less soon than itself
	// (ledger.Class).
	Accept(ctx context.Context, s Submission) (Accepted, error)
	// Finish ends the claimed capture, and with the same result those of its Flight that wait for it, records owed
	// deliveries and ends its job, in one commit. It returns ErrLost when the claim is not current.
	Finish(ctx context.Context, c Claim, o Outcome) error
	// Release puts the claimed capture back to Queued, with a new job. It returns ErrLost when the claim is not current.
	Release(ctx context.Context, c Claim, back Back) error
	// Expired returns at most limit ended captures that were created before the time and have no pending delivery,
	// oldest first.
	Expired(ctx context.Context, before time.Time, limit int) ([]savepage.Capture, error)
	// Forget removes an ended capture and its deliveries. It returns the name of its picture when no other capture has
	// the same, else nothing. An unknown id is no error.
	Forget(ctx context.Context, account, id string) (picture string, err error)
}

// Stores says whether a result has yet to be put into a store of the account before the capture ends.
func Stores(c savepage.Capture) bool {
	return c.State == savepage.Success && c.Options.Store != nil && c.Picture != nil
}

// Overdue finds captures that have waited for too long.
type Overdue interface {
	// Overdue claims at most limit queued captures that were accepted before the time, oldest first.
	Overdue(ctx context.Context, before time.Time, limit int) ([]Claim, error)
	// EndOverlong ends at most limit captures whose stores have not taken their pictures since before the time, which was the
	// patience ago, and returns them. owe is called in the transaction.
	EndOverlong(ctx context.Context, before time.Time, patience time.Duration, limit int, owe Owe) ([]savepage.Capture, error)
}

// StoreNames knows the stores of accounts.
type StoreNames interface {
	// HasStore reports whether an account has a store of this name.
	HasStore(ctx context.Context, account, name string) (bool, error)
}

// Shot is a rendered picture. Whoever has taken one closes it.
type Shot struct {
	Bytes        []byte   // nil when they are in Large
	Large        *os.File // of a picture that is too large to be held, at its beginning; else nil
	Width        int      // pixels of the picture
	Height       int      // pixels of the picture
	Report       savepage.Report
	Loaded       bool // there was a page, so that Report says something
	Phases       savepage.Phases
	PastDeadline bool // taken at the timeout, of a page that was not ready
}

// Reader reads the picture's bytes, once.
func (s Shot) Reader() io.Reader {
	if s.Large != nil {
		return s.Large
	}
	return bytes.NewReader(s.Bytes)
}

// Size is the number of the picture's bytes.
func (s Shot) Size() (int64, error) {
	if s.Large == nil {
		return int64(len(s.Bytes)), nil
	}
	info, err := s.Large.Stat()
	if err != nil {
		return 0, fmt.Errorf("size of a large picture: %w", err)
	}
	return info.Size(), nil
}

// Close drops the picture.
func (s Shot) Close() error {
	if s.Large == nil {
		return nil
	}
	return s.Large.Close()
}

// Renderer makes the picture that the options ask for. It returns *savepage.Error for everything that a client may be told:
// CodeBrowserLost when the browser ended, with ErrCrashed when it did so by itself or by what the page made it do,
// CodePageCrashed when the page's renderer died, with ErrCrashed when it sent more than any page may, and in a browser of its own
// unless somebody else killed it. A *health.Fault says
// that a part of the service kept it from rendering. The Report is filled as far as it is known also with an error. A context
// made by Apart asks for a browser of its own.
type Renderer interface {
	Render(ctx context.Context, o savepage.Options) (Shot, error)
}

type apartKey struct{}

// Apart has a render with the context use a browser of its own: a page that ends it harms no other capture.
func Apart(ctx context.Context) context.Context { return context.WithValue(ctx, apartKey{}, true) }

// IsApart reports whether a render is to use a browser of its own.
func IsApart(ctx context.Context) bool { return ctx.Value(apartKey{}) != nil }

// Blobs keeps bytes by key.
type Blobs interface {
	// Put stores what it reads durably under a new key before it returns.
	Put(ctx context.Context, key string, from io.Reader) error
	// Delete removes a key. An unknown key is no error.
	Delete(ctx context.Context, key string) error
	// Has reports whether the key can be read now.
	Has(ctx context.Context, key string) bool
}

// Guard judges addresses that users name.
type Guard interface {
	// Admit parses an http or https URL, judges literal addresses and returns its normal form. It asks no name server.
	// A refusal is *savepage.Error of CodeInvalidRequest or CodeAddressBlocked.
	Admit(raw string) (string, error)
}
