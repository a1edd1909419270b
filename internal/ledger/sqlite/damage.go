package sqlite

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/savepage/savepage/internal/health"
	"github.com/savepage/savepage/internal/ledger/records"
)

// errDamaged says that the content of a database's file is not what SQLite wrote.
var errDamaged = errors.New("the pages of the file do not fit together")

// naming adds the file and the remedy to an error of a damaged file. Every other error stays as it is.
func naming(dir string, err error) error {
	if !isDamage(err) {
		return err
	}
	file := filepath.Join(dir, fileDatabase)
	return fmt.Errorf("the database %s is damaged: %w. Stop the server, move %[1]s, %[1]s-wal and %[1]s-shm to another folder, and "+
		"restore a backup (savepage restore). Without one, sqlite3 %[1]s .recover saves what can be read", file, err)
}

// isDamage reports whether the content of the file is the cause.
func isDamage(err error) bool {
	of, is := errors.AsType[*sqlite.Error](err)
	return is && (of.Code()&0xff == sqlite3.SQLITE_CORRUPT || of.Code()&0xff == sqlite3.SQLITE_NOTADB) || errors.Is(err, errDamaged)
}

// integrity is what is known of the file's content.
type integrity struct {
	mu  sync.Mutex
	err error // nil: nothing wrong was found
}

func (i *integrity) found() error {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.err
}

// checkFile reads the whole file once, beside the work. When it is damaged nothing is written any more.
func (f *folder) checkFile(ctx context.Context) {
	err := errNotChecked
	if len(f.checker) > 0 {
		err = f.checkInTime(ctx, longestLog)
	}
	if errors.Is(err, errNotChecked) {
		if len(f.checker) > 0 && ctx.Err() == nil {
			f.log.WarnContext(ctx, "the database is checked by the server itself", "error", err)
		}
		err = checkContent(ctx, f.read)
	}
	if !isDamage(err) || ctx.Err() != nil {
		return
	}
	err = naming(f.dir, err)
	f.integrity.mu.Lock()
	defer f.integrity.mu.Unlock()
	f.integrity.err = health.Of(health.Database, err)
	f.log.ErrorContext(ctx, "the database was checked", "error", err)
}

// checkInTime has the file read by a process of its own, again later when much is written meanwhile.
func (f *folder) checkInTime(ctx context.Context, limit int64) error {
	for {
		err := f.checkApart(ctx, limit)
		// What has gathered in the log is copied here, so that no commit does it.
		if _, late := f.read.ExecContext(ctx, `PRAGMA wal_checkpoint(PASSIVE)`); late != nil && ctx.Err() == nil {
			f.log.WarnContext(ctx, "the log of the database was not copied", "error", late)
		}
		if !errors.Is(err, errPutOff) {
			return err
		}
		f.log.InfoContext(ctx, "the check of the database is put off: very much is being written", "again_in", checkAgain)
		if !f.clock.Pause(ctx, checkAgain) {
			return ctx.Err() //nolint:wrapcheck // the end of the database
		}
	}
}

// checkContent reads the whole file and returns errDamaged when its pages do not fit together.
func checkContent(ctx context.Context, q records.Queries) error {
	faults, err := records.Texts(ctx, q, `PRAGMA quick_check(3)`)
	if err == nil && (len(faults) != 1 || faults[0] != "ok") {
		err = fmt.Errorf("%w: %s", errDamaged, strings.Join(faults, "; "))
	}
	return err
}
