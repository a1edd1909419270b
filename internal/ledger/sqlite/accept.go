package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/ledger"
)

// keyLife is how long an Idempotency-Key is remembered.
const keyLife = 24 * time.Hour

// row is a submission on its way into the database. What it needs is encoded before, on the caller's goroutine.
type row struct {
	capture.Submission
	options []byte

	// The answer, set by insertRows.
	earlier *savepage.Capture // the key's first capture
	refused error             // *savepage.Error
}

// Accept records a submission and returns when it is durable. It shares its commit with those that wait beside it.
func (l *Ledger) Accept(ctx context.Context, s capture.Submission) (capture.Accepted, error) {
	if l.pending.Add(1) > l.maxPending {
		l.pending.Add(-1)
		return capture.Accepted{}, savepage.Errorf(savepage.CodeQueueFull, "%d captures are waiting; try again later", l.maxPending)
	}
	s.Capture.CreatedAt = s.Capture.CreatedAt.UTC().Truncate(time.Microsecond)
	options, err := encode(s.Capture.Options)
	if err != nil {
		l.pending.Add(-1)
		return capture.Accepted{}, fmt.Errorf("encode options: %w", err)
	}
	r := &row{Submission: s, options: options}
	if err := l.submit(ctx, &write{row: r, size: len(options), after: func(err error) { l.accepted(r, err) }}); err != nil {
		return capture.Accepted{}, closing(err)
	}
	switch {
	case r.refused != nil:
		return capture.Accepted{}, r.refused
	case r.earlier != nil:
		return capture.Accepted{Capture: *r.earlier, Replayed: true}, nil
	default:
		return capture.Accepted{Capture: s.Capture}, nil
	}
}

// accepted follows a submission's commit.
func (l *Ledger) accepted(r *row, err error) {
	if err != nil || r.refused != nil || r.earlier != nil {
		l.pending.Add(-1)
		return
	}
	l.driver.bell.ring(ledger.QueueInteractive)
}

func closing(err error) error {
	if errors.Is(err, ledger.ErrClosed) {
		return savepage.Errorf(savepage.CodeShuttingDown, "the server is stopping; try again")
	}
	return fmt.Errorf("accept capture: %w", err)
}

// insertRows records submissions, all or none: an error means that the transaction must be rolled back.
func (l *Ledger) insertRows(ctx context.Context, tx *sql.Tx, rows []*row) error {
	fresh := make([]*row, 0, len(rows))
	for _, r := range rows {
		r.earlier, r.refused = nil, nil
		isNew, err := l.claimKey(ctx, tx, r)
		if err != nil {
			return err
		}
		if isNew {
			fresh = append(fresh, r)
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	jobs, err := l.place(ctx, tx, fresh)
	if err != nil {
		return err
	}
	if err := insertCaptures(ctx, tx, fresh); err != nil {
		return err
	}
	return l.enqueue(ctx, tx, jobs...)
}

// claimKey takes the submission's Idempotency-Key, or finds what it was used for. It reports whether the submission is new.
func (l *Ledger) claimKey(ctx context.Context, tx *sql.Tx, r *row) (bool, error) {
	if r.IdempotencyKey == "" {
		return true, nil
	}
	now := l.now()
	const claim = `INSERT INTO idempotency (account, key, fingerprint, capture, expires_at) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (account, key) DO UPDATE SET fingerprint = excluded.fingerprint, capture = excluded.capture, expires_at = excluded.expires_at
		WHERE expires_at <= ?`
	done, err := tx.ExecContext(ctx, claim, r.Capture.Account, r.IdempotencyKey, r.Fingerprint, r.Capture.ID, stamp(now.Add(keyLife)), stamp(now))
	if err != nil {
		return false, fmt.Errorf("claim idempotency key: %w", err)
	}
	if claimed, err := done.RowsAffected(); err != nil || claimed == 1 {
		return err == nil, err
	}
	var fingerprint, id string
	const used = `SELECT fingerprint, capture FROM idempotency WHERE account = ? AND key = ?`
	if err := tx.QueryRowContext(ctx, used, r.Capture.Account, r.IdempotencyKey).Scan(&fingerprint, &id); err != nil {
		return false, fmt.Errorf("read idempotency key: %w", err)
	}
	if fingerprint != r.Fingerprint {
		r.refused = savepage.Errorf(savepage.CodeIdempotencyMismatch, "the Idempotency-Key was used with another request")
		return false, nil
	}
	earlier, err := getCapture(ctx, tx, `id = ? AND account = ?`, id, r.Capture.Account)
	if err != nil {
		return false, fmt.Errorf("read the key's capture: %w", err)
	}
	r.earlier = &earlier
	return false, nil
}

// tally is how many submissions of an account are in a batch, and how many it had waiting before.
type tally struct {
	added, addedInteractive   int64
	before, beforeInteractive int64
}

// place counts the submissions of each account as waiting and gives each its place in the queue.
func (l *Ledger) place(ctx context.Context, tx *sql.Tx, rows []*row) ([]queued, error) {
	accounts := map[string]*tally{}
	for _, r := range rows {
		t := accounts[r.Capture.Account]
		if t == nil {
			t = &tally{}
			accounts[r.Capture.Account] = t
		}
		if r.Capture.Interactive {
			t.addedInteractive++
		} else {
			t.added++
		}
	}
	for account, t := range accounts {
		if err := count(ctx, tx, account, t); err != nil {
			return nil, err
		}
	}
	now := l.now()
	jobs := make([]queued, len(rows))
	for i, r := range rows {
		jobs[i] = captureJob{ID: r.Capture.ID, at: ledger.Place(now, accounts[r.Capture.Account].next(r.Capture.Interactive), r.Capture.Interactive)}
	}
	return jobs, nil
}

// next is how many the account has waiting before the next one.
func (t *tally) next(interactive bool) int64 {
	waiting := &t.before
	if interactive {
		waiting = &t.beforeInteractive
	}
	*waiting++
	return *waiting - 1
}

func count(ctx context.Context, tx *sql.Tx, account string, t *tally) error {
	const add = `UPDATE accounts SET waiting = waiting + ?, waiting_interactive = waiting_interactive + ? WHERE id = ?
		RETURNING waiting, waiting_interactive`
	err := tx.QueryRowContext(ctx, add, t.added, t.addedInteractive, account).Scan(&t.before, &t.beforeInteractive)
	if err != nil {
		return fmt.Errorf("count waiting captures of account %s: %w", account, err)
	}
	t.before -= t.added
	t.beforeInteractive -= t.addedInteractive
	return nil
}

// insertColumns is how many values insertCaptures gives for each row.
const insertColumns = 9

func insertCaptures(ctx context.Context, tx *sql.Tx, rows []*row) error {
	var query strings.Builder
	query.WriteString(`INSERT INTO captures (id, account, state, interactive, url, options, options_hash, created_at, due_at) VALUES `)
	values := make([]any, 0, len(rows)*insertColumns)
	for i, r := range rows {
		if i > 0 {
			query.WriteByte(',')
		}
		query.WriteString(`(?,?,?,?,?,?,?,?,?)`)
		c := &r.Capture
		at := stamp(c.CreatedAt)
		values = append(values, c.ID, c.Account, string(savepage.Queued), c.Interactive, c.Options.URL, string(r.options), r.OptionsHash, at, at)
	}
	if _, err := tx.ExecContext(ctx, query.String(), values...); err != nil {
		return fmt.Errorf("insert captures: %w", err)
	}
	return nil
}
