package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"

	"github.com/savepage/savepage/internal/clock"
	"github.com/savepage/savepage/internal/ledger"
	"github.com/savepage/savepage/internal/ledger/records"
)

// lockFill is the advisory lock of who fills a database.
const lockFill = 0x7361766570616765

// How often and how long the lock is asked for: the server finds out within seconds that the one before was killed.
const (
	fillEvery = 500 * time.Millisecond
	fillTries = 40
)

// A database that is being filled has a table that says with what, and no node can begin.
const (
	fillTable = `CREATE FUNCTION filling() RETURNS trigger LANGUAGE plpgsql AS $$
			BEGIN RAISE EXCEPTION 'savepage migrate is filling this database'; END $$;
		CREATE TRIGGER filling BEFORE INSERT ON nodes EXECUTE FUNCTION filling();
		CREATE TABLE filling (identity TEXT NOT NULL)`
	filledTable = `DROP TRIGGER filling ON nodes; DROP FUNCTION filling(); DROP TABLE filling`
)

// notFilled returns an error while savepage migrate has not filled the database.
func notFilled(ctx context.Context, db *sql.DB) error {
	filling, err := has(ctx, db, "filling", "")
	if err == nil && filling {
		err = errors.New("savepage migrate has not filled it yet: let it end, or start it again")
	}
	return err
}

// arrival is a database that is being filled.
type arrival struct {
	db   *sql.DB
	lock *sql.Conn // holds lockFill
	log  *slog.Logger
}

// Receive opens an empty database to be filled, or one whose filling was interrupted.
func (d Database) Receive(ctx context.Context, identity string, log *slog.Logger) (ledger.Arrival, error) {
	a := &arrival{log: log}
	db, err := d.connect(ctx, func(db *sql.DB, config *pgx.ConnConfig) error {
		if err := mayHold(ctx, config); err != nil {
			return err
		}
		a.db = db
		return locked(ctx, db, func() error {
			if _, err := d.schema.bringUp(ctx, db, log); err != nil {
				return err
			}
			return a.begin(ctx, identity)
		})
	})
	if err != nil {
		if a.lock != nil {
			err = errors.Join(err, a.lock.Close())
		}
		return nil, err
	}
	a.db = db
	return a, nil
}

// begin takes the database.
func (a *arrival) begin(ctx context.Context, identity string) (err error) {
	if a.lock, err = a.db.Conn(ctx); err != nil {
		return err
	}
	for tries := 1; ; tries++ {
		var taken bool
		if err := a.lock.QueryRowContext(ctx, `SELECT pg_try_advisory_lock($1)`, lockFill).Scan(&taken); err != nil {
			return fmt.Errorf("lock the database: %w", err)
		}
		if taken {
			break
		}
		if tries == fillTries || !clock.System().Pause(ctx, fillEvery) {
			return errors.New("another savepage migrate is filling it")
		}
	}
	filling, err := has(ctx, a.db, "filling", "")
	if err != nil || !filling {
		return errors.Join(err, a.mark(ctx, identity))
	}
	var with string
	if err := a.db.QueryRowContext(ctx, `SELECT identity FROM filling`).Scan(&with); err != nil {
		return fmt.Errorf("read what fills the database: %w", err)
	}
	if with != identity {
		return stranger(with, identity)
	}
	return nil
}

func stranger(there, coming string) error {
	return fmt.Errorf("it holds the installation %s, and this one is %s: name an empty database", there, coming)
}

