package keeper

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/savepage/savepage/internal/blob"
	"github.com/savepage/savepage/internal/ledger"
)

// Move carries an installation to another place: its records, its pictures, or both. It can be made again after an interruption,
// and goes on.
type Move struct {
	Records ledger.Departure
	To      ledger.Mover // nil: the records stay
	Name    string       // of To, for people

	Pictures blob.View  // nil, as Into: the pictures stay
	Into     blob.Store // empty, or with pictures of the same installation

	Log *slog.Logger
	// OnProgress is told how far a step is, from one goroutine at a time; nil: nobody is.
	OnProgress func(p Progress)
}

// Progress is how far a step of a move is.
type Progress struct {
	Step  string
	Done  int
	Total int
}

// Moved is what a move has found at its end, on both sides.
type Moved struct {
	Identity  string
	Tables    []TableSum // empty: the records stayed
	Altered   int        // texts with bytes that the database does not take
	Waiting   int        // captures that wait for their turn
	Pictures  int
	Bytes     int64 // of pictures
	Missing   []string
	MasterKey bool // some secrets can only be read with the master key
}

// TableSum is how many rows of a table are in both places, and the checksum of their values.
type TableSum struct {
	Name   string
	Rows   int
	SHA256 string
}

// errChanged says that the rows in the new database are not those of the old one, as far as they go.
var errChanged = errors.New("the rows differ")

// rowsAtOnce is how many rows are carried by one statement, at most.
const rowsAtOnce = 2000

// Run carries everything, and then reads all of it on both sides and compares counts and checksums. A server can begin with the new
// database when all is right.
func (m *Move) Run(ctx context.Context) (moved Moved, err error) {
	about, err := m.Records.About(ctx)
	if err != nil {
		return moved, err
	}
	w := &moving{Move: m, id: about.Identity}
	w.moved.Identity, w.moved.MasterKey = about.Identity, about.Sealed
	if m.To != nil {
		if err := w.receive(ctx); err != nil {
			return moved, err
		}
		defer func() { err = errors.Join(err, w.to.Close()) }()
	}
	if m.Into != nil {
		if err := w.movePictures(ctx); err != nil {
			return moved, err
		}
	}
	if m.To != nil {
		err = w.moveRecords(ctx)
	}
	return w.moved, err
}

// moving is a move that is being made.
type moving struct {
	*Move

	id     string
	to     ledger.Arrival
	tables []ledger.Table

	counting sync.Mutex // of pictures
	moved    Moved
}

func (w *moving) tell(step string, done, total int) {
	if w.OnProgress != nil {
		w.OnProgress(Progress{step, done, total})
	}
}

// receive opens the new database.
func (w *moving) receive(ctx context.Context) (err error) {
	if w.to, err = w.To.Receive(ctx, w.id, w.Log); err == nil {
		return nil
	}
	if errors.Is(err, ledger.ErrMoved) { // the move before may have been interrupted at its very end
		err = errors.Join(err, w.Records.Gone(ctx, w.Name))
	}
	return fmt.Errorf("%s: %w", w.Name, err)
}

func (w *moving) moveRecords(ctx context.Context) (err error) {
	if w.tables, err = w.Records.Tables(ctx); err != nil {
		return err
	}
	err = w.copyRows(ctx)
	if errors.Is(err, errChanged) {
		w.Log.InfoContext(ctx, "the records have changed since the move was interrupted: they are carried again")
		if err = w.to.Clear(ctx); err == nil {
			err = w.copyRows(ctx)
		}
	}
	if err == nil {
		err = w.compareRows(ctx)
	}
	if err == nil {
		w.moved.Waiting, err = w.to.Finish(ctx)
	}
	if err != nil {
		return err
	}
	return w.Records.Gone(ctx, w.Name)
}

// copyRows copies what is not there yet. The error is errChanged when something else is.
func (w *moving) copyRows(ctx context.Context) error {
	for _, table := range w.tables {
		if err := w.copyTable(ctx, table); err != nil {
			return fmt.Errorf("table %s: %w", table.Name, err)
		}
	}
	return nil
}

