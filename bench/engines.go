package main

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/savepage/savepage/internal/ledger"
	"github.com/savepage/savepage/internal/ledger/pgtest"
	"github.com/savepage/savepage/internal/ledger/postgres"
	"github.com/savepage/savepage/internal/ledger/sqlite"
)

// engine is a kind of database that the service can have its records in.
type engine struct {
	name string
	dialect
	server *pgtest.Server // nil: SQLite
	made   int
}

// dialect is how an engine says what the measures need.
type dialect struct {
	numbers string // a table n with the numbers from ?1 on, below ?2
	digits  string // eight digits of n
	args    string // the arguments of a job with ?3 in place of ?4, n turns later
	key     string // a text as the key of a job
	time    string // of a job that waits, n turns later
}

// engines returns both kinds, and what ends them.
func engines(ctx context.Context) ([]*engine, func() error, error) {
	server, err := pgtest.Start(ctx)
	if err != nil {
		return nil, nil, err
	}
	return []*engine{
		{name: "SQLite", dialect: dialect{
			numbers: `WITH RECURSIVE n(n) AS (SELECT $1 UNION ALL SELECT n + 1 FROM n WHERE n < $2 - 1)`,
			digits:  `printf('%08d', n)`, key: `CAST(%s AS BLOB)`,
			args: `jsonb_set(replace(json(args), $3, %s), '$.turn', json_extract(args, '$.turn') + 1 + n)`,
			time: `strftime('%Y-%m-%d %H:%M:%f', (json_extract(args, '$.turn') + 1 + n) / 1000.0, 'unixepoch')`,
		}},
		{name: "PostgreSQL", server: server, dialect: dialect{
			numbers: `WITH n AS (SELECT generate_series($1::bigint, $2::bigint - 1) AS n)`,
			digits:  `lpad(n::text, 8, '0')`, key: `convert_to(%s, 'UTF8')`,
			args: `jsonb_set(replace(args::text, $3, %s)::jsonb, '{turn}', to_jsonb((args->>'turn')::bigint + 1 + n))`,
			time: `to_timestamp(((args->>'turn')::bigint + 1 + n) / 1000.0)`,
		}},
	}, server.Stop, nil
}

// fresh is a place without any record, for a build of the service.
func (e *engine) fresh(ctx context.Context, binary string) (setup, error) {
	dir, err := os.MkdirTemp("", "savepage-bench-")
	if err != nil || e.server == nil {
		return setup{binary: binary, dir: dir}, err
	}
	e.made++
	name := fmt.Sprintf("bench_%d", e.made)
	return setup{binary: binary, dir: dir, database: e.server.Address(name)}, e.server.Create(ctx, name, "")
}

// open opens the records of a place, in this process.
func (u setup) open(ctx context.Context, config ledger.Config) (ledger.Store, error) {
	log := slog.New(slog.DiscardHandler)
	if u.database != "" {
		return postgres.At(u.database).Open(ctx, config, log)
	}
	return sqlite.At(filepath.Join(u.dir, "data")).Open(ctx, config, log)
}

// tables opens the tables of a place, beside the service.
func (u setup) tables() (*sql.DB, error) {
	if u.database != "" {
		return sql.Open("pgx", u.database)
	}
	return sql.Open("sqlite", "file:"+filepath.Join(u.dir, "data", "savepage.db")+"?_pragma=busy_timeout(60000)&_pragma=synchronous(off)")
}

// bytes is how large the database of a place is.
func (u setup) bytes(ctx context.Context, tables *sql.DB) (size int64, err error) {
	query := `SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()`
	if u.database != "" {
		query = `SELECT pg_database_size(current_database())`
	}
	err = tables.QueryRowContext(ctx, query).Scan(&size)
	return size, err
}
