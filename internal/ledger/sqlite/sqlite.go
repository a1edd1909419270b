// Package sqlite is the ledger in one SQLite file, served by one process: what is known of captures, what is owed of
// deliveries, whose keys are valid, and the jobs that drive them. Each method is one transaction. It holds the only SQL for
// SQLite and is the only place that knows River there. It refuses to decide: how a capture ends and when a delivery is
// tried again is said by its callers.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/riverqueue/river"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/clock"
	"github.com/savepage/savepage/internal/ledger"
)

// Handlers do the work that the ledger hands out.
type Handlers = ledger.Handlers

// Config says where the ledger is and how much it does at once.
type Config struct {
	Dir             string          // the data folder; made when it is missing
	MaxPending      int             // captures accepted and not ended; 0 is 100,000
	Workers         int             // captures at once; 0 is 1
	DeliveryWorkers int             // deliveries at once; 0 is 256
	HostDeliveries  int             // deliveries at once to one host and port; 0 is 4
	ProbeWait       time.Duration   // before a receiver that fails is tried again; 0 is 5 s
	Grace           time.Duration   // for what runs when Work's context ends; 0 stops it at once
	Limits          savepage.Limits // of every account; the zero value is savepage.DefaultLimits
	Vault           ledger.Vault    // seals secrets; the zero one keeps them as they are
	Clock           *clock.Clock    // nil is the machine's
}

func (c Config) withDefaults() Config {
	c.MaxPending = or(c.MaxPending, 100_000)
	c.Workers = or(c.Workers, 1)
	c.DeliveryWorkers = or(c.DeliveryWorkers, 256)
	c.HostDeliveries = or(c.HostDeliveries, 4)
	if c.Limits == (savepage.Limits{}) {
		c.Limits = savepage.DefaultLimits()
	}
	c.Clock = c.Clock.Or()
	return c
}

func or(given, otherwise int) int {
	if given == 0 {
		return otherwise
	}
	return given
}

// Ledger is an open data folder. It is safe for concurrent use.
type Ledger struct {
	cfg    Config
	clock  *clock.Clock
	log    *slog.Logger
	lock   *os.File
	write  *sql.DB // one connection, shared with River
	read   *sql.DB
	driver *driver
	insert *river.Client[*sql.Tx]
	writes *ledger.Group[*write]

	maxPending int64
	pending    atomic.Int64 // captures that are queued or running

	waiters  ledger.Waiters
	lanes    *ledger.Lanes
	keyCache *ledger.KeyCache
	active   active
	alarm    chan struct{} // a job waits for a time
	sweep    sweep

	deliveredTotal, deadTotal atomic.Uint64 // deliveries since the start

	stop       context.CancelFunc
	background sync.WaitGroup
}

// Open takes the data folder for this process, brings the database up to date and gives back at once what the process
// before left running. An error names the folder when another process serves it. Close ends it.
func Open(ctx context.Context, cfg Config, log *slog.Logger) (*Ledger, error) {
	cfg = cfg.withDefaults()
	l := &Ledger{
		cfg: cfg, clock: cfg.Clock, log: log, maxPending: int64(cfg.MaxPending), alarm: make(chan struct{}, 1), stop: func() {},
		keyCache: ledger.NewKeyCache(keyCacheLife),
	}
	l.lanes = ledger.NewLanes(ledger.Limits{Workers: cfg.DeliveryWorkers, PerHost: cfg.HostDeliveries, ProbeWait: cfg.ProbeWait})
	if err := l.open(ctx); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

func (l *Ledger) open(ctx context.Context) error {
	if err := os.MkdirAll(l.cfg.Dir, 0o700); err != nil {
		return fmt.Errorf("make data folder: %w", err)
	}
	var err error
	if l.lock, err = lockDir(l.cfg.Dir); err != nil {
		return err
	}
	if l.write, err = openWriter(l.cfg.Dir); err != nil {
		return err
	}
	if err := migrate(ctx, l.write, l.log); err != nil {
		return err
	}
	if err := sealAll(ctx, l.write, l.cfg.Vault, l.log); err != nil {
		return err
	}
	if l.read, err = openReaders(l.cfg.Dir); err != nil {
		return err
	}
	l.driver = newDriver(l.write)
	if l.insert, err = inserter(l.driver, l.clock, l.log); err != nil {
		return err
	}
	if err := l.takeOver(ctx); err != nil {
		return err
	}
	l.writes = ledger.NewGroup(batchItems, l.apply)
	if err := l.reconcileAll(ctx); err != nil {
		return err
	}
	// The background outlives the start that ctx bounds; Close ends it.
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	l.stop = stop
	l.background.Go(func() { l.keepPromoting(running) })
	l.background.Go(func() { l.keepReconciling(running) })
	return nil
}

// Close writes what is still waiting and gives the folder back. Work must have returned.
func (l *Ledger) Close() error {
	l.stop()
	l.background.Wait()
	if l.writes != nil {
		l.writes.Close()
	}
	var errs []error
	if l.read != nil {
		errs = append(errs, l.read.Close())
	}
	if l.write != nil {
		errs = append(errs, l.write.Close())
	}
	if l.lock != nil {
		errs = append(errs, l.lock.Close())
	}
	return errors.Join(errs...)
}

// Keys makes, lists and revokes the keys of this ledger. It is closed with the ledger.
func (l *Ledger) Keys() *Keys { return &Keys{db: l.write, vault: l.cfg.Vault, clock: l.clock} }

// Migrate brings the database of a data folder up to date. The folder must not be served meanwhile.
func Migrate(ctx context.Context, dir string, log *slog.Logger) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make data folder: %w", err)
	}
	lock, err := lockDir(dir)
	if err != nil {
		return err
	}
	db, err := openWriter(dir)
	if err != nil {
		return errors.Join(err, lock.Close())
	}
	return errors.Join(migrate(ctx, db, log), db.Close(), lock.Close())
}
