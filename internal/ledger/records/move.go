package records

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/savepage/savepage/internal/clock"
	"github.com/savepage/savepage/internal/ledger"
)

// Carried are the tables whose rows go along when records move to another database, each after those that it refers to, with the
// columns that name a row. What is counted of others comes after them. Of the rest, jobs are made anew, and nodes, notices, hosts,
// marks, writer and probes are of processes that run.
func Carried() []ledger.Table {
	named := func(table string, key ...string) ledger.Table {
		return ledger.Table{Name: table, Columns: key, Keys: len(key)}
	}
	return []ledger.Table{
		named("accounts", "id"),
		named("keys", "hash"),
		named("old_secrets", "account", "created_at"),
		named("link_secrets", "id"),
		named("stores", "account", "name"),
		named("batches", "id"),
		named("captures", "id"),
		named("private", "capture"),
		named("idempotency", "account", "key"),
		named("deliveries", "id"),
		named("attempts", "delivery", "number"),
		named("receivers", "account", "receiver"),
		named("turns", "account", "class"),
		named("usage", "account", "month"),
		named("inboxes", "account"),
		named("inbox_events", "id"),
		named("hours", "account", "hour"),
		named("render_times", "account", "hour", "ms"),
		named("seen", "id"),
		named("owed", "id"),
		named("identity", "id"),
	}
}

// CarriedFrom are the same tables with all columns that they have in a database.
func CarriedFrom(ctx context.Context, q Queries) ([]ledger.Table, error) {
	tables := Carried()
	for i, table := range tables {
		columns, err := columnsOf(ctx, q, table.Name)
		if err == nil {
			err = q.QueryRowContext(ctx, fmt.Sprintf(countAll, table.Name)).Scan(&tables[i].Count)
		}
		if err != nil {
			return nil, fmt.Errorf("look at the table %s: %w", table.Name, err)
		}
		others := slices.DeleteFunc(columns, func(column string) bool { return slices.Contains(table.Columns, column) })
		tables[i].Columns = slices.Concat(table.Columns, others)
	}
	return tables, nil
}

func columnsOf(ctx context.Context, q Queries, table string) (columns []string, err error) {
	rows, err := q.QueryContext(ctx, fmt.Sprintf(`SELECT * FROM %s LIMIT 0`, table))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	if columns, err = rows.Columns(); err == nil {
		err = rows.Err()
	}
	return columns, err
}

// countAll counts the rows of a table.
const countAll = `SELECT count(*) FROM %s`

// rowsBytes is how much of rows is read at once, in bytes, and a row more.
const rowsBytes = 4 << 20

// ReadRows reads the rows of a table that follow one: see ledger.Rows.
func ReadRows(ctx context.Context, q Queries, of ledger.Table, after ledger.Row, most int) (list []ledger.Row, err error) {
	rows, err := q.QueryContext(ctx, rowsQuery(of, after != nil, most), after...)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", of.Name, err)
	}
	defer func() {
		if err = errors.Join(err, rows.Close()); err != nil {
			list, err = nil, fmt.Errorf("read %s: %w", of.Name, err)
		}
	}()
	for bytes := 0; bytes < rowsBytes && rows.Next(); {
		row := make(ledger.Row, len(of.Columns))
		into := make([]any, len(row))
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		for _, value := range row {
			switch value := value.(type) {
			case string:
				bytes += len(value)
			case []byte:
				bytes += len(value)
			}
		}
		list = append(list, row)
	}
	return list, rows.Err()
}

// rowsQuery reads the first rows of a table, or those that follow the one with a key.
func rowsQuery(of ledger.Table, follow bool, most int) string {
	key, where := quoted(of.Columns[:of.Keys]), ``
	if follow {
		where = ` WHERE (` + key + `) > (?` + strings.Repeat(`, ?`, of.Keys-1) + `)`
	}
	return fmt.Sprintf(`SELECT %s FROM %s%s ORDER BY %s LIMIT %d`, quoted(of.Columns), of.Name, where, key, most)
}

func quoted(columns []string) string { return `"` + strings.Join(columns, `", "`) + `"` }

// GiveJobs gives each capture on the way that no job drives one, in a place that nobody serves. It returns how many got one.
func GiveJobs(ctx context.Context, p Place, log *slog.Logger) (int, error) {
	q := &queue{db: &db{clock: clock.System(), log: log, read: p.Read, self: p.Self, tell: &news{}}}
	if err := q.open(p.Queue); err != nil {
		return 0, err
	}
	given := 0
	for cursor := ""; ; {
		jobs, next, err := q.lonely(ctx, cursor)
		if err != nil {
			return given, fmt.Errorf("look for captures without a job: %w", err)
		}
		for some := range slices.Chunk(jobs, adoptRows) {
			q.tell.reset()
			if err := p.Beside.InTx(ctx, func(tx *sql.Tx) error { return q.enqueue(ctx, tx, some...) }); err != nil {
				return given, fmt.Errorf("give jobs to captures: %w", err)
			}
			given += len(some)
		}
		if cursor = next; cursor == "" {
			return given, nil
		}
	}
}
