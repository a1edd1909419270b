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

	"github.com/savepage/savepage/internal/ledger"
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

// lockMigrate is the advisory lock of who brings a database up to date.
const lockMigrate = 0x7361766570616766

// isServed reports whether nodes serve a database that is up to date.
func isServed(ctx context.Context, db *sql.DB) (served bool, err error) {
	const query = `SELECT EXISTS (SELECT 1 FROM nodes WHERE ended IS NULL
		AND seen > CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint) - $1)`
	err = db.QueryRowContext(ctx, query, records.NodeLife.Microseconds()).Scan(&served)
	return served, err
}

// mayMigrate returns why the tables must stay as they are: a newer version of the program has written them, or nodes of an
// older one use them.
func mayMigrate(ctx context.Context, t records.Tables, db *sql.DB) error {
	if err := t.CheckNewer(ctx, db); err != nil {
		return err
	}
	if older := t.CheckServed(ctx, db); !errors.Is(older, records.ErrSchema) {
		return older
	}
	var known, served bool // a database of before there were nodes
	err := db.QueryRowContext(ctx, `SELECT to_regclass('nodes') IS NOT NULL`).Scan(&known)
	if err == nil && known {
		served, err = isServed(ctx, db)
	}
	if err == nil && served {
		return fmt.Errorf("%w, with the tables of an older version: stop its nodes (savepage nodes lists them) and start again", ledger.ErrServed)
	}
	return err
}

// migrate brings our tables and River's to the versions that this program knows. One who migrates beside waits. A database of
// a newer version is refused as it is, and so is one of an older version that nodes serve.
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
	if err = mayMigrate(ctx, t, db); err == nil {
		err = t.Migrate(ctx, db, log)
	}
	_, unlocked := lock.ExecContext(context.WithoutCancel(ctx), `SELECT pg_advisory_unlock($1)`, lockMigrate)
	return errors.Join(err, unlocked, lock.Close())
}
