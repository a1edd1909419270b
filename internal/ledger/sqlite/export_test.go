package sqlite

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

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
