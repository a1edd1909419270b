package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/savepage/savepage/internal/health"
)

// files are the files of the open database. What is written after one of them was removed or replaced is in no folder: the
// next start does not find it.
type files struct {
	names  []string
	opened []fs.FileInfo
	hold   *sql.Conn // keeps SQLite from ending and beginning the log itself, as it does with the last connection

	mu     sync.Mutex
	rescue string // what became of the records when a file was missed; empty: none was
}

// watchFiles notes which files the database is in.
func watchFiles(ctx context.Context, name string, read *sql.DB) (*files, error) {
	hold, err := read.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("hold the database: %w", err)
	}
	f := &files{names: []string{name, name + "-wal"}, hold: hold}
	var one int
	err = hold.QueryRowContext(ctx, `SELECT count(*) FROM accounts`).Scan(&one)
	for _, name := range f.names {
		info, missing := os.Stat(name)
		f.opened, err = append(f.opened, info), errors.Join(err, missing)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("watch the database: %w", err), hold.Close())
	}
	return f, nil
}

// gone returns the fault that a file is no longer the one that was opened.
func (f *files) gone() error {
	for i, name := range f.names {
		now, err := os.Stat(name)
		if err == nil && os.SameFile(now, f.opened[i]) {
			continue
		}
		if err == nil {
			err = errors.New("another file has its name")
		}
		if at, is := errors.AsType[*fs.PathError](err); is {
			err = at.Err
		}
		return health.Of(health.Database, fmt.Errorf("%s was removed or replaced under the running server: %w", filepath.Base(name), err))
	}
	return nil
}

// kept returns nil while the files are those that were opened. When one is not, all records are copied once, from the
// files that are still open, and the error says where to.
func (f *folder) kept(ctx context.Context) error {
	gone := f.files.gone()
	f.files.mu.Lock()
	defer f.files.mu.Unlock()
	switch {
	case gone == nil:
		f.files.rescue = ""
		return nil
	case f.files.rescue == "":
		f.files.rescue = f.copyRecords(ctx)
		f.log.ErrorContext(ctx, "the database is not in its folder any more: put it back, or stop the server and use the copy",
			"error", gone, "rescue", f.files.rescue)
	}
	return fmt.Errorf("%w: put it back, or do as the log says", gone)
}

// copyRecords writes all records into a new file beside the database and says what to do with it.
func (f *folder) copyRecords(ctx context.Context) string {
	name := f.files.names[0]
	to := name + ".rescued-" + f.clock.Now().Format("20060102T150405.000")
	if _, err := f.write.ExecContext(ctx, `VACUUM INTO ?`, to); err != nil {
		return fmt.Sprintf("its records could not be copied (%s), and are lost when the server stops", err)
	}
	if err := os.Chmod(to, 0o600); err != nil {
		return fmt.Sprintf("its records are in %s, which others may read (%s)", to, err)
	}
	return fmt.Sprintf("all records are in %s; before the next start give it the name %s and remove %[2]s-wal and %[2]s-shm", to, name)
}