// copyTable copies the rows that follow those which are there.
func (w *moving) copyTable(ctx context.Context, table ledger.Table) error {
	var last ledger.Row
	end := false // of what is there
	for done := 0; ; {
		rows, err := w.Records.Rows(ctx, table, last, rowsAtOnce)
		if err != nil {
			return err
		}
		var there []ledger.Row
		if !end {
			if there, err = w.there(ctx, table, last, max(len(rows), 1)); err != nil {
				return err
			}
		}
		for i, row := range there {
			if i == len(rows) || !same(row, w.held(rows[i])) {
				return errChanged
			}
		}
		if len(rows) == 0 {
			return nil
		}
		end = len(there) < len(rows)
		if err := w.put(ctx, table, rows[len(there):]); err != nil {
			return err
		}
		last = rows[len(rows)-1][:table.Keys]
		done += len(rows)
		w.tell("rows of "+table.Name, done, table.Count)
	}
}

// there reads so many rows that are there already, or all.
func (w *moving) there(ctx context.Context, table ledger.Table, last ledger.Row, most int) (all []ledger.Row, err error) {
	for len(all) < most {
		some, err := w.to.Rows(ctx, table, last, most-len(all))
		if err != nil {
			return nil, err
		}
		if len(some) == 0 {
			break
		}
		last = some[len(some)-1][:table.Keys]
		all = append(all, some...)
	}
	return all, nil
}

func (w *moving) put(ctx context.Context, table ledger.Table, rows []ledger.Row) error {
	if len(rows) == 0 {
		return nil
	}
	held := make([]ledger.Row, len(rows))
	for i, row := range rows {
		held[i] = w.held(row)
	}
	return w.to.Put(ctx, table, held)
}

// held is a row as the new database holds it.
func (w *moving) held(row ledger.Row) ledger.Row {
	held, _ := w.to.Held(row)
	return held
}

// same reports whether two rows have the same values.
func same(a, b ledger.Row) bool { return bytes.Equal(encode(nil, a), encode(nil, b)) }

// encode appends the values of a row, each with its kind and length, so that no two rows look alike.
func encode(to []byte, row ledger.Row) []byte {
	for _, value := range row {
		switch value := value.(type) {
		case nil:
			to = append(to, 'n')
		case int64:
			to = binary.BigEndian.AppendUint64(append(to, 'i'), uint64(value)) //nolint:gosec // the same bits
		case string:
			to = append(binary.BigEndian.AppendUint64(append(to, 't'), uint64(len(value))), value...)
		case []byte:
			to = append(binary.BigEndian.AppendUint64(append(to, 'b'), uint64(len(value))), value...)
		default: // no database returns others
			to = fmt.Appendf(append(to, '?'), "%T %v", value, value)
		}
	}
	return to
}

// compareRows reads every row on both sides and compares counts and checksums.
func (w *moving) compareRows(ctx context.Context) error {
	for _, table := range w.tables {
		here, err := w.sumRows(ctx, table, w.Records, "old", func(row ledger.Row) ledger.Row {
			held, altered := w.to.Held(row)
			w.moved.Altered += altered
			return held
		})
		if err != nil {
			return err
		}
		there, err := w.sumRows(ctx, table, w.to, "new", func(row ledger.Row) ledger.Row { return row })
		if err != nil {
			return err
		}
		if here != there {
			return fmt.Errorf("table %s has %d rows with the checksum %s, and %d with %s in the new database: nothing may write into it "+
				"meanwhile; start the move again", table.Name, here.Rows, here.SHA256, there.Rows, there.SHA256)
		}
		w.moved.Tables = append(w.moved.Tables, here)
	}
	return nil
}

func (w *moving) sumRows(ctx context.Context, table ledger.Table, from ledger.Rows, side string, as func(ledger.Row) ledger.Row,
) (TableSum, error) {
	sum, all := sha256.New(), TableSum{Name: table.Name}
	for last := ledger.Row(nil); ; {
		rows, err := from.Rows(ctx, table, last, rowsAtOnce)
		if err != nil {
			return all, fmt.Errorf("compare the rows: %w", err)
		}
		if len(rows) == 0 {
			all.SHA256 = hex.EncodeToString(sum.Sum(nil))
			return all, nil
		}
		last = rows[len(rows)-1][:table.Keys]
		for _, row := range rows {
			sum.Write(encode(nil, as(row)))
		}
		all.Rows += len(rows)
		w.tell("checking "+side+" "+table.Name, all.Rows, table.Count)
	}
}
