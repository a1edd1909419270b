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
	"path/filepath"
	"sync"
	"time"

	"github.com/riverqueue/river"

	"github.com/savepage/savepage/internal/ledger"
)

// Ledger is an open data folder. It is safe for concurrent use.
type Ledger struct {
	*captures
	*batches
	*deliveries
	*accounts
	*closed

	dir    string
	cfg    ledger.Config
	lock   *folderLock
	db     *db
	queue  *queue
	seen   time.Time // when the time was last kept
	purged time.Time // when what has expired was last looked for

	stop       context.CancelFunc
	background sync.WaitGroup
}

// queue is the jobs that drive captures, in River's tables.
type queue struct {
	*db

	driver  *driver
	insert  *river.Client[*sql.Tx]
	pages   ledger.Pages
	grace   time.Duration
	running *ledger.Running
	alarm   chan struct{} // a job waits for a time
	swept   string        // id of the capture that the reconciler has come to
}

func open(ctx context.Context, dir string, cfg ledger.Config, log *slog.Logger) (*Ledger, error) {
	cfg = cfg.WithDefaults()
	l := &Ledger{dir: dir, cfg: cfg, db: &db{clock: cfg.Clock, log: log, vault: cfg.Vault, health: cfg.Health}, stop: func() {}}
	l.join()
	if err := l.open(ctx); err != nil {
		return nil, errors.Join(err, l.Close()) //nolint:contextcheck // what is written at the end outlives the start
	}
	return l, nil
}

// join makes the parts of the ledger and joins them.
func (l *Ledger) join() {
	l.queue = &queue{
		db: l.db, pages: ledger.Pages{Usual: l.cfg.Workers, Reserve: l.cfg.Reserve, Each: l.cfg.Limits.Pages},
		grace: l.cfg.Grace, running: &ledger.Running{}, alarm: make(chan struct{}, 1),
	}
	l.deliveries = &deliveries{db: l.db, lanes: l.cfg.Lanes()}
	l.captures = &captures{
		db: l.db, queue: l.queue, deliveries: l.deliveries, waiters: &ledger.Waiters{},
		pending: &ledger.Pending{Max: int64(l.cfg.MaxPending)}, limits: l.cfg.Limits,
	}
	l.batches = &batches{db: l.db, captures: l.captures, deliveries: l.deliveries}
	l.accounts = &accounts{db: l.db, limits: l.cfg.Limits, keyCache: ledger.NewKeyCache(keyCacheLife)}
	l.closed = &closed{captures: l.captures}
	l.db.insert = l.insertRows
}

func (l *Ledger) open(ctx context.Context) error {
	if err := os.MkdirAll(l.dir, 0o700); err != nil {
		return fmt.Errorf("make data folder: %w", err)
	}
	var err error
	if l.lock, err = lockDir(l.dir); err != nil {
		return err
	}
	if err := l.openDatabase(ctx); err != nil {
		return err
	}
	if err := l.queue.open(); err != nil {
		return err
	}
	if err := l.takeOver(ctx); err != nil {
		return err
	}
	l.db.writes = ledger.NewGroup(batchItems, l.db.apply)
	// The background outlives the start that ctx bounds; Close ends it.
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	l.stop = stop
	l.background.Go(func() { l.queue.keepPromoting(running) })
	l.background.Go(func() { l.keepUp(running) })
	l.background.Go(func() { l.checkFile(running) })
	return nil
}

// openDatabase opens the connections, and brings tables and secrets up to date before anyone reads them.
func (l *Ledger) openDatabase(ctx context.Context) (err error) {
	if l.db.write, err = openWriter(l.dir); err != nil {
		return err
	}
	if err := migrate(ctx, l.db.write, l.db.log); err != nil {
		return err
	}
	if err := sealAll(ctx, l.db.write, l.db.vault, l.db.log); err != nil {
		return err
	}
	if l.db.read, err = openReaders(l.dir); err != nil {
		return err
	}
	if l.db.search, err = openSearches(l.dir); err != nil {
		return err
	}
	l.db.files, err = watchFiles(ctx, filepath.Join(l.dir, fileDatabase), l.db.read)
	return err
}

// Identity returns the name that the database has had since it was made.
func (l *Ledger) Identity(ctx context.Context) (string, error) { return identity(ctx, l.db.read) }

// identity returns the name that the database has had since it was made.
func identity(ctx context.Context, q queries) (string, error) {
	names, err := collect(ctx, q, scanText, `SELECT id FROM identity`)
	if err != nil {
		return "", fmt.Errorf("read the name of the database: %w", err)
	}
	if len(names) != 1 {
		return "", fmt.Errorf("the table identity has %d rows: want one", len(names))
	}
	return names[0], nil
}

// Close writes what is still waiting and gives the folder back. Work must have returned.
func (l *Ledger) Close() error {
	l.stop()
	l.background.Wait()
	if l.db.writes != nil {
		l.seen = time.Time{}
		if err := l.noteTime(context.Background()); err != nil {
			l.db.log.Warn("the time was not kept for the next server", "error", err)
		}
	}
	errs := []error{l.db.close()}
	if l.lock != nil {
		errs = append(errs, l.lock.Close())
	}
	return errors.Join(errs...)
}
