package records_test

import (
	"database/sql"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"testing"

	"github.com/savepage/savepage/internal/ledger/pgtest"
	"github.com/savepage/savepage/internal/ledger/postgres"
	"github.com/savepage/savepage/internal/ledger/records"
)

// large are the tables that hold more when an account or the service holds more.
var large = regexp.MustCompile(`Seq Scan on (captures|deliveries|attempts|private|idempotency|batches|river_job)\b`)

// some is a statement for a part of many rows: how large a part, only the value says, and the plan is for any.
var some = regexp.MustCompile(`(?s)( IN\s+|^SELECT \* FROM )\(SELECT .* LIMIT \?`)

// uncut is several lists of which more is read than is shown.
var uncut = regexp.MustCompile(`Sort[^\n]*\n[^\n]*Sort Key:[^\n]*\n *->  (?:Parallel )?Append[^\n]*\n *->  (?:Parallel )?Index`)

// TestEveryPlanOfPostgreSQL has PostgreSQL plan every statement of this package, at 50,000 captures and deliveries and whatever
// the values are: none may read a whole table.
func TestEveryPlanOfPostgreSQL(t *testing.T) {
	t.Parallel()
	server, err := pgtest.Start(t.Context())
	must(t, err)
	t.Cleanup(func() { must(t, server.Stop()) })
	must(t, server.Create(t.Context(), "plans", ""))
	must(t, postgres.At(server.Address("plans")).Migrate(t.Context(), slog.New(slog.DiscardHandler)))
	db, err := postgres.At(server.Address("plans")).Connect(t.Context())
	must(t, err)
	db.SetMaxOpenConns(1) // a statement is prepared for its connection
	t.Cleanup(func() { must(t, db.Close()) })
	for _, statement := range []string{
		`INSERT INTO captures (id, account, state, interactive, url, options, options_hash, created_at, due_at)
			SELECT 'cap_' || i, 'a' || i % 3, CASE WHEN i % 10 > 0 THEN 'success' ELSE 'failed' END, 0, 'https://a.test/' || i % 100, '{}', 'h', i, i
			FROM generate_series(1, 50000) AS i`,
		`INSERT INTO deliveries (id, capture, account, url, body, state, created_at, receiver)
			SELECT 'msg_' || i, 'cap_' || i, 'a' || i % 3, 'https://b.test/', '', 'delivered', i, 'b.test' FROM generate_series(1, 50000) AS i`,
		`INSERT INTO attempts (delivery, number, at, outcome, status, latency_ms, error, answer)
			SELECT 'msg_' || i, 1, i, 'delivered', 200, 1, '', '' FROM generate_series(1, 50000) AS i`,
		`INSERT INTO private (capture, account, sealed) SELECT 'cap_' || i, 'a', 'x' FROM generate_series(1, 20000) AS i`,
		`INSERT INTO idempotency (account, key, fingerprint, capture, expires_at)
			SELECT 'a', i, 'f', 'cap_' || i, i FROM generate_series(1, 20000) AS i`,
		`INSERT INTO batches (id, account, callback_url, captures, total, open, created_at, ended_at)
			SELECT 'bat_' || i, 'a', '', '[]', 1, 0, i, i FROM generate_series(1, 20000) AS i`,
		`INSERT INTO river_job (args, kind, max_attempts, queue, state, unique_key, unique_states)
			SELECT json_build_object('account', 'a' || i % 3, 'turn', i, 'class', 0), 'capture', 25, 'a' || i % 300, 'available',
				convert_to('cap_' || i, 'UTF8'), B'11110101' FROM generate_series(1, 20000) AS i`,
		`ANALYZE`,
		`SET plan_cache_mode = force_generic_plan`,
	} {
		_, err := db.ExecContext(t.Context(), statement)
		must(t, err)
	}
	found := records.StatementsOf(t)
	if len(found) < 100 {
		t.Fatalf("only %d statements are found", len(found))
	}
	for i, text := range found {
		plan, err := planOf(t, db, i, text)
		switch {
		case err != nil:
			t.Errorf("%v\n%s", err, text)
		case large.MatchString(plan) && !some.MatchString(text):
			t.Errorf("reads a whole table:\n%s\n%s", text, plan)
		case uncut.MatchString(plan):
			t.Errorf("reads more than it shows:\n%s\n%s", text, plan)
		}
	}
}

// planOf returns how PostgreSQL runs a statement.
func planOf(t *testing.T, db *sql.DB, i int, text string) (string, error) {
	t.Helper()
	name := fmt.Sprintf("statement_%d", i)
	if _, err := db.ExecContext(t.Context(), `PREPARE `+name+` AS `+text); err != nil {
		return "", err
	}
	var n int
	const values = `SELECT cardinality(parameter_types) FROM pg_prepared_statements WHERE name = ?`
	if err := db.QueryRowContext(t.Context(), values, name).Scan(&n); err != nil {
		return "", err
	}
	run := `EXPLAIN EXECUTE ` + name
	if n > 0 {
		run += `(` + strings.TrimSuffix(strings.Repeat(`NULL, `, n), `, `) + `)`
	}
	rows, err := db.QueryContext(t.Context(), run)
	if err != nil {
		return "", err
	}
	defer rows.Close()
	var plan strings.Builder
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			return "", err
		}
		plan.WriteString(line + "\n")
	}
	return plan.String(), rows.Err()
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
