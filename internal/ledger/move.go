package ledger

import (
	"context"
	"errors"
	"log/slog"
)

// Mover carries records to another database, of the same engine or of another, table by table. An engine from which or to which
// nothing can be carried returns an error that says what to use.
type Mover interface {
	// Leave opens the records of a database that nobody serves, and keeps everybody else away from them until they are closed. They
	// are brought up to date, and what was left running waits for its turn again, as after a start. The caller closes them.
	Leave(ctx context.Context, log *slog.Logger) (Departure, error)
	// Receive opens an empty database, or one that was being filled with the records of the same identity, to be filled. No server
	// starts with it until it is Finished. The error is ErrMoved when it is already. The caller closes it.
	Receive(ctx context.Context, identity string, log *slog.Logger) (Arrival, error)
}

// ErrMoved says that a database has all records of the installation.
var ErrMoved = errors.New("it holds this installation already")

// Table is a table whose rows are carried.
type Table struct {
	Name    string
	Columns []string
	Count   int // of rows
	Keys    int // so many of the columns, the first ones, name a row; rows are read in their order
}

// Row is the values of a table's columns, each nil, an int64, a string or a []byte.
type Row []any

// Rows reads rows of tables.
type Rows interface {
	// Rows returns the rows that follow the one with these values of the table's key, or the first ones after none: at most so many,
	// and fewer where they are large. None: there is no other.
	Rows(ctx context.Context, of Table, after Row, most int) ([]Row, error)
}

// Departure is the records that are carried away.
type Departure interface {
	Rows
	Contents
	// Tables returns what is carried, each table after those that it refers to.
	Tables(ctx context.Context) ([]Table, error)
	// Gone notes where the records are now, so that no server starts with these.
	Gone(ctx context.Context, to string) error
	// Close lets others use the database again.
	Close() error
}

// Contents tells what records hold.
type Contents interface {
	About(ctx context.Context) (About, error)
	// Pictures returns the names of the pictures that captures name.
	Pictures(ctx context.Context) ([]string, error)
}

// Arrival is a database that is filled.
type Arrival interface {
	Rows
	// Held returns a row as the database holds it, and how many of its texts are held in another way: it may not take every byte.
	Held(row Row) (held Row, altered int)
	// Put adds rows, all of them or none.
	Put(ctx context.Context, to Table, rows []Row) error
	// Clear removes all rows.
	Clear(ctx context.Context) error
	Ending
}

// Ending ends the filling of a database.
type Ending interface {
	// Finish gives each capture that waits a job and has servers start with the database from now on. It returns how many wait.
	Finish(ctx context.Context) (waiting int, err error)
	// Close leaves the database as it is: what was Put stays.
	Close() error
}
