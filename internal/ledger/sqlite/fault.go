package sqlite

import (
	sqldriver "database/sql/driver"
	"errors"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/savepage/savepage/internal/health"
)

// fault marks an error of the database's file, disk or memory as one of the service's own part. An error of a statement
// stays as it is.
func fault(err error) error {
	if of, is := errors.AsType[*sqlite.Error](err); is && isFault(of.Code()) {
		return health.Of(health.Database, err)
	}
	return err
}

// isFault judges a result code (sqlite.org/rescode.html) by its primary one.
func isFault(code int) bool {
	switch code & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, // another process holds it beyond busy_timeout
		sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_FULL,
		sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_PERM:
		return true
	default:
		return false
	}
}

// faultTx marks the faults of a transaction's end.
type faultTx struct{ sqldriver.Tx }

// Commit commits.
func (t faultTx) Commit() error { return fault(t.Tx.Commit()) }

// Rollback rolls back.
func (t faultTx) Rollback() error { return fault(t.Tx.Rollback()) }