// mark marks an empty database as one that is being filled.
func (a *arrival) mark(ctx context.Context, identity string) error {
	return records.Writer{DB: a.db}.InTx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, fillTable); err != nil {
			return fmt.Errorf("mark the database: %w", err)
		}
		var there string
		var used bool
		const look = `SELECT (SELECT max(id) FROM identity), EXISTS (SELECT 1 FROM accounts) OR EXISTS (SELECT 1 FROM captures)`
		if err := tx.QueryRowContext(ctx, look).Scan(&there, &used); err != nil {
			return fmt.Errorf("look whether the database is empty: %w", err)
		}
		if there == identity {
			return ledger.ErrMoved
		}
		nodes, _, err := served(ctx, a.db)
		switch {
		case err != nil:
			return err
		case used:
			return stranger(there, identity)
		case nodes > 0:
			return ledger.ErrServed
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO filling (identity) VALUES ($1)`, identity); err != nil {
			return fmt.Errorf("mark the database: %w", err)
		}
		_, err = tx.ExecContext(ctx, emptied())
		return err
	})
}

// emptied is the statement that removes all rows that are filled in, the jobs that come of them, and what ended nodes have left.
func emptied() string {
	names := []string{"river_job", "notices", "hosts", "marks", "nodes"}
	for _, table := range records.Carried() {
		names = append(names, table.Name)
	}
	return `TRUNCATE ` + strings.Join(names, `, `)
}

// Clear removes all rows.
func (a *arrival) Clear(ctx context.Context) error {
	if _, err := a.db.ExecContext(ctx, emptied()); err != nil {
		return fmt.Errorf("empty the database: %w", err)
	}
	return nil
}

// Rows reads rows of a table.
func (a *arrival) Rows(ctx context.Context, of ledger.Table, after ledger.Row, most int) ([]ledger.Row, error) {
	return records.ReadRows(ctx, a.db, of, after, most)
}

// Held returns a row as PostgreSQL holds it.
func (a *arrival) Held(row ledger.Row) (held ledger.Row, altered int) {
	held = append(ledger.Row(nil), row...)
	for i, value := range row {
		text, is := value.(string)
		if !is {
			continue
		}
		if held[i] = storableText(text); held[i] != text {
			altered++
		}
	}
	return held, altered
}

// Put adds rows by one statement.
func (a *arrival) Put(ctx context.Context, to ledger.Table, rows []ledger.Row) error {
	session, err := a.db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("fill %s: %w", to.Name, err)
	}
	err = session.Raw(func(opened any) error {
		c, is := opened.(*conn)
		if !is {
			return fmt.Errorf("the connection is a %T", opened)
		}
		source := pgx.CopyFromSlice(len(rows), func(i int) ([]any, error) { return rows[i], nil })
		_, err := c.Conn.Conn().CopyFrom(ctx, pgx.Identifier{to.Name}, to.Columns, source)
		return fault(err)
	})
	if err := errors.Join(err, session.Close()); err != nil {
		return fmt.Errorf("fill %s: %w", to.Name, err)
	}
	return nil
}

// Finish gives jobs to the captures that wait, has the server count the rows for its plans, and lets nodes begin.
func (a *arrival) Finish(ctx context.Context) (waiting int, err error) {
	if _, err := a.db.ExecContext(ctx, `ANALYZE`); err != nil {
		return 0, fmt.Errorf("count the rows: %w", err)
	}
	place := records.Place{
		Beside: records.Writer{DB: a.db}, Self: records.NewSelf(), Read: a.db, Queue: riverdatabasesql.New(a.db),
	}
	if _, err := records.GiveJobs(ctx, place, a.log); err != nil {
		return 0, err
	}
	if err := a.db.QueryRowContext(ctx, `SELECT count(*) FROM river_job`).Scan(&waiting); err != nil {
		return 0, fmt.Errorf("count jobs: %w", err)
	}
	err = records.Writer{DB: a.db}.InTx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, filledTable)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("open the database to servers: %w", err)
	}
	return waiting, nil
}

// Close ends the connections, and with them the lock.
func (a *arrival) Close() error { return errors.Join(a.lock.Close(), a.db.Close()) }

// Leave is not for a server of databases: it has tools of its own.
func (d Database) Leave(context.Context, *slog.Logger) (ledger.Departure, error) {
	return nil, d.copying("pg_dump and pg_restore")
}
