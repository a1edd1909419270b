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

	"github.com/riverqueue/river"

	"github.com/savepage/savepage/internal/clock"
	"github.com/savepage/savepage/internal/ledger"
)

// Ledger is an open data folder. It is safe for concurrent use.
type Ledger struct {
	dir    string
	cfg    ledger.Config
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

func open(ctx context.Context, dir string, cfg ledger.Config, log *slog.Logger) (*Ledger, error) {
	cfg = cfg.WithDefaults()
	l := &Ledger{
		dir: dir, cfg: cfg, clock: cfg.Clock, log: log, maxPending: int64(cfg.MaxPending), alarm: make(chan struct{}, 1), stop: func() {},
		keyCache: ledger.NewKeyCache(keyCacheLife), lanes: cfg.Lanes(),
	}
	if err := l.open(ctx); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

func (l *Ledger) open(ctx context.Context) error {
	if err := os.MkdirAll(l.dir, 0o700); err != nil {
		return fmt.Errorf("make data folder: %w", err)
	}
	var err error
	if l.lock, err = lockDir(l.dir); err != nil {
		return err
	}
	if l.write, err = openWriter(l.dir); err != nil {
		return err
	}
	if err := migrate(ctx, l.write, l.log); err != nil {
		return err
	}
	if err := sealAll(ctx, l.write, l.cfg.Vault, l.log); err != nil {
		return err
	}
	if l.read, err = openReaders(l.dir); err != nil {
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

// Bootstrap makes the first account and key when there is no account yet; it reports whether it did.
func (l *Ledger) Bootstrap(ctx context.Context) (issued ledger.Issued, created bool, err error) {
	keys := Keys{db: l.write, vault: l.cfg.Vault, clock: l.clock}
	return keys.Bootstrap(ctx)
}
