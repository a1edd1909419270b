package sqlite

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// openOne opens a database through one connection, with a table of the numbers from 1 to 9.
func openOne(t *testing.T) *sql.DB {
	t.Helper()
	file := filepath.Join(t.TempDir(), "one.db")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := connect(file, "journal_mode(WAL)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	db.SetMaxOpenConns(1)
	mustExec(t, db, "CREATE TABLE numbers (n INTEGER PRIMARY KEY); INSERT INTO numbers VALUES (1),(2),(3),(4),(5),(6),(7),(8),(9)")
	return db
}

func mustExec(t *testing.T, db *sql.DB, query string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), query, args...); err != nil {
		t.Fatal(err)
	}
}

func numbersFrom(t *testing.T, db *sql.DB, from int) (n int) {
	t.Helper()
	if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM numbers WHERE n >= ?", from).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// kept tells how many statements the one connection keeps.
func kept(t *testing.T, db *sql.DB) (n int) {
	t.Helper()
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	err = conn.Raw(func(raw any) error {
		one, is := raw.(*keepingConn)
		if !is {
			return fmt.Errorf("the connection is a %T", raw)
		}
		n = len(one.idle)
		return nil
	})
	if err = errors.Join(err, conn.Close()); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestStatementsAreKept(t *testing.T) {
	t.Parallel()
	db := openOne(t)
	for from := 1; from <= 9; from++ {
		if n := numbersFrom(t, db, from); n != 10-from {
			t.Errorf("%d numbers from %d", n, from)
		}
	}
	if n := kept(t, db); n != 2 { // the script and the count
		t.Errorf("%d statements are kept", n)
	}
}

// eachNumber calls do for each row of a query.
func eachNumber(t *testing.T, tx *sql.Tx, query string, above int, do func()) {
	t.Helper()
	rows, err := tx.QueryContext(t.Context(), query, above)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			t.Error(err)
		}
	}()
	for rows.Next() {
		do()
	}
}

func TestStatementInUseIsNotSharedWithAnother(t *testing.T) {
	t.Parallel()
	db := openOne(t)
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	const query = "SELECT n FROM numbers WHERE n > ? ORDER BY n"
	var pairs int
	eachNumber(t, tx, query, 7, func() {
		eachNumber(t, tx, query, 6, func() { pairs++ })
	})
	if pairs != 2*3 {
		t.Errorf("%d pairs", pairs)
	}
	if err := tx.Commit(); err != nil {
		t.Error(err)
	}
}

func TestStatementSurvivesFaultsAndChanges(t *testing.T) {
	t.Parallel()
	db := openOne(t)
	const insert = "INSERT INTO numbers (n) VALUES (?)"
	mustExec(t, db, insert, 10)
	if _, err := db.ExecContext(t.Context(), insert, 10); err == nil {
		t.Error("the same number went in twice")
	}
	mustExec(t, db, insert, 11)
	mustExec(t, db, "ALTER TABLE numbers ADD COLUMN name TEXT")
	mustExec(t, db, insert, 12)
	if n := numbersFrom(t, db, 1); n != 12 {
		t.Errorf("%d numbers", n)
	}
	// More texts than are kept, twice.
	for i := range 2 * (keptStatements + 10) {
		var n int
		query := fmt.Sprintf("SELECT %d", i%(keptStatements+10))
		if err := db.QueryRowContext(t.Context(), query).Scan(&n); err != nil || n != i%(keptStatements+10) {
			t.Fatalf("%s: %d, %v", query, n, err)
		}
	}
	if n := kept(t, db); n > keptStatements {
		t.Errorf("%d statements are kept", n)
	}
	if n := numbersFrom(t, db, 12); n != 1 {
		t.Errorf("%d numbers from 12", n)
	}
}
