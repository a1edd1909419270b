package records

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/ledger"
)

// row is a submission on its way into the database. What it needs is encoded before, on the caller's goroutine.
type row struct {
	capture.Submission
	options []byte // without what is private
	private string // JSON; empty when there is nothing
	turn    int64  // its place in the order; set by giveTurns

	// The answer, set by insertRows.
	earlier *savepage.Capture // the key's first capture
	refused *savepage.Error
	reuse   capture.Reuse
	kept    *savepage.Capture // whose result it gets, with ReuseHit; set by lookForKept
	reused  *reuseResult      // how it has ended with that
}

// Accept records a submission and returns when it is durable. It shares its commit with those that wait beside it.
func (cs *captures) Accept(ctx context.Context, s capture.Submission) (capture.Accepted, error) {
	if fault := cs.pending.Add(s.Capture.Account, 1); fault != nil && !cs.hasKept(ctx, s) {
		cs.pending.Done(s.Capture.Account, 1)
		return capture.Accepted{}, fault
	}
	s.Capture.CreatedAt = s.Capture.CreatedAt.UTC().Truncate(time.Microsecond)
	r, err := newRow(s)
	if err != nil {
		cs.pending.Done(s.Capture.Account, 1)
		return capture.Accepted{}, err
	}
	if err := cs.submit(ctx, &write{row: r, size: r.size(), after: func(err error) { cs.accepted(r, err) }}); err != nil {
		return capture.Accepted{}, closing(err)
	}
	switch {
	case r.refused != nil:
		return capture.Accepted{}, r.refused
	case r.earlier != nil:
		return capture.Accepted{Capture: *r.earlier, Replayed: true}, nil
	case r.reused != nil:
		return capture.Accepted{Capture: r.reused.capture, Reuse: r.reuse}, nil
	default:
		return capture.Accepted{Capture: r.Capture, Reuse: r.reuse}, nil
	}
}

// newRow encodes a submission and parts what is private from it.
func newRow(s capture.Submission) (*row, error) {
	r := &row{Submission: s}
	var err error
	if r.Capture.Options, r.private, err = ledger.Part(s.Capture.Options); err != nil {
		return nil, err
	}
	return r, r.encode(r.Capture.Options)
}

// encode encodes the options that are kept with the capture.
func (r *row) encode(own savepage.Options) (err error) {
	if r.options, err = encode(own); err != nil {
		return fmt.Errorf("encode options: %w", err)
	}
	return nil
}

// size is about how many bytes the row puts into the database.
func (r *row) size() int { return len(r.options) + len(r.private) }

// accepted follows a submission's commit.
func (cs *captures) accepted(r *row, err error) {
	if err != nil || r.refused != nil || r.earlier != nil {
		cs.pending.Done(r.Capture.Account, 1)
		return
	}
	if r.reused != nil {
		cs.ended(*r.reused)
		return
	}
	cs.queue.due(0)
}

func closing(err error) error {
	if errors.Is(err, ledger.ErrClosed) {
		return ledger.ErrShuttingDown()
	}
	return fmt.Errorf("accept capture: %w", err)
}

// insertRows records submissions, all or none: an error means that the transaction must be rolled back.
func (cs *captures) insertRows(ctx context.Context, tx *sql.Tx, rows []*row) error {
	fresh := make([]*row, 0, len(rows))
	for _, r := range rows {
		r.earlier, r.refused = nil, nil
		isNew, err := cs.claimKey(ctx, tx, r)
		if err != nil {
			return err
		}
		if isNew {
			fresh = append(fresh, r)
		}
	}
	fresh, err := admissionOf(cs, tx).admitEach(ctx, fresh)
	if err != nil {
		return err
	}
	return cs.insertFresh(ctx, tx, fresh)
}

// insertFresh records captures that are admitted, with jobs for those that need one.
func (cs *captures) insertFresh(ctx context.Context, tx *sql.Tx, rows []*row) error {
	if len(rows) == 0 {
		return nil
	}
	if err := share(ctx, tx, rows); err != nil {
		return err
	}
	if err := giveTurns(ctx, tx, rows); err != nil {
		return err
	}
	for _, r := range rows {
		cs.tell.accepted(r.Capture.Account, 1)
	}
	if err := addLoads(ctx, tx, rows); err != nil {
		return err
	}
	if err := insertCaptures(ctx, tx, cs.vault, rows); err != nil {
		return err
	}
	if err := cs.reuseKept(ctx, tx, rows); err != nil {
		return err
	}
	return cs.queue.enqueue(ctx, tx, jobsOf(rows)...)
}

