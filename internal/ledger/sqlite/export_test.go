package sqlite

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// Patience is how long a test waits for what must come.
const Patience = 5 * time.Minute

// AwaitTrue looks every few milliseconds until the condition holds.
func AwaitTrue(t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick, late := time.NewTicker(5*time.Millisecond), time.After(Patience)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("not within %s: %s", Patience, what)
		}
	}
}

// template is an empty database that is up to date, migrated once for all tests.
var template = sync.OnceValues(func() (content []byte, err error) {
	dir, err := os.MkdirTemp("", "savepage-template-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := At(dir).Migrate(context.Background(), slog.New(slog.DiscardHandler)); err != nil {
		return nil, err
	}
	return os.ReadFile(filepath.Join(dir, fileDatabase))
})

// NewFolder makes a data folder whose database is empty and up to date, as after Migrate.
func NewFolder(tb testing.TB) string {
	tb.Helper()
	content, err := template()
	if err != nil {
		tb.Fatal(err)
	}
	dir := tb.TempDir()
	if err := os.WriteFile(filepath.Join(dir, fileDatabase), content, 0o600); err != nil {
		tb.Fatal(err)
	}
	return dir
}
