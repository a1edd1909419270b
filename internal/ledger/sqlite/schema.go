package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"

	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/rivermigrate"
)

// schema is the versions of the tables: ours, and those of River's queue.
type schema struct{ records, queue int64 }

// errSchema says that a database was written by another version of the program, so that this one cannot use it.
var errSchema = errors.New("the database belongs to another version of SavePage")

// readSchema returns the versions of a database; those of an empty one are 0.
func readSchema(ctx context.Context, db *sql.DB) (s schema, err error) {
	for _, one := range []struct {
		table, query string
		into         *int64
	}{
		{"goose_db_version", `SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied`, &s.records},
		{"river_migration", `SELECT coalesce(max(version), 0) FROM river_migration WHERE line = 'main'`, &s.queue},
	} {
		var exists bool
		const there = `SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?)`
		if err := db.QueryRowContext(ctx, there, one.table).Scan(&exists); err != nil {
			return s, fmt.Errorf("read the version of the database: %w", err)
		}
		if !exists {
			continue
		}
		if err := db.QueryRowContext(ctx, one.query).Scan(one.into); err != nil {
			return s, fmt.Errorf("read the version of the database: %w", err)
		}
	}
	return s, nil
}

// knownSchema is the versions that this program writes.
func knownSchema(ours *goose.Provider, queue *rivermigrate.Migrator[*sql.Tx]) schema {
	var s schema
	for _, source := range ours.ListSources() {
		s.records = max(s.records, source.Version)
	}
	for _, one := range queue.AllVersions() {
		s.queue = max(s.queue, int64(one.Version))
	}
	return s
}

// notNewer refuses a database that a newer version of the program has written: what this one would write into it could be
// wrong there.
func notNewer(have, known schema) error {
	if have.records <= known.records && have.queue <= known.queue {
		return nil
	}
	return fmt.Errorf("%w: its tables have version %d (queue %d), and this program knows versions up to %d (queue %d). "+
		"Run the newer version that has written it, or restore a backup that was made before (savepage restore)",
		errSchema, have.records, have.queue, known.records, known.queue)
}

// sameSchema refuses a database that a server of another version serves.
func sameSchema(have, known schema) error {
	if have == known {
		return nil
	}
	return fmt.Errorf("%w: its tables have version %d (queue %d), and this program needs version %d (queue %d). "+
		"A server is using it: run the command of the server's version, or start the server with this one",
		errSchema, have.records, have.queue, known.records, known.queue)
}

// schemas returns the versions of a database and those that this program knows.
func schemas(ctx context.Context, db *sql.DB) (have, known schema, err error) {
	m, err := newMigrations(db, slog.New(slog.DiscardHandler))
	if err != nil {
		return have, known, err
	}
	have, err = readSchema(ctx, db)
	return have, knownSchema(m.records, m.queue), err
}

// checkNewer is notNewer of a database that is open.
func checkNewer(ctx context.Context, db *sql.DB) error {
	have, known, err := schemas(ctx, db)
	if err != nil {
		return err
	}
	return notNewer(have, known)
}

// checkServed is sameSchema of a database that a server has open.
func checkServed(ctx context.Context, db *sql.DB) error {
	have, known, err := schemas(ctx, db)
	if err != nil || have.records == 0 || have.queue == 0 { // the server is making it
		return err
	}
	return sameSchema(have, known)
}
