package records

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/clock"
	"github.com/savepage/savepage/internal/health"
	"github.com/savepage/savepage/internal/ledger"
)

// Bounds of one commit.
const (
	batchItems = 256
	batchBytes = 4 << 20
)

// db is the open database: a writer whose transactions are shared, and readers.
type db struct {
	clock   *clock.Clock
	log     *slog.Logger
	vault   ledger.Vault
	write   Writer // of the writer's goroutine
	others  Writer
	beside  Writer // of this process before it is a node
	self    *Self
	tell    *news       // of the transaction of the writer's goroutine
	company atomic.Bool // the last transaction has seen other nodes
	read    *sql.DB
	search  *sql.DB
	check   func(ctx context.Context) error // Place.Check
	writes  *ledger.Group[*write]
	insert  func(ctx context.Context, tx *sql.Tx, rows []*row) error // the submissions of one transaction together

	health   *health.Board
	unstored atomic.Int64 // bytes of the largest submission that has failed since a probe succeeded
}

// write is one piece of work for the writer. Pieces that wait together share a transaction and its fsync. Run may be called
// more than once: after a failure of the batch each piece runs again in a transaction of its own.
type write struct {
	row   *row       // of a submission; those of a batch are inserted together
	sent  *recording // of an attempt; those of a batch are written down together
	gone  *removal   // of a capture; those of a batch are removed together
	run   func(ctx context.Context, tx *sql.Tx) error
	after func(err error) // called on the writer's goroutine when it is committed or has failed; nil for nothing
	size  int             // bytes, roughly
	done  chan error
}

// do has the writer run fn and returns when it is durable. after tells what follows from it, also when ctx has ended first:
// then fn may run after do has returned, and what fn writes to may not be read after an error.
func (d *db) do(ctx context.Context, fn func(ctx context.Context, tx *sql.Tx) error, after func(err error)) error {
	return d.submit(ctx, &write{run: fn, after: after})
}

func (d *db) submit(ctx context.Context, w *write) error {
	w.done = make(chan error, 1)
	if err := d.writes.Add(ctx, w); err != nil {
		if w.after != nil {
			w.after(err)
		}
		return fmt.Errorf("write: %w", err)
	}
	select {
	case err := <-w.done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("await write: %w", ctx.Err())
	}
}

// apply commits a batch: at once if it can be, or else piece by piece, so that a bad one does not spoil the others.
func (d *db) apply(batch []*write) {
	for len(batch) > 0 {
		n := fitting(batch)
		d.applyShare(batch[:n])
		batch = batch[n:]
	}
}

// fitting is how many of the batch fit one commit.
func fitting(batch []*write) int {
	bytes := 0
	for i, w := range batch {
		bytes += w.size
		if bytes > batchBytes && i > 0 {
			return i
		}
	}
	return len(batch)
}

func (d *db) applyShare(batch []*write) {
	err := d.commit(batch)
	if err == nil || len(batch) == 1 {
		d.settle(batch, err)
		return
	}
	for i := range batch {
		d.settle(batch[i:i+1], d.commit(batch[i:i+1]))
	}
}

func (d *db) settle(batch []*write, err error) {
	d.health.Report(err)
	for _, w := range batch {
		if err != nil {
			d.unstored.Store(max(d.unstored.Load(), int64(w.size))) // only the writer's goroutine raises it
		}
		if w.after != nil {
			w.after(err)
		}
		w.done <- err
	}
}

func (d *db) commit(batch []*write) error {
	// A commit belongs to all who wait for it: none of their contexts may end it.
	ctx := context.Background()
	if err := d.checked(ctx); err != nil {
		return err
	}
	err := d.write.inTurn(ctx, func(tx *sql.Tx, turn Turn) error {
		d.tell.reset()
		d.company.Store(turn.Others)
		if err := d.run(ctx, tx, batch); err != nil || !turn.Others {
			return err
		}
		return d.tell.publish(ctx, tx, d.self.ID())
	})
	if err == nil {
		err = d.checked(ctx)
	}
	return err
}

// run does each piece of a batch, and what is of one kind together.
func (d *db) run(ctx context.Context, tx *sql.Tx, batch []*write) error {
	var rows []*row
	var sent []*recording
	var gone []*removal
	for _, w := range batch {
		switch {
		case w.row != nil:
			rows = append(rows, w.row)
		case w.sent != nil:
			sent = append(sent, w.sent)
		case w.gone != nil:
			gone = append(gone, w.gone)
		default:
			if err := w.run(ctx, tx); err != nil {
				return err
			}
		}
	}
	if err := recordAll(ctx, tx, sent); err != nil {
		return err
	}
	if err := forgetAll(ctx, tx, gone); err != nil {
		return err
	}
	return d.insert(ctx, tx, rows)
}

func (d *db) checked(ctx context.Context) error {
	if d.check == nil {
		return nil
	}
	return d.check(ctx)
}

// alone has the writer run fn, whose *savepage.Error says that it has written nothing: it is no fault of the commit, which
// others share.
func (d *db) alone(ctx context.Context, fn func(ctx context.Context, tx *sql.Tx) error) error {
	var refused *savepage.Error
	err := d.do(ctx, func(ctx context.Context, tx *sql.Tx) error {
		err := fn(ctx, tx)
		if fault, known := errors.AsType[*savepage.Error](err); known {
			refused, err = fault, nil
		}
		return err
	}, nil)
	if err == nil && refused != nil {
		return refused
	}
	return err
}
