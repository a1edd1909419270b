// Package ledgertest is the suite that every ledger must pass, whatever its database. It refuses to know the database: a
// Fixture opens the ledger, again and again, and does what only the database's own tools can do.
package ledgertest

import (
	"database/sql"
	"testing"

	"github.com/savepage/savepage/internal/ledger"
)

// Fixture is where one ledger is kept. What is opened is closed by the test.
type Fixture struct {
	ledger.Database

	DropJobs func(tb testing.TB)          // removes all jobs that do not run, behind the ledger's back
	Timed    func(tb testing.TB) int      // how many jobs wait for their time
	Private  func(tb testing.TB) []string // ids of the captures that something private is kept of
	Keys     func(tb testing.TB) []string // the credentials of stores, as they lie in the database
	Hours    func(tb testing.TB) int      // how many rows say what ended in an hour, and how long it took
}

// Tables is a fixture whose database has the tables of package records. raw opens it beside the ledger, until the end of the
// test.
func Tables(database ledger.Database, raw func(tb testing.TB) *sql.DB) Fixture {
	return Fixture{
		Database: database,
		DropJobs: func(tb testing.TB) {
			tb.Helper()
			_, err := raw(tb).ExecContext(tb.Context(), `DELETE FROM river_job WHERE state <> 'running'`)
			must(tb, err)
		},
		Timed: func(tb testing.TB) (n int) {
			tb.Helper()
			must(tb, raw(tb).QueryRowContext(tb.Context(), `SELECT count(*) FROM river_job WHERE state = 'pending'`).Scan(&n))
			return n
		},
		Hours: func(tb testing.TB) (n int) {
			tb.Helper()
			const query = `SELECT (SELECT count(*) FROM hours) + (SELECT count(*) FROM render_times)`
			must(tb, raw(tb).QueryRowContext(tb.Context(), query).Scan(&n))
			return n
		},
		Private: func(tb testing.TB) []string {
			tb.Helper()
			return texts(tb, raw(tb), `SELECT capture FROM private ORDER BY capture`)
		},
		Keys: func(tb testing.TB) []string {
			tb.Helper()
			return texts(tb, raw(tb), `SELECT keys FROM stores ORDER BY account, name`)
		},
	}
}

func texts(tb testing.TB, from *sql.DB, query string) (all []string) {
	tb.Helper()
	rows, err := from.QueryContext(tb.Context(), query)
	must(tb, err)
	defer func() { must(tb, rows.Close()) }()
	for rows.Next() {
		var one string
		must(tb, rows.Scan(&one))
		all = append(all, one)
	}
	must(tb, rows.Err())
	return all
}

// Run tests the ledgers of an engine. Each call of fresh is for a ledger of its own that is still empty.
func Run(t *testing.T, fresh func(tb testing.TB) Fixture) {
	t.Helper()
	groups := map[string]map[string]func(*scene){
		"accept": acceptTests(), "run": runTests(), "deliver": deliverTests(), "keep": keepTests(), "batch": batchTests(),
		"redeliver": redeliverTests(), "share": shareTests(), "secrets": secretTests(), "links": linkTests(), "limits": limitTests(),
		"inbox": inboxTests(), "stores": storeTests(), "storing": storingTests(),
		"order": orderTests(), "accounts": accountTests(), "faults": faultTests(), "steps": stepTests(),
		"history": historyTests(),
	}
	for group, tests := range groups {
		for name, test := range tests {
			t.Run(group+"/"+name, func(t *testing.T) {
				t.Parallel()
				test(&scene{T: t, Fixture: fresh(t)})
			})
		}
	}
}
