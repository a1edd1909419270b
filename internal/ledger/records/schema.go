package records

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
)

// schema is the versions of the tables: ours, and those of River's queue.
type schema struct{ records, queue int64 }

// ErrSchema says that a database was written by another version of the program, so that this one cannot use it.
var ErrSchema = errors.New("the database belongs to another version of SavePage")

// have returns the versions of the database; those of an empty one are 0.
func (m migrations) have(ctx context.Context) (s schema, err error) {
	for _, one := range []struct {
		table, query string
		into         *int64
	}{
		{"goose_db_version", `SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied`, &s.records},
		// The queue has one line of migrations, and its first versions have no column for it.
		{"river_migration", `SELECT coalesce(max(version), 0) FROM river_migration`, &s.queue},
	} {
		var exists bool
		if err := m.db.QueryRowContext(ctx, m.exists, one.table).Scan(&exists); err != nil {
			return s, fmt.Errorf("read the version of the database: %w", err)
		}
		if !exists {
			continue
		}
		if err := m.db.QueryRowContext(ctx, one.query).Scan(one.into); err != nil {
			return s, fmt.Errorf("read the version of the database: %w", err)
		}
	}
	return s, nil
}

// known is the versions that this program writes.
func (m migrations) known() schema {
	var s schema
	for _, source := range m.records.ListSources() {
		s.records = max(s.records, source.Version)
	}
	for _, one := range m.queue.AllVersions() {
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
		ErrSchema, have.records, have.queue, known.records, known.queue)
}

// sameSchema refuses a database that a server of another version serves.
func sameSchema(have, known schema) error {
	if have == known {
		return nil
	}
	return fmt.Errorf("%w: its tables have version %d (queue %d), and this program needs version %d (queue %d). "+
		"A server is using it: run the command of the server's version, or start the server with this one",
		ErrSchema, have.records, have.queue, known.records, known.queue)
}

// Schemas are the versions of a database's tables, and those that this program knows.
type Schemas struct{ have, known schema }

// Have is the version of the records' tables in the database.
func (s Schemas) Have() int64 { return s.have.records }

// Known is the version of the records' tables that this program writes.
func (s Schemas) Known() int64 { return s.known.records }

// SameQueue reports whether the tables of the queue have the version that this program knows.
func (s Schemas) SameQueue() bool { return s.have.queue == s.known.queue }

// NotNewer returns ErrSchema when a newer version of the program has written the database.
func (s Schemas) NotNewer() error { return notNewer(s.have, s.known) }

// Schemas reads the versions of a database.
func (t Tables) Schemas(ctx context.Context, db *sql.DB) (s Schemas, err error) {
	m, err := t.of(db, slog.New(slog.DiscardHandler))
	if err != nil {
		return s, err
	}
	s.have, err = m.have(ctx)
	s.known = m.known()
	return s, err
}

// CheckServed returns ErrSchema for a database that a server of another version serves.
func (t Tables) CheckServed(ctx context.Context, db *sql.DB) error {
	s, err := t.Schemas(ctx, db)
	if err != nil || s.have.records == 0 || s.have.queue == 0 { // the server is making it
		return err
	}
	return sameSchema(s.have, s.known)
}
