package sqlite

import (
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
	"modernc.org/sqlite"

	"github.com/savepage/savepage/internal/ledger"
)

// Names of the files in the folder.
const (
	fileDatabase = "savepage.db"
	fileLock     = "lock"
)

// readers is how many connections read beside the one that writes.
const readers = 4

// searches is how many more of them read lists and counts.
const searches = 2

// openWriter opens the one connection that writes. River writes through it too.
func openWriter(dir string) (*sql.DB, error) {
	file := filepath.Join(dir, fileDatabase)
	// Webhook secrets are in it: the database is created here because the driver would let others read it.
	created, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("create database: %w", err)
	}
	if err := created.Close(); err != nil {
		return nil, fmt.Errorf("create database: %w", err)
	}
	db, err := connect(file,
		"auto_vacuum(INCREMENTAL)", // of a new database: before its first page is written
		"journal_mode(WAL)", "synchronous(FULL)", "cache_size(-65536)", "secure_delete(FAST)",
		"wal_autocheckpoint(4000)", "journal_size_limit(67108864)", "temp_store(MEMORY)")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	return db, nil
}

// openSearches opens connections for what may read many records, so that it keeps no look-up of a single one waiting.
func openSearches(dir string) (*sql.DB, error) {
	db, err := connect(filepath.Join(dir, fileDatabase), "query_only(1)", "cache_size(-8192)")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(searches)
	db.SetMaxIdleConns(searches)
	return db, nil
}

// openReaders opens connections that cannot write.
func openReaders(dir string) (*sql.DB, error) {
	db, err := connect(filepath.Join(dir, fileDatabase), "query_only(1)", "cache_size(-16384)")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(readers + 2) // one is held, one checks the file after the start
	db.SetMaxIdleConns(readers + 1)
	return db, nil
}

// connect never creates the file: a connection that the driver opens later, while the file is away, would put an empty database
// in its place, and SQLite would remove the log beside it.
func connect(file string, pragmas ...string) (*sql.DB, error) {
	query := url.Values{"mode": {"rw"}, "_txlock": {"immediate"}, "_pragma": append([]string{"busy_timeout(10000)"}, pragmas...)}
	connector, err := sqlite.NewConnector("file:" + (&url.URL{Path: file}).EscapedPath() + "?" + query.Encode())
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	return sql.OpenDB(keeping{connector}), nil
}

// folderLock holds a data folder for this process.
type folderLock struct{ file *os.File }

// Close gives the folder back. Closing the file alone would not do so at once: a child process that is just being started
// may hold it too.
func (l *folderLock) Close() error {
	return errors.Join(unix.Flock(int(l.file.Fd()), unix.LOCK_UN), l.file.Close())
}

// lockDir takes the folder for this process. Closing the lock gives it back, and so does the end of the process.
func lockDir(dir string) (*folderLock, error) {
	file, err := os.OpenFile(filepath.Join(dir, fileLock), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock data folder: %w", err)
	}
	err = unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if err == nil {
		return &folderLock{file}, nil
	}
	if errors.Is(err, unix.EWOULDBLOCK) {
		err = ledger.ErrServed
	}
	return nil, errors.Join(fmt.Errorf("data folder %s: %w", dir, err), file.Close())
}
