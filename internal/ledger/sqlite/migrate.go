package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"log/slog"

	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riversqlite"

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
		Dialect: goose.DialectSQLite3, Records: ours,
		Queue:  func(db *sql.DB) riverdriver.Driver[*sql.Tx] { return riversqlite.New(db) },
		Exists: `SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?)`,
	}, nil
}

// migrate brings our tables and River's to the versions that this program knows. A database of a newer version is refused
// as it is. It returns the version that ours have then.
func migrate(ctx context.Context, db *sql.DB, log *slog.Logger) (version int64, err error) {
	t, err := tables()
	if err != nil {
		return 0, err
	}
	return t.Migrate(ctx, db, log)
}

// checkNewer returns records.ErrSchema for a database of a newer version of the program.
func checkNewer(ctx context.Context, db *sql.DB) error {
	t, err := tables()
	if err != nil {
		return err
	}
	versions, err := t.Schemas(ctx, db)
	if err != nil {
		return err
	}
	return versions.NotNewer()
}

// checkServed returns records.ErrSchema for a database that a server of another version has open.
func checkServed(ctx context.Context, db *sql.DB) error {
	t, err := tables()
	if err != nil {
		return err
	}
	return t.CheckServed(ctx, db)
}
