package sqlite_test

import (
	"context"
	"database/sql"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"github.com/savepage/savepage/internal/ledger"
	"github.com/savepage/savepage/internal/ledger/ledgertest"
	"github.com/savepage/savepage/internal/ledger/sqlite"
)

// patience is how long a test waits for what must come.
const patience = sqlite.Patience

// asChecker is an argument of this program: it checks the database of the folder that follows.
const asChecker = "check-database"

func TestMain(m *testing.M) {
	if os.Getenv(envStep) != "" {
		stepChild()
		return
	}
	if len(os.Args) == 3 && os.Args[1] == asChecker {
		os.Exit(sqlite.Check(context.Background(), os.Args[2], os.Stdout))
	}
	if childWanted() {
		child()
		return
	}
	goleak.VerifyTestMain(m)
}

func TestLedger(t *testing.T) {
	ledgertest.Run(t, func(tb testing.TB) ledgertest.Fixture {
		tb.Helper()
		dir := sqlite.NewFolder(tb)
		tb.Cleanup(func() { countsAreRight(tb, dir) })
		return fixture(dir)
	})
}

// countsAreRight compares everything that is counted where it changes with the rows.
func countsAreRight(tb testing.TB, dir string) {
	tb.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "savepage.db")+"?_pragma=busy_timeout(10000)")
	check(tb, err)
	defer func() { check(tb, db.Close()) }()
	for what, query := range map[string]string{
		"deliveries": `SELECT count(*) FROM owed WHERE pending = (SELECT count(*) FROM deliveries WHERE state = 'pending')
			AND dead = (SELECT count(*) FROM deliveries WHERE state = 'dead')`,
		"captures": `SELECT count(*) = (SELECT count(*) FROM accounts) FROM accounts
			WHERE pending = (SELECT count(*) FROM captures WHERE account = accounts.id AND state IN ('queued', 'running', 'storing'))
			AND pending_batch = (SELECT count(*) FROM captures WHERE account = accounts.id AND state IN ('queued', 'running', 'storing')
				AND batch IS NOT NULL)
			AND running = (SELECT count(*) FROM captures WHERE account = accounts.id AND state = 'running')
			AND pending_bytes = (SELECT coalesce(sum(bytes), 0) FROM captures WHERE account = accounts.id
				AND state IN ('queued', 'running', 'storing'))`,
	} {
		var right bool
		check(tb, db.QueryRowContext(context.Background(), query).Scan(&right))
		if !right {
			tb.Errorf("what is counted of %s differs from the rows", what)
		}
	}
}

func fixture(dir string) ledgertest.Fixture {
	return ledgertest.Tables(sqlite.At(dir), func(tb testing.TB) *sql.DB {
		tb.Helper()
		return raw(tb, dir)
	})
}

// raw opens the database beside the ledger.
func raw(tb testing.TB, dir string) *sql.DB {
	tb.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "savepage.db")+"?_pragma=busy_timeout(10000)")
	check(tb, err)
	tb.Cleanup(func() { check(tb, db.Close()) })
	return db
}

func open(tb testing.TB, dir string, cfg ledger.Config) ledger.Store {
	tb.Helper()
	l, err := sqlite.At(dir).Open(tb.Context(), cfg, logger(tb))
	check(tb, err)
	tb.Cleanup(func() { check(tb, l.Close()) })
	return l
}

func logger(tb testing.TB) *slog.Logger {
	tb.Helper()
	return slog.New(slog.NewTextHandler(tb.Output(), nil))
}

func check(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}
