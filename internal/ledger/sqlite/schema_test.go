package sqlite

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/clock"
	"github.com/savepage/savepage/internal/ledger"
	"github.com/savepage/savepage/internal/ledger/records"
)

// oldDatabases returns the databases that earlier versions left, by the commits of the versions.
func oldDatabases(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("testdata/schemas/*.sql")
	if err != nil || len(files) < 5 {
		t.Fatalf("%d databases of earlier versions, %v", len(files), err)
	}
	found := map[string]string{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		found[strings.TrimSuffix(filepath.Base(file), ".sql")] = string(text)
	}
	return found
}

// TestDatabasesOfEarlierVersions opens what each version left, one with a migration missing in the middle: what was accepted
// is rendered, what was owed is delivered, and what had ended is there.
func TestDatabasesOfEarlierVersions(t *testing.T) {
	t.Parallel()
	for commit, text := range oldDatabases(t) {
		t.Run(commit, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			fill(t, dir, text)
			l := openInside(t, dir, ledger.Config{})
			work(t, l)
			account := first(t, l, `SELECT id FROM accounts`)
			ended := untilEnded(t, l, account)
			states := map[string]savepage.State{}
			for _, c := range ended {
				states[c.Options.URL] = c.State
			}
			if len(states) < 2 || states["https://example.com/"] != savepage.Success || states["https://example.com/two"] != savepage.Success {
				t.Errorf("captures %v", states)
			}
			d := untilDelivered(t, l, account)
			if len(d.Attempts) != 2 || d.Receiver != "127.0.0.1:9999" || d.Attempts[0].Status != 500 {
				t.Errorf("%+v", d)
			}
		})
	}
}

// TestWaitingJobsKeepTheirTurn opens what a version left that had all waiting jobs in one queue.
func TestWaitingJobsKeepTheirTurn(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	fill(t, dir, oldDatabases(t)["972bf89"])
	l := openInside(t, dir, ledger.Config{})
	want := first(t, l, `SELECT id FROM accounts`) + " available 1970-01-01 00:00:00.050"
	if got := first(t, l, `SELECT queue || ' ' || state || ' ' || CAST(scheduled_at AS TEXT) FROM river_job`); got != want {
		t.Errorf("the job is %s, want %s", got, want)
	}
}

func fill(t *testing.T, dir, text string) {
	t.Helper()
	db, err := openWriter(dir)
	if err == nil {
		_, err = db.ExecContext(t.Context(), text)
		err = errors.Join(err, db.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
}

// work renders and delivers until the test ends.
func work(t *testing.T, l *Ledger) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- l.Work(ctx, ledger.Handlers{
			Render: func(ctx context.Context, c capture.Claim) error {
				return l.Finish(ctx, c, capture.Outcome{State: savepage.Success, FinishedAt: time.Now()})
			},
			Deliver: func(context.Context, savepage.Delivery, []string) savepage.Verdict {
				return savepage.Verdict{
					State: savepage.Delivered, Attempt: savepage.Attempt{At: time.Now(), Outcome: savepage.AttemptDelivered, Status: 200},
				}
			},
		})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func first(t *testing.T, l *Ledger, query string) (text string) {
	t.Helper()
	if err := l.folder.read.QueryRowContext(t.Context(), query).Scan(&text); err != nil {
		t.Fatal(err)
	}
	return text
}

func untilEnded(t *testing.T, l *Ledger, account string) []savepage.Capture {
	t.Helper()
	list, _, err := l.List(t.Context(), account, capture.Filter{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range list {
		if list[i], err = l.Await(t.Context(), c.ID); err != nil {
			t.Fatal(err)
		}
	}
	return list
}

func untilDelivered(t *testing.T, l *Ledger, account string) savepage.Delivery {
	t.Helper()
	var d savepage.Delivery
	until(t, func() (done bool) {
		var err error
		d, err = l.Delivery(t.Context(), account, "msg_1")
		return err != nil || d.State == savepage.Delivered
	})
	return d
}

// until waits for a condition.
func until(t *testing.T, condition func() bool) {
	t.Helper()
	for now := clock.System(); !condition(); {
		if !now.Pause(t.Context(), 10*time.Millisecond) {
			t.Fatal(t.Context().Err())
		}
	}
}

func openInside(t *testing.T, dir string, cfg ledger.Config) *Ledger {
	t.Helper()
	l, err := open(context.WithoutCancel(t.Context()), dir, cfg, slog.New(slog.NewTextHandler(t.Output(), nil)))
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

// TestNewerDatabaseIsRefused opens a database whose tables are newer than the program, as server, for keys and to migrate,
// with and without a server beside.
func TestNewerDatabaseIsRefused(t *testing.T) {
	t.Parallel()
	for name, newer := range map[string]string{
		"records": `INSERT INTO goose_db_version (version_id, is_applied) VALUES (90000, 1)`,
		"queue":   `INSERT INTO river_migration (line, version) VALUES ('main', 90000)`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := NewFolder(t)
			l, err := open(t.Context(), dir, ledger.Config{}, slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := l.folder.write.ExecContext(t.Context(), newer); err != nil {
				t.Fatal(err)
			}
			wantNewer(t, "keys beside a server", openAsKeys(t, dir))
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			_, err = open(t.Context(), dir, ledger.Config{}, slog.New(slog.DiscardHandler))
			wantNewer(t, "a server", err)
			wantNewer(t, "keys", openAsKeys(t, dir))
			wantNewer(t, "migrate", At(dir).Migrate(t.Context(), slog.New(slog.DiscardHandler)))
			if found := At(dir).Inspect(t.Context()); !strings.Contains(found.Found, "90000") || found.Fix == "" {
				t.Errorf("doctor finds %+v", found)
			}
		})
	}
}

func openAsKeys(t *testing.T, dir string) error {
	t.Helper()
	keys, err := openKeys(t.Context(), dir, ledger.Vault{}, clock.System())
	if err == nil {
		err = keys.Close()
	}
	return err
}

func wantNewer(t *testing.T, who string, err error) {
	t.Helper()
	if !errors.Is(err, records.ErrSchema) || !strings.Contains(err.Error(), "90000") {
		t.Errorf("%s: %v", who, err)
	}
}
