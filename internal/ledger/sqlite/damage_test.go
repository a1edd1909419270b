package sqlite_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/savepage/savepage/internal/clock"
	"github.com/savepage/savepage/internal/health"
	"github.com/savepage/savepage/internal/ledger"
	"github.com/savepage/savepage/internal/ledger/sqlite"
)

// fill writes eight megabytes into a table of their own, at the end of the file.
const fill = `CREATE TABLE filling AS WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
	SELECT i, zeroblob(4000) AS bytes FROM n`

// statements runs them on the database of the folder, on a connection beside its ledger.
func statements(t *testing.T, dir string, list ...string) {
	t.Helper()
	db := raw(t, dir)
	for _, one := range list {
		_, err := db.ExecContext(t.Context(), one)
		check(t, err)
	}
	check(t, db.Close())
}

func number(t *testing.T, dir, query string) int {
	t.Helper()
	db := raw(t, dir)
	defer func() { check(t, db.Close()) }()
	var n int
	check(t, db.QueryRowContext(t.Context(), query).Scan(&n))
	return n
}

func fileSize(t *testing.T, dir string) int64 {
	t.Helper()
	info, err := os.Stat(filepath.Join(dir, "savepage.db"))
	check(t, err)
	return info.Size()
}

// wantRemedy fails the test unless the error names the file and what to do.
func wantRemedy(t *testing.T, dir string, err error) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), filepath.Join(dir, "savepage.db")+" is damaged") ||
		!strings.Contains(err.Error(), "savepage restore") {
		t.Errorf("the error is %v: want the file and the remedy", err)
	}
}

// TestDamageIsFound changes pages that no statement of the start reads.
func TestDamageIsFound(t *testing.T) {
	t.Parallel()
	for name, checker := range map[string][]string{
		"by the server": nil, "by a process of its own": {os.Args[0], asChecker}, "where no other process starts": {"/nowhere/at/all"},
		"where the other process fails": {"/bin/false"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := damaged(t)
			if seen := sqlite.At(dir).Inspect(t.Context()); !strings.Contains(seen.Found, "is damaged") || seen.Fix == "" {
				t.Errorf("inspected: %+v", seen)
			}
			l := open(t, dir, ledger.Config{Checker: checker})
			sqlite.AwaitTrue(t, "the damage is found", func() bool { return l.Ready(t.Context()) != nil })
			wantRemedy(t, dir, l.Ready(t.Context()))
			_, err := l.Accept(t.Context(), benchSubmission("acc_none", time.Now()))
			wantRemedy(t, dir, err)
			if _, ours := health.Find(err); !ours {
				t.Errorf("a submission to a damaged database: %v, want a fault of the service", err)
			}
		})
	}
}

// damaged is a folder with a database in which pages are not what SQLite wrote.
func damaged(t *testing.T) string {
	t.Helper()
	dir := sqlite.NewFolder(t)
	statements(t, dir, fill, `PRAGMA wal_checkpoint(TRUNCATE)`)
	name := filepath.Join(dir, "savepage.db")
	content, err := os.ReadFile(name)
	check(t, err)
	for i := len(content) - 400_000; i < len(content); i++ {
		content[i] ^= 0xa5
	}
	check(t, os.WriteFile(name, content, 0o600))
	return dir
}

// TestNoDatabaseIsNamed has a file that is none.
func TestNoDatabaseIsNamed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db := sqlite.At(dir)
	check(t, os.WriteFile(filepath.Join(dir, "savepage.db"), []byte(strings.Repeat("no database ", 1000)), 0o600))
	_, err := db.Open(t.Context(), ledger.Config{}, logger(t))
	wantRemedy(t, dir, err)
	_, err = db.OpenKeys(t.Context(), ledger.Vault{}, clock.System())
	wantRemedy(t, dir, err)
	_, err = db.Snapshot(t.Context(), filepath.Join(t.TempDir(), "copy"))
	wantRemedy(t, dir, err)
	wantRemedy(t, dir, db.Migrate(t.Context(), logger(t)))
	wantRemedy(t, dir, db.Compact(t.Context()))
}

// TestFreeSpaceIsGivenBack removes most of what is in a database under a running ledger.
func TestFreeSpaceIsGivenBack(t *testing.T) {
	t.Parallel()
	dir, now := sqlite.NewFolder(t), clock.Manual(time.Now())
	l := open(t, dir, ledger.Config{Clock: now})
	statements(t, dir, fill)
	full := number(t, dir, `PRAGMA page_count`)
	statements(t, dir, `DELETE FROM filling`)
	sqlite.AwaitTrue(t, "the file is short", func() bool {
		now.Advance(time.Second)
		return number(t, dir, `PRAGMA page_count`) < full/4
	})
	check(t, l.Ready(t.Context()))
	sqlite.AwaitTrue(t, "the file is short on the disk", func() bool {
		statements(t, dir, `PRAGMA wal_checkpoint(TRUNCATE)`)
		return fileSize(t, dir) < 3<<20
	})
}

// TestCompact makes a file short that an earlier version made, and lets it give back space from then on.
func TestCompact(t *testing.T) {
	t.Parallel()
	dir := sqlite.NewFolder(t)
	statements(t, dir, `PRAGMA auto_vacuum = NONE; VACUUM`, fill, `DELETE FROM filling`, `PRAGMA wal_checkpoint(TRUNCATE)`)
	if mode, size := number(t, dir, `PRAGMA auto_vacuum`), fileSize(t, dir); mode != 0 || size < 8<<20 {
		t.Fatalf("mode %d, %d bytes: want a database of an earlier version", mode, size)
	}
	check(t, sqlite.At(dir).Compact(t.Context()))
	if mode, size := number(t, dir, `PRAGMA auto_vacuum`), fileSize(t, dir); mode != 2 || size > 1<<20 {
		t.Errorf("mode %d, %d bytes after compacting", mode, size)
	}
	l := open(t, dir, ledger.Config{})
	if err := sqlite.At(dir).Compact(t.Context()); err == nil || !strings.Contains(err.Error(), "another savepage") {
		t.Errorf("compacted while it is served: %v", err)
	}
	check(t, l.Ready(t.Context()))
}
