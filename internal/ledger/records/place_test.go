package records

import (
	"context"
	"database/sql"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"go.uber.org/goleak"
	_ "modernc.org/sqlite" // the driver

	"github.com/savepage/savepage/internal/ledger"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// newPlace makes an empty SQLite database with the tables of that engine.
func newPlace(t *testing.T) Place {
	t.Helper()
	file := filepath.Join(t.TempDir(), "records.db")
	pool := func(connections int) *sql.DB {
		db, err := sql.Open("sqlite", "file:"+file+"?_txlock=immediate&_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)")
		if err != nil {
			t.Fatal(err)
		}
		db.SetMaxOpenConns(connections)
		t.Cleanup(func() {
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		})
		return db
	}
	write, read := pool(1), pool(4)
	tables := Tables{
		Dialect: goose.DialectSQLite3, Records: os.DirFS("../sqlite/migrations"),
		Queue:  func(db *sql.DB) riverdriver.Driver[*sql.Tx] { return riversqlite.New(db) },
		Exists: `SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?)`,
	}
	if _, err := tables.Migrate(t.Context(), write, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	writer := Writer{DB: write}
	return Place{Write: writer, Others: writer, Beside: writer, Self: NewSelf(), Read: read, Search: read, Queue: riversqlite.New(write)}
}

// openInside opens the ledger of a place. The end of the test closes it.
func openInside(t *testing.T, p Place, cfg ledger.Config) *Ledger {
	t.Helper()
	l, err := Open(context.WithoutCancel(t.Context()), p, cfg, slog.New(slog.NewTextHandler(t.Output(), nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}
