package sqlite

import (
	"database/sql"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riversqlite"

	"github.com/savepage/savepage/internal/ledger/records"
)

// TestInsertionKeepsFewTexts inserts every number of rows up to 300: all are there, and their statements are of nine texts.
func TestInsertionKeepsFewTexts(t *testing.T) {
	t.Parallel()
	db := openOne(t)
	mustExec(t, db, `CREATE TABLE pairs (a INTEGER, b TEXT)`)
	before := kept(t, db)
	rows := records.Insertion{Head: `INSERT INTO pairs (a, b) VALUES `, Row: `(?,?)`, Width: 2}
	var values []any
	for n := range 300 {
		err := records.Writer{DB: db}.InTx(t.Context(), func(tx *sql.Tx) error { return rows.Exec(t.Context(), tx, values) })
		if err != nil {
			t.Fatal(err)
		}
		values = append(values, n, strconv.Itoa(n))
	}
	if more := kept(t, db) - before; more != 9 { // 1, 2, 4 … 256
		t.Errorf("%d more statements are kept", more)
	}
	var sum, right int
	if err := db.QueryRowContext(t.Context(), `SELECT count(*), sum(b = CAST(a AS TEXT)) FROM pairs`).Scan(&sum, &right); err != nil {
		t.Fatal(err)
	}
	if want := 299 * 300 / 2; sum != want || right != want {
		t.Errorf("%d rows, %d of them right, want %d", sum, right, want)
	}
}

// TestJobsAreInsertedAsByRiver inserts the same jobs by River and as rows, and some that are there already: the rows are equal.
func TestJobsAreInsertedAsByRiver(t *testing.T) {
	t.Parallel()
	at := time.Date(2040, 1, 2, 3, 4, 5, 678_901_234, time.FixedZone("east", 3600))
	var jobs []*riverdriver.JobInsertFastParams
	for i := range 11 {
		job := &riverdriver.JobInsertFastParams{
			EncodedArgs: fmt.Appendf(nil, `{"id":"cap_%d","turn":%[1]d}`, i), Kind: "capture", MaxAttempts: 25, Metadata: []byte("{}"), Priority: 1,
			Queue: "acc", ScheduledAt: &at, CreatedAt: &at, State: "available", Tags: []string{}, UniqueKey: fmt.Appendf(nil, "cap_%d", i),
			UniqueStates: 241,
		}
		if i == 5 {
			job.Tags = []string{"which"} // only River inserts this one
		}
		jobs = append(jobs, job)
	}
	insert := func(of riverdriver.Driver[*sql.Tx], db *sql.DB, jobs []*riverdriver.JobInsertFastParams) {
		t.Helper()
		err := records.Writer{DB: db}.InTx(t.Context(), func(tx *sql.Tx) error {
			_, err := of.UnwrapExecutor(tx).JobInsertFastManyNoReturning(t.Context(), &riverdriver.JobInsertFastManyParams{Jobs: jobs})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	rowsOf := func(driver func(db *sql.DB) riverdriver.Driver[*sql.Tx]) (rows []string) {
		t.Helper()
		db, err := openWriter(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if _, err := migrate(t.Context(), db, slog.New(slog.DiscardHandler)); err != nil {
			t.Fatal(err)
		}
		for _, some := range [][]*riverdriver.JobInsertFastParams{jobs[:3], jobs, jobs[8:]} {
			insert(driver(db), db, some)
		}
		const query = `SELECT json_array(json(args), hex(args), attempt, attempted_at, attempted_by, created_at, errors, finalized_at, kind,
			max_attempts, hex(metadata), priority, queue, state, scheduled_at, hex(tags), hex(unique_key), unique_states, typeof(scheduled_at))
			FROM river_job ORDER BY unique_key`
		found, err := db.QueryContext(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		defer found.Close()
		for found.Next() {
			var row string
			if err := found.Scan(&row); err != nil {
				t.Fatal(err)
			}
			rows = append(rows, row)
		}
		if err := found.Err(); err != nil {
			t.Fatal(err)
		}
		return rows
	}
	want := rowsOf(func(db *sql.DB) riverdriver.Driver[*sql.Tx] { return riversqlite.New(db) })
	got := rowsOf(func(db *sql.DB) riverdriver.Driver[*sql.Tx] { return queueDriver{riversqlite.New(db)} })
	if len(got) != len(jobs) || !slices.Equal(want, got) {
		t.Errorf("River's rows are\n%q\nand these are\n%q", want, got)
	}
}
