package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/savepage/savepage/internal/clock"
	"github.com/savepage/savepage/internal/ledger"
	"github.com/savepage/savepage/internal/ledger/records"
)

// Engine is SQLite in the data folder.
func Engine() ledger.Engine {
	return ledger.Engine{
		Form:  "sqlite",
		Takes: func(setting string) bool { return setting == "" || setting == "sqlite" },
		At:    func(_, dataFolder string) ledger.Database { return At(dataFolder) },
	}
}

// Database is the database of a data folder.
type Database struct{ dir string }

// At is the database of the data folder.
func At(dir string) Database { return Database{dir: dir} }

// String names the folder.
func (d Database) String() string { return d.dir }

// Open takes the data folder for this process, brings the database up to date and gives back at once what the process
// before left running. An error names the folder when another process serves it. Close ends it.
func (d Database) Open(ctx context.Context, cfg ledger.Config, log *slog.Logger) (ledger.Store, error) {
	l, err := open(ctx, d.dir, cfg, log)
	if err != nil {
		return nil, naming(d.dir, err) // a nil *Ledger would be a Store that is not nil
	}
	return l, nil
}

// OpenKeys opens the keys of the data folder without taking its lock, so that it works beside a running server.
func (d Database) OpenKeys(ctx context.Context, vault ledger.Vault, c *clock.Clock) (ledger.Keys, error) {
	k, err := openKeys(ctx, d.dir, vault, c)
	if err != nil {
		return nil, naming(d.dir, err)
	}
	return k, nil
}

// Migrate brings the database up to date. The folder must not be served meanwhile.
func (d Database) Migrate(ctx context.Context, log *slog.Logger) error {
	if err := os.MkdirAll(d.dir, 0o700); err != nil {
		return fmt.Errorf("make data folder: %w", err)
	}
	lock, err := lockDir(d.dir)
	if err != nil {
		return err
	}
	db, err := openWriter(d.dir)
	if err != nil {
		return errors.Join(err, lock.Close())
	}
	_, err = migrate(ctx, db, log)
	return errors.Join(naming(d.dir, err), db.Close(), lock.Close())
}

// magic begins every SQLite database.
const magic = "SQLite format 3\x00"

// Inspect reads the file and changes nothing: to open the ledger would bring it up to this version.
func (d Database) Inspect(ctx context.Context) ledger.Inspection {
	name := filepath.Join(d.dir, fileDatabase)
	file, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return ledger.Inspection{Found: name + " (created at the first start)"}
	}
	head := make([]byte, len(magic))
	if err == nil {
		_, err = io.ReadFull(file, head)
		err = errors.Join(err, file.Close())
	}
	switch {
	case err != nil:
		return ledger.Inspection{Exists: true, Found: err.Error(), Fix: "Make the file readable and writable for this user."}
	case string(head) != magic:
		return ledger.Inspection{
			Exists: true, Found: name + " is not an SQLite database",
			Fix: "Put the database back from a copy, or name another folder with SAVEPAGE_DATA.",
		}
	default:
		return d.inspectContent(ctx, name)
	}
}

// inspectContent reads the whole file, as far as there is time.
func (d Database) inspectContent(ctx context.Context, name string) ledger.Inspection {
	db, err := openReaders(d.dir)
	if err == nil {
		err = errors.Join(checkNewer(ctx, db), checkContent(ctx, db), db.Close())
	}
	switch {
	case errors.Is(err, records.ErrSchema):
		return ledger.Inspection{Exists: true, Found: err.Error(), Fix: "Run the newer version, or restore a backup: savepage restore."}
	case err == nil:
		return ledger.Inspection{Exists: true, Found: name + ", checked"}
	case ctx.Err() != nil:
		return ledger.Inspection{Exists: true, Found: name + ", too large to be checked now"}
	case isDamage(err):
		return ledger.Inspection{Exists: true, Found: naming(d.dir, err).Error(), Fix: "Restore a backup: savepage restore."}
	default:
		return ledger.Inspection{Exists: true, Found: err.Error(), Fix: "Make the file readable and writable for this user."}
	}
}
