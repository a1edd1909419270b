package postgres

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"

	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"

	"github.com/savepage/savepage/internal/ledger"
	"github.com/savepage/savepage/internal/ledger/records"
)

//go:embed migrations/*.sql
var migrations embed.FS

// schema is the tables as one version of the program knows them.
type schema struct {
	migrations fs.FS
	// oldest is the first version of the tables whose programs may serve the database beside a program of this version, and begin to.
	oldest int64
}

// oldest is that of this program. A migration that takes away, or makes stricter, what programs of earlier versions use raises it
// to its own version: see ARCHITECTURE.md.
const oldest = 4

// current is the schema of this program.
func current() schema { return schema{migrations, oldest} }

// tables are the migrations of a database.
func (s schema) tables() (records.Tables, error) {
	ours, err := fs.Sub(s.migrations, "migrations")
	if err != nil {
		return records.Tables{}, fmt.Errorf("read migrations: %w", err)
	}
	return records.Tables{
		Dialect: goose.DialectPostgres, Records: ours,
		Queue:  func(db *sql.DB) riverdriver.Driver[*sql.Tx] { return riverdatabasesql.New(db) },
		Exists: `SELECT to_regclass(?) IS NOT NULL`,
	}, nil
}

// has reports whether there is a table, and a column of it where one is named.
func has(ctx context.Context, db *sql.DB, table, column string) (there bool, err error) {
	const query = `SELECT EXISTS (SELECT 1 FROM pg_attribute
		WHERE attrelid = to_regclass($1) AND NOT attisdropped AND CAST($2 AS text) IN ('', attname))`
	if err = db.QueryRowContext(ctx, query, table, column).Scan(&there); err != nil {
		return false, fmt.Errorf("look at the tables: %w", err)
	}
	return there, nil
}

// served returns how many nodes serve a database that has had some, and the version of the tables that the oldest of them knows.
func served(ctx context.Context, db *sql.DB) (nodes int, knows int64, err error) {
	query := `SELECT count(*), coalesce(min(tables), 0) FROM nodes WHERE ended IS NULL
		AND seen > CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint) - $1`
	there, err := has(ctx, db, "nodes", "tables")
	if err == nil && !there { // before they said what they know
		query = strings.Replace(query, "min(tables)", "4", 1)
		there, err = has(ctx, db, "nodes", "")
	}
	if err != nil || !there {
		return 0, 0, err
	}
	err = db.QueryRowContext(ctx, query, records.NodeLife.Microseconds()).Scan(&nodes, &knows)
	return nodes, knows, err
}

// notNewer returns records.ErrSchema when a newer version of the program has written the tables and this one may not use them.
func (s schema) notNewer(ctx context.Context, db *sql.DB, v records.Schemas) error {
	refused := v.NotNewer()
	if refused == nil || !v.SameQueue() {
		return refused
	}
	there, err := has(ctx, db, "writer", "oldest")
	if err != nil || !there {
		return errors.Join(refused, err)
	}
	var first int64
	if err := db.QueryRowContext(ctx, `SELECT oldest FROM writer`).Scan(&first); err != nil {
		return fmt.Errorf("read who may use the tables: %w", err)
	}
	if v.Known() >= first {
		return nil
	}
	return refused
}

// check returns why a program of this version may not use the database.
func (s schema) check(ctx context.Context, db *sql.DB) error {
	t, err := s.tables()
	if err != nil {
		return err
	}
	v, err := t.Schemas(ctx, db)
	if err != nil {
		return err
	}
	return errors.Join(s.notNewer(ctx, db, v), notFilled(ctx, db))
}

// mayMigrate returns why the tables must stay as they are: nodes use them that would not work with those of this version.
func (s schema) mayMigrate(ctx context.Context, db *sql.DB, v records.Schemas) error {
	nodes, knows, err := served(ctx, db)
	if err != nil || nodes == 0 || v.Have() == v.Known() && v.SameQueue() || knows >= s.oldest && v.SameQueue() {
		return err
	}
	return fmt.Errorf("%w, with the tables of an older version that does not work with those of this one: stop its nodes (savepage nodes "+
		"lists them) and start again", ledger.ErrServed)
}

// locked runs fn while nobody else brings the tables up to date.
func locked(ctx context.Context, db *sql.DB, fn func() error) error {
	lock, err := db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("lock the tables: %w", err)
	}
	if _, err := lock.ExecContext(ctx, `SELECT pg_advisory_lock($1)`, lockMigrate); err != nil {
		return errors.Join(fmt.Errorf("lock the tables: %w", err), lock.Close())
	}
	err = fn()
	_, unlocked := lock.ExecContext(context.WithoutCancel(ctx), `SELECT pg_advisory_unlock($1)`, lockMigrate)
	return errors.Join(err, unlocked, lock.Close())
}

// lockMigrate is the advisory lock of who brings a database up to date.
const lockMigrate = 0x7361766570616766

// migrate brings our tables and River's to the versions that this program knows, forward only, and returns the version that it
// knows. One who migrates beside waits. Nodes of an older version go on if they work with the tables of this one, and else it
// refuses. A database of a newer version stays as it is: it is used, or refused.
func (s schema) migrate(ctx context.Context, db *sql.DB, log *slog.Logger) (version int64, err error) {
	err = locked(ctx, db, func() error {
		if version, err = s.bringUp(ctx, db, log); err != nil {
			return err
		}
		return notFilled(ctx, db)
	})
	return version, err
}

// bringUp is migrate for who has the lock.
func (s schema) bringUp(ctx context.Context, db *sql.DB, log *slog.Logger) (version int64, err error) {
	t, err := s.tables()
	if err != nil {
		return 0, err
	}
	v, err := t.Schemas(ctx, db)
	if err == nil {
		err = s.notNewer(ctx, db, v)
	}
	if err != nil || v.Have() > v.Known() {
		return v.Known(), err
	}
	if err := s.mayMigrate(ctx, db, v); err != nil {
		return 0, err
	}
	if version, err = t.Migrate(ctx, db, log); err != nil {
		return 0, err
	}
	if _, err := db.ExecContext(ctx, `UPDATE writer SET oldest = $1 WHERE oldest < $1`, s.oldest); err != nil {
		return 0, fmt.Errorf("note who may use the tables: %w", err)
	}
	return version, nil
}
