package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/savepage/savepage/internal/ledger"
	"github.com/savepage/savepage/internal/ledger/records"
)

// snapshot is a copy of the records in a file, beside the database that it was made of.
type snapshot struct {
	file       string
	copy, live *sql.DB
}

// Snapshot writes the records as they are at one moment to a new file, also beside a running server. The copy has no free
// pages, and was checked.
func (d Database) Snapshot(ctx context.Context, file string) (ledger.Snapshot, error) {
	s, err := d.snapshot(ctx, file)
	if err != nil {
		return nil, naming(d.dir, err) // a nil *snapshot would be a Snapshot that is not nil
	}
	return s, nil
}

func (d Database) snapshot(ctx context.Context, file string) (_ *snapshot, err error) {
	source := filepath.Join(d.dir, fileDatabase)
	if _, err := os.Stat(source); err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	// SQLite would let others read the copy: there may be secrets in it.
	if err := createPrivate(file); err != nil {
		return nil, err
	}
	s := &snapshot{file: file}
	if s.live, err = connect(source); err != nil {
		return nil, err
	}
	if _, err := s.live.ExecContext(ctx, `VACUUM INTO ?`, file); err != nil {
		return nil, errors.Join(fmt.Errorf("copy the database %s: %w", source, err), s.live.Close())
	}
	if s.copy, err = connect(file, "journal_mode(DELETE)", "synchronous(FULL)"); err != nil {
		return nil, errors.Join(err, s.live.Close())
	}
	if err := checkContent(ctx, s.copy); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func createPrivate(file string) error {
	created, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("create the copy of the database: %w", err)
	}
	return created.Close()
}

// About tells what the snapshot holds.
func (s *snapshot) About(ctx context.Context) (ledger.About, error) {
	return records.About(ctx, s.copy)
}

// Pictures returns the names of the pictures that its captures name.
func (s *snapshot) Pictures(ctx context.Context) ([]string, error) {
	return records.Pictures(ctx, s.copy)
}

// Drop removes from the snapshot the captures with these pictures that the database has removed since. It returns the
// pictures whose captures are still there.
func (s *snapshot) Drop(ctx context.Context, pictures []string) ([]string, error) {
	return records.Drop(ctx, records.Writer{DB: s.copy}, s.live, pictures)
}

// Close makes the file durable.
func (s *snapshot) Close() error {
	return errors.Join(s.copy.Close(), s.live.Close(), syncName(s.file))
}

// syncName writes a file or a folder to disk.
func syncName(name string) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}

// Vacant returns nil when Restore may fill the database, and else why not.
func (d Database) Vacant(ctx context.Context) error {
	return d.whileVacant(ctx, func() error { return nil })
}

// databaseFiles are the endings of the files that a database may have.
func databaseFiles() []string { return []string{"", "-wal", "-shm", "-journal"} }

// whileVacant runs fn with the lock of a data folder that has no database, or one in which nothing was ever recorded: a start
// that was refused leaves one.
func (d Database) whileVacant(ctx context.Context, fn func() error) error {
	if err := os.MkdirAll(d.dir, 0o700); err != nil {
		return fmt.Errorf("make data folder: %w", err)
	}
	lock, err := lockDir(d.dir)
	if err != nil {
		return err
	}
	for _, suffix := range databaseFiles() {
		name := filepath.Join(d.dir, fileDatabase+suffix)
		if _, err := os.Lstat(name); !errors.Is(err, fs.ErrNotExist) && !d.unused(ctx) {
			return errors.Join(fmt.Errorf("%s is there already: name an empty data folder with SAVEPAGE_DATA", name), lock.Close())
		}
	}
	return errors.Join(fn(), lock.Close())
}

// unused reports whether the database can be read and has neither an account nor a capture.
func (d Database) unused(ctx context.Context) bool {
	if _, err := os.Stat(filepath.Join(d.dir, fileDatabase)); err != nil {
		return false // a log without its database
	}
	db, err := openReaders(d.dir)
	if err != nil {
		return false
	}
	var used bool
	const query = `SELECT EXISTS (SELECT 1 FROM accounts) OR EXISTS (SELECT 1 FROM captures)`
	err = db.QueryRowContext(ctx, query).Scan(&used)
	return errors.Join(err, db.Close()) == nil && !used
}

// Restore writes what Snapshot wrote to the database of a folder that has none. The file gets its name when all of it is
// on disk.
func (d Database) Restore(ctx context.Context, from io.Reader) error {
	temp := filepath.Join(d.dir, fileDatabase+".restoring")
	return d.whileVacant(ctx, func() error {
		err := writeAll(temp, from)
		if err == nil {
			err = ctx.Err()
		}
		for _, suffix := range databaseFiles() {
			if err == nil {
				err = removeIfThere(filepath.Join(d.dir, fileDatabase+suffix)) // of an unused one
			}
		}
		if err == nil {
			err = os.Rename(temp, filepath.Join(d.dir, fileDatabase))
		}
		if err != nil {
			return errors.Join(fmt.Errorf("restore the database: %w", err), removeIfThere(temp))
		}
		return syncName(d.dir)
	})
}

func writeAll(name string, from io.Reader) error {
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, from)
	if err == nil {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}

func removeIfThere(name string) error {
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
