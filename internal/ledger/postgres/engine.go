package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/savepage/savepage/internal/clock"
	"github.com/savepage/savepage/internal/ledger"
	"github.com/savepage/savepage/internal/ledger/records"
)

// form is what a setting looks like.
const form = "postgres://user:password@host:5432/database" //nolint:gosec // no password of anybody

// Engine is a database of a PostgreSQL server.
func Engine() ledger.Engine {
	return ledger.Engine{
		Form: form, Shared: true,
		Takes: func(setting string) bool {
			return strings.HasPrefix(setting, "postgres://") || strings.HasPrefix(setting, "postgresql://")
		},
		Check: func(setting string) error {
			_, err := parse(setting)
			return err
		},
		At: func(setting, _ string) ledger.Database { return At(setting) },
	}
}

// Database is the database that an address names.
type Database struct {
	address string
	schema  schema
}

// At is the database of an address, whose form libpq describes.
func At(address string) Database { return Database{address, current()} }

// String names server and database, without who connects.
func (d Database) String() string {
	config, err := parse(d.address)
	if err != nil {
		return "a PostgreSQL database whose address cannot be read"
	}
	if filepath.IsAbs(config.Host) { // the folder of its socket
		return "postgres:///" + config.Database + "?host=" + config.Host
	}
	return "postgres://" + net.JoinHostPort(config.Host, strconv.Itoa(int(config.Port))) + "/" + config.Database
}

// naming adds the database to an error.
func (d Database) naming(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("database %s: %w", d, err)
}

// Open brings the database up to date and serves it, beside others that do. What those held that have ended is given back. Close
// ends it.
func (d Database) Open(ctx context.Context, cfg ledger.Config, log *slog.Logger) (ledger.Store, error) {
	config, err := parse(d.address)
	if err != nil {
		return nil, err
	}
	l, err := d.open(ctx, config, cfg, log)
	if err != nil {
		return nil, d.naming(err) // a nil *Ledger would be a Store that is not nil
	}
	return l, nil
}

// OpenKeys opens the keys, also beside running nodes.
func (d Database) OpenKeys(ctx context.Context, vault ledger.Vault, c *clock.Clock) (ledger.Keys, error) {
	nodes := 0
	db, err := d.connect(ctx, func(db *sql.DB, _ *pgx.ConnConfig) (err error) {
		if _, err := d.schema.migrate(ctx, db, slog.New(slog.DiscardHandler)); err != nil {
			return err
		}
		nodes, _, err = served(ctx, db)
		return err
	})
	if err != nil {
		return nil, err
	}
	return records.OpenKeys(turns{db: db}.others(), vault, c, nodes > 0), nil
}

// Connect opens connections that spell statements as the ledger's do. The caller closes them.
func (d Database) Connect(ctx context.Context) (*sql.DB, error) {
	return d.connect(ctx, func(*sql.DB, *pgx.ConnConfig) error { return nil })
}

// connect opens a pool and has first use it; an error of first closes it.
func (d Database) connect(ctx context.Context, first func(db *sql.DB, config *pgx.ConnConfig) error) (*sql.DB, error) {
	config, err := parse(d.address)
	if err != nil {
		return nil, err
	}
	db := pool(config, writers)
	if err = db.PingContext(ctx); err == nil {
		err = first(db, config)
	}
	if err != nil {
		return nil, d.naming(errors.Join(err, db.Close()))
	}
	return db, nil
}

// Migrate brings the database up to date, also beside nodes that work with the tables of this version.
func (d Database) Migrate(ctx context.Context, log *slog.Logger) error {
	db, err := d.connect(ctx, func(db *sql.DB, _ *pgx.ConnConfig) error {
		_, err := d.schema.migrate(ctx, db, log)
		return err
	})
	if err != nil {
		return err
	}
	return db.Close()
}

// inspectFor is how long Inspect waits for an answer.
const inspectFor = 10 * time.Second

// Inspect connects and changes nothing.
func (d Database) Inspect(ctx context.Context) ledger.Inspection {
	asking, cancel := context.WithTimeout(ctx, inspectFor)
	defer cancel()
	version := ""
	db, err := d.connect(asking, func(db *sql.DB, config *pgx.ConnConfig) error {
		if err := mayHold(asking, config); err != nil {
			return err
		}
		return errors.Join(d.schema.check(asking, db), db.QueryRowContext(asking, `SHOW server_version`).Scan(&version))
	})
	if err == nil {
		err = db.Close()
	}
	refused, answered := errors.AsType[*pgconn.PgError](err)
	switch {
	case err == nil:
		return ledger.Inspection{Exists: true, Found: fmt.Sprintf("%s, PostgreSQL %s", d, version)}
	case errors.Is(err, records.ErrSchema):
		return ledger.Inspection{Exists: true, Found: err.Error(), Fix: "Run the newer version, or restore a backup with pg_restore."}
	case errors.Is(err, errPooled):
		return ledger.Inspection{Exists: true, Found: err.Error(), Fix: "Name the server itself, or a pool in session mode."}
	case answered && refused.Code == "3D000":
		return ledger.Inspection{Found: err.Error(), Fix: "Create the database: createdb."}
	default:
		return ledger.Inspection{Found: err.Error(), Fix: "Start PostgreSQL, and check the address, the user and the password."}
	}
}

// Compact is PostgreSQL's own work.
func (d Database) Compact(context.Context) error {
	return fmt.Errorf("%s is kept short by PostgreSQL's autovacuum; to give space back to the disk run VACUUM FULL while no server runs", d)
}

// Snapshot is pg_dump's work.
func (d Database) Snapshot(context.Context, string) (ledger.Snapshot, error) {
	return nil, d.copying("pg_dump --format=custom")
}

// Vacant is pg_restore's work.
func (d Database) Vacant(context.Context) error { return d.copying("pg_restore") }

// Restore is pg_restore's work.
func (d Database) Restore(context.Context, io.Reader) error { return d.copying("pg_restore") }

func (d Database) copying(tool string) error {
	return fmt.Errorf("%s is copied by PostgreSQL's own tools: use %s", d, tool)
}
