package postgres

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"

	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"

	"github.com/savepage/savepage/internal/ledger/records"
)

//go:embed migrations/*.sql
var migrations embed.FS

// tables are the migrations of a database.
func tables() (records.Tables, error) {
	ours, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return records.Tables{}, fmt.Errorf("read migrations: %w", err)
	}
	return records.Tables{
		Dialect: goose.DialectPostgres, Records: ours,
		Queue:  func(db *sql.DB) riverdriver.Driver[*sql.Tx] { return riverdatabasesql.New(db) },
		Exists: `SELECT to_regclass(?) IS NOT NULL`,
	}, nil
}

// migrate brings our tables and River's to the versions that this program knows. One who migrates beside waits. A database of
// a newer version is refused as it is.
func migrate(ctx context.Context, db *sql.DB, log *slog.Logger) error {
	t, err := tables()
	if err != nil {
		return err
	}
	lock, err := db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("lock the tables: %w", err)
	}
	if _, err := lock.ExecContext(ctx, `SELECT pg_advisory_lock($1)`, lockMigrate); err != nil {
		return errors.Join(fmt.Errorf("lock the tables: %w", err), lock.Close())
	}
	err = t.Migrate(ctx, db, log)
	_, unlocked := lock.ExecContext(context.WithoutCancel(ctx), `SELECT pg_advisory_unlock($1)`, lockMigrate)
	return errors.Join(err, unlocked, lock.Close())
}
