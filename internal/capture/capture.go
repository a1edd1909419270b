// Package capture is the flow of the service: a request becomes a durable capture, a worker renders it, the picture is
// stored, and what is owed is recorded in the same commit as the result. It declares what it needs of records, pictures
// and addresses, and knows neither HTTP nor SQL nor Chromium.
package capture

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/binary"
	"log/slog"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/clock"
	"github.com/savepage/savepage/internal/health"
)

// Config bounds the flow.
type Config struct {
	Links       Links         // what links in callbacks begin with
	MaxAttempts int           // renders of one capture that count against it before it fails
	MaxLost     int           // Claim.Lost at which the page is what ends its browsers
	MaxDeaths   int           // times that the service may end while it renders a capture, before that fails
	RetryWait   time.Duration // wait before another render
	Patience    time.Duration // how long a capture waits for a part of the service that does not work
	// StorePatience is how long a picture may take into a store of its account.
	StorePatience time.Duration
	Retention     time.Duration // how long ended captures and their pictures are kept
	Slack         time.Duration // what a render may take beyond the capture's own timeout before it is cut off from outside
}

// DefaultConfig returns the bounds of a server that nobody configured.
func DefaultConfig() Config {
	return Config{
		MaxAttempts: 3,
		MaxLost:     6,
		MaxDeaths:   30,
		RetryWait:   500 * time.Millisecond,
		Patience:    24 * time.Hour,

		StorePatience: time.Hour,
		Retention:     30 * 24 * time.Hour,
		Slack:         10 * time.Second,
	}
}

// Observer counts what happens to captures. Its methods must not block.
type Observer interface {
	Accepted(replayed bool, reuse Reuse)
	Ended(state savepage.State, code savepage.Code, t savepage.Timing)
	Retried(code savepage.Code)
}

// Service runs the flow. Everything known and owed is in the ledger; it holds only the names of pictures that are about to
// be recorded.
type Service struct {
	ledger   Ledger
	batches  Batches
	overdue  Overdue
	renderer Renderer
	blobs    Blobs
	guard    Guard
	stores   StoreNames
	began    time.Time
	observer Observer
	progress Progress
	health   *health.Board
	clock    *clock.Clock
	cfg      Config
	log      *slog.Logger
	spans    spans
	making   making
}

// Parts are what the flow works with. Renderer may be nil on a node that only accepts.
type Parts struct {
	Ledger   Ledger
	Batches  Batches
	Overdue  Overdue
	Renderer Renderer
	Blobs    Blobs
	Guard    Guard
	Stores   StoreNames
	Observer Observer
	Progress Progress      // nil: nobody watches
	Tracer   Tracer        // nil: no spans are made
	Health   *health.Board // nil: faults of parts are told to nobody and not waited for
	Clock    *clock.Clock  // nil: the machine's
}

// New joins the parts.
func New(p Parts, cfg Config, log *slog.Logger) *Service {
	s := &Service{
		ledger: p.Ledger, batches: p.Batches, overdue: p.Overdue, renderer: p.Renderer, blobs: p.Blobs, guard: p.Guard,
		stores:   p.Stores,
		observer: p.Observer, progress: p.Progress, health: p.Health, clock: p.Clock.Or(), cfg: cfg, log: log,
		spans: spans{p.Tracer},
	}
	if s.progress == nil {
		s.progress = noProgress{}
	}
	s.began = s.clock.Now()
	return s
}

// crockford is base32 without letters that look like digits. It keeps the order of the bytes.
var crockford = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// NewID returns prefix and 26 characters: 48 bits of milliseconds and 80 random bits, so ids sort by time.
func NewID(prefix string, at time.Time) string {
	var id [16]byte
	binary.BigEndian.PutUint64(id[:8], uint64(at.UnixMilli())<<16)
	_, _ = rand.Read(id[6:])
	return prefix + crockford.EncodeToString(id[:])
}

// newName returns the file name of a picture: 160 random bits, so that nobody can guess it, and the format's extension.
func newName(format savepage.Format) string {
	var random [20]byte
	_, _ = rand.Read(random[:])
	return crockford.EncodeToString(random[:]) + "." + format.Extension()
}