// needsPage reports whether the submission is rendered: no kept picture will do, and it waits for no equal capture.
func (r *row) needsPage() bool { return r.reuse == capture.ReuseNone || r.reuse == capture.ReuseMiss }

// jobsOf makes the jobs of the submissions that need one.
func jobsOf(rows []*row) []queued {
	jobs := make([]queued, 0, len(rows))
	for _, r := range rows {
		if r.needsPage() {
			jobs = append(jobs, captureJob{ID: r.Capture.ID, Account: r.Capture.Account, Class: ledger.ClassOf(r.Capture), Turn: r.turn})
		}
	}
	return jobs
}

// claimKey takes the submission's Idempotency-Key, or finds what it was used for. It reports whether the submission is new.
func (cs *captures) claimKey(ctx context.Context, tx *sql.Tx, r *row) (bool, error) {
	use := ledger.KeyUse{Account: r.Capture.Account, Key: r.IdempotencyKey, Fingerprint: r.Fingerprint, ID: r.Capture.ID}
	id, found, err := useKey(ctx, tx, use, cs.clock.Date())
	switch {
	case err != nil:
		return false, err
	case found == ledger.KeyMismatch:
		r.refused = ledger.ErrKeyMismatch()
		return false, nil
	case found == ledger.KeyFresh:
		return true, nil
	}
	earlier, err := getCapture(ctx, tx, `id = ? AND account = ?`, id, r.Capture.Account)
	if err != nil {
		return false, fmt.Errorf("read the key's capture: %w", err)
	}
	r.earlier = &earlier
	return false, nil
}

// useKey takes the key for the request, or finds the request that holds it, with the id of its capture or batch.
func useKey(ctx context.Context, tx *sql.Tx, k ledger.KeyUse, now time.Time) (id string, found ledger.KeyFound, err error) {
	if k.Key == "" {
		return k.ID, ledger.KeyFresh, nil
	}
	const claim = `INSERT INTO idempotency (account, key, fingerprint, capture, expires_at) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (account, key) DO UPDATE SET fingerprint = excluded.fingerprint, capture = excluded.capture,
			expires_at = excluded.expires_at
		WHERE idempotency.expires_at <= ?`
	free, err := tx.ExecContext(ctx, claim, k.Account, k.Key, k.Fingerprint, k.ID, stamp(now.Add(ledger.KeyLife)), stamp(now))
	if err != nil {
		return "", 0, fmt.Errorf("claim idempotency key: %w", err)
	}
	if claimed, err := free.RowsAffected(); err != nil || claimed == 1 {
		return k.ID, ledger.KeyFresh, err
	}
	var fingerprint string
	const used = `SELECT fingerprint, capture FROM idempotency WHERE account = ? AND key = ?`
	if err := tx.QueryRowContext(ctx, used, k.Account, k.Key).Scan(&fingerprint, &id); err != nil {
		return "", 0, fmt.Errorf("read idempotency key: %w", err)
	}
	return id, k.Judge(id, fingerprint), nil
}

const insertCapture = `INSERT INTO captures (id, account, state, interactive, url, options, options_hash, created_at, due_at, batch,
	flight, waits, bytes, cost, turn, key_prefix, trace) VALUES `

func captureRows() Insertion {
	return Insertion{Head: insertCapture, Row: `(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)`, Width: 17}
}

// insertCaptures records captures with what is private of them.
func insertCaptures(ctx context.Context, tx *sql.Tx, vault ledger.Vault, rows []*row) error {
	values := make([]any, 0, len(rows)*captureRows().Width)
	for _, r := range rows {
		c := &r.Capture
		at, load := stamp(c.CreatedAt), r.load()
		values = append(values, c.ID, c.Account, string(savepage.Queued), c.Interactive, c.Options.URL, string(r.options), r.OptionsHash,
			at, at, text(c.BatchID), text(r.Flight), r.reuse == capture.ReuseJoined, load.Bytes, load.Cost, r.turn, text(c.KeyID),
			text(c.Trace))
	}
	if err := captureRows().Exec(ctx, tx, values); err != nil {
		return fmt.Errorf("insert captures: %w", err)
	}
	return insertPrivate(ctx, tx, vault, rows)
}
