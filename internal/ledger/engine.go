package ledger

import (
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/clock"
	"github.com/savepage/savepage/internal/health"
)

// Engine is one kind of database that can hold a ledger.
type Engine struct {
	Form string // what a setting that names such a database looks like, for people
	// Shared says that several processes may serve such a database together.
	Shared bool
	Takes  func(setting string) bool // whether the setting names a database of this kind
	// Check returns what is wrong with a setting of this kind, without any part of it: there may be a password in it. nil:
	// every one is right.
	Check func(setting string) error
	// At is the database that the setting names. dataFolder is for engines that keep files.
	At func(setting, dataFolder string) Database
}

// Database is a place for a ledger, opened or not.
type Database interface {
	Opener
	Carrier
	Mover
	// Inspect looks at the database and changes nothing.
	Inspect(ctx context.Context) Inspection
	// String names the place for people, without secrets.
	String() string
}

// Opener opens a database.
type Opener interface {
	// Open brings the database up to date, takes up what an earlier process left, and opens the ledger. The caller closes
	// it.
	Open(ctx context.Context, cfg Config, log *slog.Logger) (Store, error)
	// OpenKeys opens the keys, also beside a running server; a database that no server has used yet is made ready. The vault
	// must be the server's: without its master key what touches secrets fails, and the rest works. The caller closes it.
	OpenKeys(ctx context.Context, vault Vault, c *clock.Clock) (Keys, error)
	// Migrate brings the database up to date.
	Migrate(ctx context.Context, log *slog.Logger) error
	// Compact gives the space of removed records back to the disk. No server may use the database meanwhile.
	Compact(ctx context.Context) error
}

// Carrier copies a database away and back. An engine that has tools of its own for this returns an error that names them.
type Carrier interface {
	// Snapshot writes the records as they are at one moment to a new file, also beside a running server, and opens it. The
	// database is only read. The caller closes the snapshot.
	Snapshot(ctx context.Context, file string) (Snapshot, error)
	// Vacant returns nil when Restore may fill the database, and else why not: it has records, or a server uses it.
	Vacant(ctx context.Context) error
	// Restore fills the vacant database with what Snapshot wrote. An error of the reader leaves it vacant.
	Restore(ctx context.Context, from io.Reader) error
}

// Snapshot is a copy of the records, in a file.
type Snapshot interface {
	// About tells what the snapshot holds.
	About(ctx context.Context) (About, error)
	// Pictures returns the names of the pictures that its captures name.
	Pictures(ctx context.Context) ([]string, error)
	// Drop removes from the snapshot the captures with these pictures that the database has removed since. It returns the
	// pictures whose captures are still there.
	Drop(ctx context.Context, pictures []string) (kept []string, err error)
	// Close makes the file durable.
	Close() error
}

// About is what a snapshot holds.
type About struct {
	Identity string // of the database
	Schema   int64  // the version of the tables
	Captures int
	Sealed   bool // some secrets can only be read with the master key
}

// ErrServed says that another process serves the database, so that it cannot be opened.
var ErrServed = errors.New("another savepage serves it")

// Inspection is what was found of a database.
type Inspection struct {
	Exists bool   // false: the first start makes it
	Found  string // for people
	Fix    string // what to do about a fault; empty when there is none
}

// Config is how a ledger is opened and how much it does at once.
type Config struct {
	MaxPending      int             // captures accepted and not ended; 0 is 100,000
	Workers         int             // captures at once; 0 is 1
	MostWorkers     int             // captures at once that SetPages may allow; 0 is Workers
	Reserve         int             // more of them, for accounts that have none while all Workers are taken by others
	DeliveryWorkers int             // deliveries at once; 0 is 4,096
	HostDeliveries  int             // deliveries at once to one host and port; 0 is 4
	ProbeWait       time.Duration   // before a receiver that fails is tried again; 0 is 5 s
	Grace           time.Duration   // for what runs when Work's context ends; 0 stops it at once
	Vault           Vault           // seals secrets; the zero one keeps them as they are
	Limits          savepage.Limits // of every account; the zero value means savepage.DefaultLimits
	Clock           *clock.Clock    // nil is the machine's
	Alone           bool            // ErrServed when another process serves the database, also where several may
	Checker         []string        // command that has this program check a folder's database, which follows; empty: in this process
	Node            Node            // what others are told of this process
	// OnStep gets the steps of captures that other processes render; nil: nobody does.
	OnStep func(id string, s capture.Step)
	Health *health.Board // told of faults of the database; nothing is taken while a part is sick. nil: nobody is told
}

// Node is what others are told of a process that serves the database.
type Node struct {
	Name    string // of the machine, or what people call it
	Roles   []string
	Version string
	// Follow has Config.Clock go by the database's where it is wrong by more than MaxApart.
	Follow bool
}

// MaxApart is how much the clock of a node may differ from the database's.
const MaxApart = 2 * time.Second

// WithDefaults fills what is zero.
func (c Config) WithDefaults() Config {
	c.MaxPending = cmp.Or(c.MaxPending, 100_000)
	c.Workers = cmp.Or(c.Workers, 1)
	c.DeliveryWorkers = cmp.Or(c.DeliveryWorkers, 4096)
	c.HostDeliveries = cmp.Or(c.HostDeliveries, 4)
	c.Limits = cmp.Or(c.Limits, savepage.DefaultLimits())
	c.Clock = c.Clock.Or()
	return c
}

// Lanes makes the lanes that the configuration asks for.
func (c Config) Lanes() *Lanes {
	return NewLanes(Limits{Workers: c.DeliveryWorkers, PerHost: c.HostDeliveries, ProbeWait: c.ProbeWait})
}
