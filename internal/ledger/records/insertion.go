package records

import (
	"context"
	"database/sql"
	"math/bits"
	"strings"
)

// mostRows bounds one statement: SQLite takes 32,766 values, PostgreSQL 65,535. It is a power of two.
const mostRows = 1024

// Insertion is a statement that inserts rows.
type Insertion struct {
	Head  string // up to the rows
	Row   string // one row, in brackets
	Width int    // values of a row
	Tail  string // after the rows
}

// Exec inserts the rows that have the values. Several statements, each of a power of two, make up their number: so there are few
// texts, and each stays prepared.
func (i Insertion) Exec(ctx context.Context, tx *sql.Tx, values []any) error {
	for len(values) > 0 {
		rows := 1 << (bits.Len(uint(min(len(values)/i.Width, mostRows))) - 1)
		if _, err := tx.ExecContext(ctx, i.text(rows), values[:rows*i.Width]...); err != nil {
			return err
		}
		values = values[rows*i.Width:]
	}
	return nil
}

func (i Insertion) text(rows int) string {
	return i.Head + i.Row + strings.Repeat(","+i.Row, rows-1) + i.Tail
}
