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

// tables are the migrations of a database.
type tables struct {
	records *goose.Provider
	queue   *rivermigrate.Migrator[*sql.Tx]
}

func newMigrations(db *sql.DB, log *slog.Logger) (tables, error) {
	ours, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return tables{}, fmt.Errorf("read migrations: %w", err)
	}
	// Versions before 0.1.0 may lack a migration in the middle: each stands alone, so it is made up for.
	records, err := goose.NewProvider(goose.DialectSQLite3, db, ours, goose.WithDisableGlobalRegistry(true), goose.WithAllowOutofOrder(true))
	if err != nil {
		return tables{}, fmt.Errorf("read migrations: %w", err)
	}
	queue, err := rivermigrate.New(riversqlite.New(db), &rivermigrate.Config{Logger: quiet(log)})
	if err != nil {
		return tables{}, fmt.Errorf("read migrations of the queue: %w", err)
	}
	return tables{records, queue}, nil
}

// migrate brings our tables and River's to the versions that this program knows. A database of a newer version is refused
// as it is.
func migrate(ctx context.Context, db *sql.DB, log *slog.Logger) error {
	m, err := newMigrations(db, log)
	if err != nil {
		return err
	}
	have, err := readSchema(ctx, db)
	if err != nil {
		return err
	}
	if err := notNewer(have, knownSchema(m.records, m.queue)); err != nil {
		return err
	}
	if _, err := m.records.Up(ctx); err != nil {
		return fmt.Errorf("migrate records: %w", err)
	}
	if _, err := m.queue.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return fmt.Errorf("migrate queue: %w", err)
	}
	for _, index := range []string{dueIndex, turnIndex} {
		if _, err := db.ExecContext(ctx, index); err != nil {
			return fmt.Errorf("index queue: %w", err)
		}
	}
	return nil
}
