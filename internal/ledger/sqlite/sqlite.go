// Package sqlite is the ledger in one SQLite file, served by one process: its folder and lock, its connections, its
// migrations, and what becomes of the file when it is damaged, removed or too long. It refuses to know what the tables hold:
// package records does.
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

	"github.com/riverqueue/river/riverdriver/riversqlite"

	"github.com/savepage/savepage/internal/clock"
	"github.com/savepage/savepage/internal/ledger"
	"github.com/savepage/savepage/internal/ledger/records"
)

// Ledger is an open data folder. It is safe for concurrent use.
type Ledger struct {
	*records.Ledger

	folder     *folder
	stop       context.CancelFunc
	background sync.WaitGroup
}

// folder is a data folder that this process has taken.
type folder struct {
	dir   string
	clock *clock.Clock
	log   *slog.Logger

	checker []string // Config.Checker

	lock      *folderLock
	write     *sql.DB // one connection, shared with River
	read      *sql.DB
	search    *sql.DB // of lists and counts
	files     *files
	integrity integrity
	tables    int64 // their version
}

func open(ctx context.Context, dir string, cfg ledger.Config, log *slog.Logger) (*Ledger, error) {
	f := &folder{dir: dir, clock: cfg.Clock.Or(), log: log, checker: cfg.Checker}
	if err := f.open(ctx, cfg.Vault); err != nil {
		return nil, errors.Join(err, f.close())
	}
	place := f.place()
	place.Check = f.check
	shared, err := records.Open(ctx, place, cfg, log)
	if err != nil {
		return nil, errors.Join(err, f.close())
	}
	// The background outlives the start that ctx bounds; Close ends it.
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	l := &Ledger{Ledger: shared, folder: f, stop: stop}
	l.background.Go(func() { f.checkFile(running) })
	l.background.Go(func() { l.keepShort(running) })
	return l, nil
}

// open takes the folder, opens the connections, and brings tables and secrets up to date before anyone reads them.
func (f *folder) open(ctx context.Context, vault ledger.Vault) (err error) {
	if err := os.MkdirAll(f.dir, 0o700); err != nil {
		return fmt.Errorf("make data folder: %w", err)
	}
	if f.lock, err = lockDir(f.dir); err != nil {
		return err
	}
	if err := stay(f.dir); err != nil {
		return err
	}
	if f.write, err = openWriter(f.dir); err != nil {
		return err
	}
	if f.tables, err = migrate(ctx, f.write, f.log); err != nil {
		return err
	}
	if err := sealAll(ctx, f.write, vault, f.log); err != nil {
		return err
	}
	if f.read, err = openReaders(f.dir); err != nil {
		return err
	}
	if f.search, err = openSearches(f.dir); err != nil {
		return err
	}
	f.files, err = watchFiles(ctx, filepath.Join(f.dir, fileDatabase), f.read)
	return err
}

// place is the open database.
func (f *folder) place() records.Place {
	writer := records.Writer{DB: f.write}
	return records.Place{
		Write: writer, Others: writer, Beside: writer, Self: records.NewSelf(), Read: f.read, Search: f.search,
		Queue: queueDriver{riversqlite.New(f.write)}, Tables: f.tables,
	}
}

// check returns nil while the file is whole and in its place.
func (f *folder) check(ctx context.Context) error {
	if err := f.integrity.found(); err != nil {
		return err
	}
	return f.kept(ctx)
}

// Ready returns nil when the file is whole, and the records can be read and written.
func (l *Ledger) Ready(ctx context.Context) error {
	if err := l.folder.integrity.found(); err != nil {
		return err
	}
	return naming(l.folder.dir, l.Ledger.Ready(ctx))
}

// Close writes what is still waiting and gives the folder back. Work must have returned.
func (l *Ledger) Close() error {
	l.stop()
	l.background.Wait()
	return errors.Join(l.Ledger.Close(), l.folder.close())
}

// close closes what is open.
func (f *folder) close() error {
	var errs []error
	if f.files != nil {
		errs = append(errs, f.files.hold.Close())
	}
	for _, pool := range []*sql.DB{f.search, f.read, f.write} {
		if pool != nil {
			errs = append(errs, pool.Close())
		}
	}
	if f.lock != nil {
		errs = append(errs, f.lock.Close())
	}
	return errors.Join(errs...)
}
