package sqlite

import (
	"database/sql"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/savepage/savepage/internal/clock"
)

// checkedBy is a folder whose database is checked by a script, which gets the folder as $1.
func checkedBy(t *testing.T, script string) *folder {
	t.Helper()
	f := &folder{
		dir: NewFolder(t), clock: clock.Manual(time.Now()), log: slog.New(slog.NewTextHandler(t.Output(), nil)),
		checker: []string{"/bin/sh", "-c", script, "checker"},
	}
	var err error
	if f.read, err = openReaders(f.dir); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.read.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

// TestCheckRests has a check that would use a whole processor: it is stopped and goes on in turns, until it ends.
func TestCheckRests(t *testing.T) {
	t.Parallel()
	f := checkedBy(t, `echo $$ > "$1/new"; mv "$1/new" "$1/pid"; while [ ! -e "$1/go" ]; do :; done`)
	done := make(chan error, 1)
	go func() { done <- f.checkInTime(t.Context(), longestLog) }()
	stopped := func() bool {
		pid, err := os.ReadFile(filepath.Join(f.dir, "pid"))
		if err != nil {
			return false
		}
		status, err := os.ReadFile(filepath.Join("/proc", strings.TrimSpace(string(pid)), "status"))
		if err != nil {
			t.Errorf("the check has ended: %v", err)
			return true
		}
		return strings.Contains(string(status), "\nState:\tT")
	}
	for range 3 {
		AwaitTrue(t, "the check rests", stopped)
		AwaitTrue(t, "the check goes on", func() bool { return !stopped() })
	}
	if err := os.WriteFile(filepath.Join(f.dir, "go"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestCheckIsPutOff has so much written while the file is read that the log is too long: the check ends, what gathered in the log
// is copied into the file, and the check comes again.
func TestCheckIsPutOff(t *testing.T) {
	t.Parallel()
	f := checkedBy(t, `if [ -e "$1/again" ]; then exit 0; fi; : > "$1/again"; while :; do :; done`)
	db, err := sql.Open("sqlite", "file:"+filepath.Join(f.dir, fileDatabase)+"?_pragma=busy_timeout(10000)&_pragma=wal_autocheckpoint(0)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	const filling = `CREATE TABLE filling AS WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
		SELECT i, zeroblob(4000) AS bytes FROM n`
	if _, err := db.ExecContext(t.Context(), filling); err != nil {
		t.Fatal(err)
	}
	size := func() int64 {
		info, err := os.Stat(filepath.Join(f.dir, fileDatabase))
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	if size() > 4_000_000 {
		t.Fatal("what was written is in the file already")
	}
	done := make(chan error, 1)
	go func() { done <- f.checkInTime(t.Context(), 1<<20) }()
	AwaitTrue(t, "what is in the log is copied", func() bool { return size() > 4_000_000 })
	for ended := false; !ended; {
		f.clock.Advance(checkAgain)
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
			ended = true
		case <-time.After(time.Millisecond):
		}
	}
}
