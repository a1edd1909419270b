package records

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"log/slog"

	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/rivermigrate"
)

// dueIndex serves the search for jobs whose time has come: without it that search reads all that wait. It is made at every
// start because a migration of River may rebuild its table.
const dueIndex = `CREATE INDEX IF NOT EXISTS savepage_job_due ON river_job (scheduled_at) WHERE state = 'pending'`

// Tables are the migrations of a kind of database: those of the records, and River's own.
type Tables struct {
	Dialect goose.Dialect
	Records fs.FS                                     // migrations
	Queue   func(*sql.DB) riverdriver.Driver[*sql.Tx] // River's driver
	Exists  string                                    // a query: whether there is a table, by its name
}

// migrations are those of one database.
type migrations struct {
	db      *sql.DB
	exists  string
	records *goose.Provider
	queue   *rivermigrate.Migrator[*sql.Tx]
}

func (t Tables) of(db *sql.DB, log *slog.Logger) (migrations, error) {
	// Versions before 0.1.0 may lack a migration in the middle: each stands alone, so it is made up for.
	records, err := goose.NewProvider(t.Dialect, db, t.Records, goose.WithDisableGlobalRegistry(true), goose.WithAllowOutofOrder(true))
	if err != nil {
		return migrations{}, fmt.Errorf("read migrations: %w", err)
	}
	queue, err := rivermigrate.New(t.Queue(db), &rivermigrate.Config{Logger: quiet(log)})
	if err != nil {
		return migrations{}, fmt.Errorf("read migrations of the queue: %w", err)
	}
	return migrations{db, t.Exists, records, queue}, nil
}

// Migrate brings our tables and River's to the versions that this program knows. A database of a newer version is refused
// as it is: ErrSchema. Nobody may migrate it beside. It returns the version that our tables have then.
func (t Tables) Migrate(ctx context.Context, db *sql.DB, log *slog.Logger) (version int64, err error) {
	m, err := t.of(db, log)
	if err != nil {
		return 0, err
	}
	have, err := m.have(ctx)
	if err != nil {
		return 0, err
	}
	known := m.known()
	if err := notNewer(have, known); err != nil {
		return 0, err
	}
	// The queue first: migrations of the records bring its rows up to date.
	if _, err := m.queue.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return 0, fmt.Errorf("migrate queue: %w", err)
	}
	if _, err := m.records.Up(ctx); err != nil {
		return 0, fmt.Errorf("migrate records: %w", err)
	}
	if _, err := db.ExecContext(ctx, dueIndex); err != nil {
		return 0, fmt.Errorf("index queue: %w", err)
	}
	return known.records, nil
}
