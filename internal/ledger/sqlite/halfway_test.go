package sqlite

import (
	"log/slog"
	"testing"

	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"

	"github.com/savepage/savepage/internal/ledger"
)

// TestStartIsKilled opens databases that a program left which was killed after each step of making the queue's tables.
func TestStartIsKilled(t *testing.T) {
	t.Parallel()
	log := slog.New(slog.DiscardHandler)
	for version := 1; ; version++ {
		dir := t.TempDir()
		db, err := openWriter(dir)
		if err != nil {
			t.Fatal(err)
		}
		queue, err := rivermigrate.New(riversqlite.New(db), &rivermigrate.Config{Logger: log})
		if err != nil {
			t.Fatal(err)
		}
		if version > len(queue.AllVersions()) {
			_ = db.Close()
			return
		}
		if _, err := queue.Migrate(t.Context(), rivermigrate.DirectionUp, &rivermigrate.MigrateOpts{TargetVersion: version}); err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		openInside(t, dir, ledger.Config{})
	}
}
