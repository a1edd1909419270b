package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
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
	options []byte // without what is private
	private string // JSON; empty when there is nothing

	// The answer, set by insertRows.
	earlier *savepage.Capture // the key's first capture
	refused *savepage.Error
	reuse   capture.Reuse
	kept    *savepage.Capture // whose picture is given, with ReuseHit
	given   *given            // how it has ended with that
}

// Accept records a submission and returns when it is durable. It shares its commit with those that wait beside it.
func (l *Ledger) Accept(ctx context.Context, s capture.Submission) (capture.Accepted, error) {
	if l.pending.Add(1) > l.maxPending && !l.hasKept(ctx, s) {
		l.pending.Add(-1)
		return capture.Accepted{}, savepage.Errorf(savepage.CodeQueueFull, "%d captures are waiting; try again later", l.maxPending)
	}
	s.Capture.CreatedAt = s.Capture.CreatedAt.UTC().Truncate(time.Microsecond)
	r, err := newRow(s)
	if err != nil {
		l.pending.Add(-1)
		return capture.Accepted{}, err
	}
	if err := l.submit(ctx, &write{row: r, size: r.size(), after: func(err error) { l.accepted(r, err) }}); err != nil {
		return capture.Accepted{}, closing(err)
	}
	switch {
	case r.refused != nil:
		return capture.Accepted{}, r.refused
	case r.earlier != nil:
		return capture.Accepted{Capture: *r.earlier, Replayed: true}, nil
	case r.given != nil:
		return capture.Accepted{Capture: r.given.capture, Reuse: r.reuse}, nil
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
	if r.options, err = encode(r.Capture.Options); err != nil {
		return nil, fmt.Errorf("encode options: %w", err)
	}
	return r, nil
}

// size is about how many bytes the row puts into the database.
func (r *row) size() int { return len(r.options) + len(r.private) }

// accepted follows a submission's commit.
func (l *Ledger) accepted(r *row, err error) {
	if err != nil || r.refused != nil || r.earlier != nil {
		l.pending.Add(-1)
		return
	}
	if r.given != nil {
		l.gave(*r.given)
		return
	}
	l.driver.due.send(ledger.QueueInteractive)
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
	return l.insertFresh(ctx, tx, fresh)
}

// insertFresh records captures that are no repetitions, with jobs for those that need one.
func (l *Ledger) insertFresh(ctx context.Context, tx *sql.Tx, rows []*row) error {
	if len(rows) == 0 {
		return nil
	}
	leading, err := l.reuse(ctx, tx, rows)
	if err != nil {
		return err
	}
	jobs, err := l.place(ctx, tx, leading)
	if err != nil {
		return err
	}
	if err := l.insertCaptures(ctx, tx, rows); err != nil {
		return err
	}
	if err := l.giveKept(ctx, tx, rows); err != nil {
		return err
	}
	return l.enqueue(ctx, tx, jobs...)
}

// claimKey takes the submission's Idempotency-Key, or finds what it was used for. It reports whether the submission is new.
func (l *Ledger) claimKey(ctx context.Context, tx *sql.Tx, r *row) (bool, error) {
	id, mismatch, err := l.useKey(ctx, tx, keyUse{r.Capture.Account, r.IdempotencyKey, r.Fingerprint, r.Capture.ID})
	switch {
	case err != nil:
		return false, err
	case mismatch:
		r.refused = errMismatch()
		return false, nil
	case id == r.Capture.ID:
		return true, nil
	}
	earlier, err := getCapture(ctx, tx, `id = ? AND account = ?`, id, r.Capture.Account)
	if err != nil {
		return false, fmt.Errorf("read the key's capture: %w", err)
	}
	r.earlier = &earlier
	return false, nil
}

// keyUse is a request with an Idempotency-Key, and the id of the capture or batch that it asks for.
type keyUse struct{ account, key, fingerprint, id string }

func errMismatch() *savepage.Error {
	return savepage.Errorf(savepage.CodeIdempotencyMismatch, "the Idempotency-Key was used with another request")
}

// useKey takes the key for the request and returns its id, or the id that an earlier request took it for; mismatch says
// that it was another one. Without a key each request is new.
func (l *Ledger) useKey(ctx context.Context, tx *sql.Tx, k keyUse) (id string, mismatch bool, err error) {
	if k.key == "" {
		return k.id, false, nil
	}
	now := l.clock.Now()
	const claim = `INSERT INTO idempotency (account, key, fingerprint, capture, expires_at) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (account, key) DO UPDATE SET fingerprint = excluded.fingerprint, capture = excluded.capture, expires_at = excluded.expires_at
		WHERE expires_at <= ?`
	done, err := tx.ExecContext(ctx, claim, k.account, k.key, k.fingerprint, k.id, stamp(now.Add(keyLife)), stamp(now))
	if err != nil {
		return "", false, fmt.Errorf("claim idempotency key: %w", err)
	}
	if claimed, err := done.RowsAffected(); err != nil || claimed == 1 {
		return k.id, false, err
	}
	var fingerprint string
	const used = `SELECT fingerprint, capture FROM idempotency WHERE account = ? AND key = ?`
	if err := tx.QueryRowContext(ctx, used, k.account, k.key).Scan(&fingerprint, &id); err != nil {
		return "", false, fmt.Errorf("read idempotency key: %w", err)
	}
	return id, fingerprint != k.fingerprint, nil
}

// classes is a number for each ledger.Class.
type classes [3]int64

// tally is how many submissions of an account are in a commit, and how many it had waiting before.
type tally struct{ added, before classes }

// place counts the submissions of each account as waiting and gives each its place in the queue.
func (l *Ledger) place(ctx context.Context, tx *sql.Tx, rows []*row) ([]queued, error) {
	accounts := map[string]*tally{}
	for _, r := range rows {
		t := accounts[r.Capture.Account]
		if t == nil {
			t = &tally{}
			accounts[r.Capture.Account] = t
		}
		t.added[ledger.ClassOf(r.Capture)]++
	}
	for account, t := range accounts {
		if err := count(ctx, tx, account, t); err != nil {
			return nil, err
		}
	}
	now := l.clock.Now()
	jobs := make([]queued, len(rows))
	for i, r := range rows {
		class := ledger.ClassOf(r.Capture)
		jobs[i] = captureJob{ID: r.Capture.ID, at: ledger.Place(now, accounts[r.Capture.Account].next(class), class)}
	}
	return jobs, nil
}

// next is how many of the account go before its next one.
func (t *tally) next(class ledger.Class) int64 {
	ahead := t.before[class]
	t.before[class]++
	if class == ledger.Batch {
		ahead += t.before[ledger.Async]
	}
	return ahead
}

func count(ctx context.Context, tx *sql.Tx, account string, t *tally) error {
	const add = `UPDATE accounts SET waiting_interactive = waiting_interactive + ?, waiting = waiting + ?, waiting_batch = waiting_batch + ?
		WHERE id = ? RETURNING waiting_interactive, waiting, waiting_batch`
	err := tx.QueryRowContext(ctx, add, t.added[ledger.Interactive], t.added[ledger.Async], t.added[ledger.Batch], account).
		Scan(&t.before[ledger.Interactive], &t.before[ledger.Async], &t.before[ledger.Batch])
	if err != nil {
		return fmt.Errorf("count waiting captures of account %s: %w", account, err)
	}
	for class, added := range t.added {
		t.before[class] -= added
	}
	return nil
}

// Bounds of one statement: SQLite takes 32,766 values.
const (
	insertColumns = 12 // values of a row
	insertRows    = 1000
)

// insertCaptures records captures with what is private of them.
func (l *Ledger) insertCaptures(ctx context.Context, tx *sql.Tx, rows []*row) error {
	for some := range slices.Chunk(rows, insertRows) {
		if err := insertSome(ctx, tx, some); err != nil {
			return err
		}
	}
	return l.insertPrivate(ctx, tx, rows)
}

func insertSome(ctx context.Context, tx *sql.Tx, rows []*row) error {
	var query strings.Builder
	query.WriteString(`INSERT INTO captures (id, account, state, interactive, url, options, options_hash, created_at, due_at, batch, flight, waits) VALUES `)
	values := make([]any, 0, len(rows)*insertColumns)
	for i, r := range rows {
		if i > 0 {
			query.WriteByte(',')
		}
		query.WriteString(`(?,?,?,?,?,?,?,?,?,?,?,?)`)
		c := &r.Capture
		at := stamp(c.CreatedAt)
		values = append(values, c.ID, c.Account, string(savepage.Queued), c.Interactive, c.Options.URL, string(r.options), r.OptionsHash, at, at,
			text(c.BatchID), text(r.Flight), r.reuse == capture.ReuseJoined)
	}
	if _, err := tx.ExecContext(ctx, query.String(), values...); err != nil {
		return fmt.Errorf("insert captures: %w", err)
	}
	return nil
}
