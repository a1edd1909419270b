package postgres_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/savepage/savepage/internal/ledger/ledgertest"
	"github.com/savepage/savepage/internal/ledger/pgtest"
	"github.com/savepage/savepage/internal/ledger/postgres"
)

// databases are those of one server, which tests use one after the other.
type databases struct {
	server *pgtest.Server

	mu   sync.Mutex
	made int
	free []string
}

// server is the one of these tests; newer is another, of a newer version.
var server, newer databases

func TestMain(m *testing.M) {
	os.Exit(func() int {
		var err error
		if server.server, err = pgtest.Start(context.Background()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		code := 1
		if newer.server, err = pgtest.StartNewer(context.Background()); err == nil {
			code = m.Run()
			err = newer.server.Stop()
		}
		if err := errors.Join(err, server.server.Stop()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
		if err := goleak.Find(); err != nil && code == 0 {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
		return code
	}())
}

// patient has the server wait for a test that a busy machine keeps from its next statement.
const patient = "&idle_in_transaction_session_timeout=60000"

// fresh returns the address of a database that is empty and up to date, and set as the ledger does not need it. The end of the
// test gives it back.
func (d *databases) fresh(tb testing.TB) string {
	tb.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.free) == 0 {
		d.made++
		name := fmt.Sprintf("ledger_%d", d.made)
		check(tb, d.server.Create(tb.Context(), name, ""))
		db := raw(tb, d.server.Address(name))
		for _, set := range []string{
			`synchronous_commit = off`, `default_transaction_isolation = 'serializable'`, `timezone = 'Asia/Kolkata'`, `datestyle = 'German'`,
		} {
			_, err := db.ExecContext(tb.Context(), `ALTER DATABASE `+name+` SET `+set)
			check(tb, err)
		}
		check(tb, db.Close())
		check(tb, postgres.At(d.server.Address(name)).Migrate(tb.Context(), slog.New(slog.DiscardHandler)))
		d.free = append(d.free, d.server.Address(name)+patient)
	}
	address := d.free[len(d.free)-1]
	d.free = d.free[:len(d.free)-1]
	tb.Cleanup(func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		empty(tb, address)
		d.free = append(d.free, address)
	})
	return address
}

// empty removes what a test has recorded.
func empty(tb testing.TB, address string) {
	tb.Helper()
	db := raw(tb, address)
	const all = `DELETE FROM stores; DELETE FROM keys; DELETE FROM old_secrets; DELETE FROM link_secrets;
		DELETE FROM inboxes; DELETE FROM inbox_events;
		DELETE FROM accounts; DELETE FROM captures;
		DELETE FROM private; DELETE FROM idempotency; DELETE FROM batches; DELETE FROM deliveries; DELETE FROM attempts; DELETE FROM receivers;
		DELETE FROM turns; DELETE FROM usage; DELETE FROM hours; DELETE FROM render_times; DELETE FROM probes; DELETE FROM seen;
		DELETE FROM river_job; DELETE FROM river_leader; DELETE FROM river_queue; DELETE FROM nodes; DELETE FROM hosts;
		DELETE FROM notices`
	_, err := db.ExecContext(context.WithoutCancel(tb.Context()), all)
	check(tb, errors.Join(err, db.Close()))
}

func TestLedger(t *testing.T) {
	ledgertest.Run(t, func(tb testing.TB) ledgertest.Fixture {
		tb.Helper()
		return fixture(server.fresh(tb))
	})
}

// TestLedgerNewer is the same on a server of a newer version.
func TestLedgerNewer(t *testing.T) {
	ledgertest.Run(t, func(tb testing.TB) ledgertest.Fixture {
		tb.Helper()
		return fixture(newer.fresh(tb))
	})
}

func fixture(address string) ledgertest.Fixture {
	return ledgertest.Tables(postgres.At(address), func(tb testing.TB) *sql.DB {
		tb.Helper()
		return raw(tb, address)
	})
}

// raw opens the database beside the ledger.
func raw(tb testing.TB, address string) *sql.DB {
	tb.Helper()
	db, err := sql.Open("pgx", address)
	check(tb, err)
	tb.Cleanup(func() { check(tb, db.Close()) })
	return db
}

func check(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}
