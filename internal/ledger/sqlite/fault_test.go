package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	sqlite3 "modernc.org/sqlite/lib"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/health"
	"github.com/savepage/savepage/internal/ledger"
)

// faulty is a ledger whose files and limits a test may touch.
type faulty struct {
	*Ledger
	t       *testing.T
	file    string
	account string
	board   *health.Board
}

func openFaulty(t *testing.T) *faulty {
	t.Helper()
	dir := NewFolder(t)
	f := &faulty{t: t, file: filepath.Join(dir, fileDatabase), board: health.NewBoard(health.Config{Log: slog.New(slog.DiscardHandler)})}
	l, err := open(t.Context(), dir, ledger.Config{Health: f.board}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	issued, _, err := l.Bootstrap(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	f.Ledger, f.account = l, issued.Account
	return f
}

// submit records a capture of a page with so many bytes of HTML.
func (f *faulty) submit(bytes int) (string, error) {
	now := time.Now()
	accepted, err := f.Accept(context.Background(), capture.Submission{Capture: savepage.Capture{
		ID: capture.NewID("cap_", now), Account: f.account, State: savepage.Queued, CreatedAt: now,
		Options: savepage.Options{HTML: strings.Repeat("x", bytes)}.WithDefaults(),
	}})
	return accepted.Capture.ID, err
}

// works expects that a small submission is recorded and that the ledger is ready, and returns the submission's id.
func (f *faulty) works() string {
	f.t.Helper()
	id, err := f.submit(1)
	if err := errors.Join(err, f.Ready(f.t.Context())); err != nil {
		f.t.Fatal(err)
	}
	return id
}

// refuses expects that a submission meets a fault of the database, that Ready says so too, and that it is told of.
func (f *faulty) refuses(bytes int, what string) {
	f.t.Helper()
	f.board.Watch(health.Database, f.Ready) // as one that is well
	_, err := f.submit(bytes)
	for name, err := range map[string]error{"Accept": err, "Ready": f.Ready(f.t.Context())} {
		fault, is := health.Find(err)
		if !is || fault.Part != health.Database || !strings.Contains(err.Error(), what) {
			f.t.Errorf("%s: %v is no fault of the database that says %q", name, err, what)
		}
	}
	if !f.board.States()[0].Sick {
		f.t.Error("the ledger has told nobody")
	}
}

func (f *faulty) exec(statement string) {
	f.t.Helper()
	if _, err := f.folder.write.ExecContext(f.t.Context(), statement); err != nil {
		f.t.Fatal(err)
	}
}

// TestFullDatabase fills the database: what is too large for it is refused as a fault, Ready needs room for as much, and both
// work again when there is room.
func TestFullDatabase(t *testing.T) {
	t.Parallel()
	f := openFaulty(t)
	f.works()
	f.exec("PRAGMA max_page_count = 200") // 800 KB, more than there is
	f.refuses(2<<20, "full")
	if _, err := f.submit(1); err != nil {
		t.Errorf("a small one still fits: %v", err)
	}
	if err := f.Ready(t.Context()); err == nil {
		t.Error("ready without room for what was refused")
	}
	f.exec("PRAGMA max_page_count = 1000000")
	f.works()
}

// TestReadOnlyDatabase has a database that takes no writes for a while.
func TestReadOnlyDatabase(t *testing.T) {
	t.Parallel()
	f := openFaulty(t)
	f.works()
	f.exec("PRAGMA query_only = 1")
	f.refuses(1, "readonly")
	f.exec("PRAGMA query_only = 0")
	f.works()
}

// TestDatabaseIsRemoved takes the database and its log away under the running ledger: nothing is accepted that the next start
// would not find. What was accepted before is copied, and all works again when the file is back.
func TestDatabaseIsRemoved(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", "-wal"} {
		f := openFaulty(t)
		before := f.works()
		away := f.file + name + ".away"
		rename(t, f.file+name, away)
		f.refuses(1, "removed or replaced under the running server")
		copies, err := filepath.Glob(f.file + ".rescued-*")
		if err != nil || len(copies) != 1 {
			t.Fatalf("copies %q, %v", copies, err)
		}
		f.refuses(1, "put it back")
		if name == "" {
			f.opensConnections()
			if _, err := os.Stat(f.file); err == nil {
				t.Error("a new connection made another database")
			}
		}
		dir := t.TempDir()
		rename(t, copies[0], filepath.Join(dir, fileDatabase))
		if _, err := openInside(t, dir, ledger.Config{}).Get(t.Context(), f.account, before); err != nil {
			t.Errorf("the copy lacks a capture that was accepted: %v", err)
		}
		rename(t, away, f.file+name)
		f.works()
	}
}

// opensConnections has the pools open connections anew, as they do after a query that was given up. Whether these work does not
// matter.
func (f *faulty) opensConnections() {
	for _, pool := range []*sql.DB{f.folder.read, f.folder.search} {
		pool.SetMaxIdleConns(0)
		_ = pool.PingContext(f.t.Context())
		_, _ = pool.ExecContext(f.t.Context(), `SELECT count(*) FROM accounts`)
	}
}

// TestDatabaseIsReplaced puts another database in the place of the open one.
func TestDatabaseIsReplaced(t *testing.T) {
	t.Parallel()
	f := openFaulty(t)
	rename(t, filepath.Join(NewFolder(t), fileDatabase), f.file)
	f.refuses(1, "another file has its name")
}

func rename(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

// TestFaultCodes tells faults of the database from errors of statements, also those that take long to bring about.
func TestFaultCodes(t *testing.T) {
	t.Parallel()
	for code, want := range map[int]bool{
		sqlite3.SQLITE_BUSY: true, sqlite3.SQLITE_BUSY_SNAPSHOT: true, sqlite3.SQLITE_IOERR_FSYNC: true, sqlite3.SQLITE_FULL: true,
		sqlite3.SQLITE_READONLY_DBMOVED: true, sqlite3.SQLITE_CANTOPEN_ISDIR: true, sqlite3.SQLITE_NOMEM: true,
		sqlite3.SQLITE_CONSTRAINT_UNIQUE: false, sqlite3.SQLITE_INTERRUPT: false, sqlite3.SQLITE_ERROR: false,
	} {
		if isFault(code) != want {
			t.Errorf("code %d: fault %t", code, !want)
		}
	}
}
