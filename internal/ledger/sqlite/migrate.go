package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"log/slog"

	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
)

//go:embed migrations/*.sql
var migrations embed.FS

// dueIndex serves the search for jobs whose time has come: without it that search reads all that wait. It is made at every
// start because a migration of River may rebuild its table.
const dueIndex = `CREATE INDEX IF NOT EXISTS savepage_job_due ON river_job (scheduled_at) WHERE state = 'pending'`

// migrate brings our tables and River's to the versions that this program knows.
func migrate(ctx context.Context, db *sql.DB, log *slog.Logger) error {
	ours, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, ours, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate records: %w", err)
	}
	rivers, err := rivermigrate.New(riversqlite.New(db), &rivermigrate.Config{Logger: quiet(log)})
	if err != nil {
		return fmt.Errorf("read migrations of the queue: %w", err)
	}
	if _, err := rivers.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return fmt.Errorf("migrate queue: %w", err)
	}
	for _, index := range []string{dueIndex, turnIndex} {
		if _, err := db.ExecContext(ctx, index); err != nil {
			return fmt.Errorf("index queue: %w", err)
		}
	}
	return nil
}
