package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/savepage/savepage/internal/clock"
	"github.com/savepage/savepage/internal/ledger"
	"github.com/savepage/savepage/internal/ledger/records"
)

// fileMoved says in a data folder that its records are in another database now.
const fileMoved = "moved"

// departure is the records of a data folder that are carried to another database.
type departure struct{ folder *folder }

// Leave takes the data folder for this process, reads the whole file, brings it up to date, and has what was running wait for its
// turn again.
func (d Database) Leave(ctx context.Context, log *slog.Logger) (ledger.Departure, error) {
	f := &folder{dir: d.dir, clock: clock.System(), log: log}
	if err := f.leave(ctx); err != nil {
		return nil, errors.Join(naming(d.dir, err), f.close())
	}
	return &departure{f}, nil
}

func (f *folder) leave(ctx context.Context) (err error) {
	if _, err := os.Stat(filepath.Join(f.dir, fileDatabase)); err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	if f.lock, err = lockDir(f.dir); err != nil {
		return err
	}
	if f.write, err = openWriter(f.dir); err != nil {
		return err
	}
	if err := checkContent(ctx, f.write); err != nil {
		return err
	}
	if f.tables, err = migrate(ctx, f.write, f.log); err != nil {
		return err
	}
	if f.read, err = openReaders(f.dir); err != nil {
		return err
	}
	if f.search, err = openSearches(f.dir); err != nil {
		return err
	}
	opened, err := records.Open(ctx, f.place(), ledger.Config{}, f.log)
	if err != nil {
		return err
	}
	return opened.Close() //nolint:contextcheck // what it waits for outlives the context of a start
}

// Tables returns the tables that are carried.
func (d *departure) Tables(ctx context.Context) ([]ledger.Table, error) {
	return records.CarriedFrom(ctx, d.folder.read)
}

// Rows reads rows of a table.
func (d *departure) Rows(ctx context.Context, of ledger.Table, after ledger.Row, most int) ([]ledger.Row, error) {
	return records.ReadRows(ctx, d.folder.read, of, after, most)
}

// About tells what there is.
func (d *departure) About(ctx context.Context) (ledger.About, error) {
	return records.About(ctx, d.folder.read)
}

// Pictures returns the names of the pictures that captures name.
func (d *departure) Pictures(ctx context.Context) ([]string, error) {
	return records.Pictures(ctx, d.folder.read)
}

// Gone writes into the folder where the records are now.
func (d *departure) Gone(_ context.Context, to string) error {
	name := filepath.Join(d.folder.dir, fileMoved)
	err := os.WriteFile(name, []byte(to+"\n"), 0o600)
	if err := errors.Join(err, syncName(name), syncName(d.folder.dir)); err != nil {
		return fmt.Errorf("note that the records have moved: %w", err)
	}
	return nil
}

// Close gives the folder back.
func (d *departure) Close() error { return d.folder.close() }

// stay refuses a data folder whose records have moved to another database: a server that begins with both would send what is owed
// twice.
func stay(dir string) error {
	name := filepath.Join(dir, fileMoved)
	to, err := os.ReadFile(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("look whether the records have moved: %w", err)
	default:
		return fmt.Errorf("the records of %s have moved to %.200q: set SAVEPAGE_DATABASE. To go back to those that are here, without what "+
			"was recorded there, remove the file %s", dir, to[:max(0, len(to)-1)], name)
	}
}

// Receive is not for a file: a backup is carried into it.
func (d Database) Receive(context.Context, string, *slog.Logger) (ledger.Arrival, error) {
	return nil, fmt.Errorf("%s is SQLite: nothing can be moved to it; use savepage backup and savepage restore", d.dir)
}
