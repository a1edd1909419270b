package records

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/ledger"
)

// A batch counts the ends of its captures in its own row, in the commits that end them: the one that ends the last owes
// the batch's event, and no other can.

// batches is the record of batches.
type batches struct {
	*db

	captures   *captures
	deliveries *deliveries
}

// batchRow is a batch on its way into the database, encoded before.
type batchRow struct {
	capture.BatchSubmission
	ids    []string
	list   string // ids as JSON
	shared []byte // the options that all captures have alike, as JSON
	rows   []*row
	size   int // bytes, roughly

	// The answer, set by insertBatch.
	earlier *capture.AcceptedBatch // the key's first batch
	refused *savepage.Error
}

// AcceptBatch records a batch with its captures and their jobs, all or none, and returns when they are durable.
func (bs *batches) AcceptBatch(ctx context.Context, s capture.BatchSubmission) (capture.AcceptedBatch, error) {
	n := int64(len(s.Captures))
	if fault := bs.captures.pending.Add(s.Batch.Account, n); fault != nil {
		bs.captures.pending.Done(s.Batch.Account, n)
		return capture.AcceptedBatch{}, fault
	}
	b, err := newBatchRow(s)
	if err != nil {
		bs.captures.pending.Done(s.Batch.Account, n)
		return capture.AcceptedBatch{}, err
	}
	insert := func(ctx context.Context, tx *sql.Tx) error { return bs.insertBatch(ctx, tx, b) }
	after := func(err error) {
		if err != nil || b.refused != nil || b.earlier != nil {
			bs.captures.pending.Done(s.Batch.Account, n)
			return
		}
		bs.captures.queue.due(0)
		for _, r := range b.rows {
			if r.reused != nil {
				bs.captures.ended(*r.reused)
			}
		}
	}
	if err := bs.submit(ctx, &write{run: insert, after: after, size: b.size}); err != nil {
		return capture.AcceptedBatch{}, closing(err)
	}
	switch {
	case b.refused != nil:
		return capture.AcceptedBatch{}, b.refused
	case b.earlier != nil:
		return *b.earlier, nil
	default:
		return b.accepted(), nil
	}
}

func (b *batchRow) accepted() capture.AcceptedBatch {
	a := capture.AcceptedBatch{Batch: b.Batch, CaptureIDs: b.ids, Captures: make([]capture.Accepted, len(b.rows))}
	for i, r := range b.rows {
		a.Captures[i] = capture.Accepted{Capture: r.Capture, Reuse: r.reuse}
		if r.reused != nil {
			a.Captures[i].Capture = r.reused.capture
		}
	}
	return a
}

func newBatchRow(s capture.BatchSubmission) (*batchRow, error) {
	b := &batchRow{BatchSubmission: s, rows: make([]*row, len(s.Captures)), ids: make([]string, len(s.Captures))}
	b.Batch.CreatedAt = s.Batch.CreatedAt.UTC().Truncate(time.Microsecond)
	options := make([]savepage.Options, len(s.Captures))
	for i, one := range s.Captures {
		one.Capture.CreatedAt = b.Batch.CreatedAt
		r := &row{Submission: one}
		var err error
		if r.Capture.Options, r.private, err = ledger.Part(one.Capture.Options); err != nil {
			return nil, err
		}
		b.ids[i], b.rows[i], options[i] = one.Capture.ID, r, r.Capture.Options
	}
	return b, b.encode(ledger.Alike(options))
}

// encode encodes the shared options once, and of each capture the others.
func (b *batchRow) encode(shared savepage.Options) (err error) {
	if b.shared, err = encode(shared); err != nil {
		return fmt.Errorf("encode shared options: %w", err)
	}
	b.size = len(b.shared)
	for _, r := range b.rows {
		if err := r.encode(ledger.Apart(r.Capture.Options, shared)); err != nil {
			return err
		}
		b.size += r.size()
	}
	list, err := encode(b.ids)
	b.list = string(list)
	return err
}

// insertBatch records the batch, or finds the one that its Idempotency-Key was used for.
func (bs *batches) insertBatch(ctx context.Context, tx *sql.Tx, b *batchRow) error {
	b.earlier, b.refused = nil, nil
	use := ledger.KeyUse{Account: b.Batch.Account, Key: b.IdempotencyKey, Fingerprint: b.Fingerprint, ID: b.Batch.ID}
	id, found, err := useKey(ctx, tx, use, bs.clock.Date())
	switch {
	case err != nil:
		return err
	case found == ledger.KeyMismatch:
		b.refused = ledger.ErrKeyMismatch()
		return nil
	case found == ledger.KeyRepeated:
		b.earlier, err = earlierBatch(ctx, tx, b.Batch.Account, id)
		return err
	}
	if b.refused, err = admissionOf(bs.captures, tx).admit(ctx, b.rows...); err != nil {
		return err
	}
	if b.refused != nil {
		return freeKey(ctx, tx, b.Batch.Account, b.IdempotencyKey, b.Batch.ID)
	}
	const insert = `INSERT INTO batches (id, account, callback_url, metadata, captures, total, open, created_at, shared, trace)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
	n := len(b.rows)
	_, err = tx.ExecContext(ctx, insert, b.Batch.ID, b.Batch.Account, b.Batch.CallbackURL, text(string(b.Batch.Metadata)), b.list, n, n,
		stamp(b.Batch.CreatedAt), string(b.shared), text(b.Batch.Trace))
	if err != nil {
		return fmt.Errorf("insert batch: %w", err)
	}
	return bs.captures.insertFresh(ctx, tx, b.rows)
}

func earlierBatch(ctx context.Context, tx *sql.Tx, account, id string) (*capture.AcceptedBatch, error) {
	batch, err := getBatch(ctx, tx, account, id)
	if err != nil {
		return nil, fmt.Errorf("read the key's batch: %w", err)
	}
	var list string
	if err := tx.QueryRowContext(ctx, `SELECT captures FROM batches WHERE id = ?`, id).Scan(&list); err != nil {
		return nil, fmt.Errorf("read the captures of the key's batch: %w", err)
	}
	earlier := &capture.AcceptedBatch{Batch: batch, Replayed: true}
	return earlier, json.Unmarshal([]byte(list), &earlier.CaptureIDs)
}

// batchEnds is how many captures of a batch have ended in a state.
type batchEnds struct {
	id    string // empty for captures without a batch
	state savepage.State
	n     int
}

// leaveBatch counts ends. With the last one it ends the batch and returns the event that is owed for it, where one is.
func leaveBatch(ctx context.Context, tx *sql.Tx, now time.Time, e batchEnds) ([]savepage.Delivery, error) {
	if e.id == "" || e.n == 0 {
		return nil, nil
	}
	const leave = `UPDATE batches SET open = open - ?2, success = success + CASE ?3 WHEN 'success' THEN ?2 ELSE 0 END,
		failed = failed + CASE ?3 WHEN 'failed' THEN ?2 ELSE 0 END, canceled = canceled + CASE ?3 WHEN 'canceled' THEN ?2 ELSE 0 END,
		ended_at = CASE WHEN open = ?2 THEN CAST(?4 AS BIGINT) END
		WHERE id = ?1 AND ended_at IS NULL RETURNING ` + batchColumns + `, 0`
	b, err := scanBatch(tx.QueryRowContext(ctx, leave, e.id, e.n, string(e.state), stamp(now)).Scan)
	if err != nil {
		return nil, fmt.Errorf("count the end of captures in batch %s: %w", e.id, err)
	}
	return ledger.OwedByBatch(b)
}

// batchColumns are what scanBatch reads, with the number of running captures after them.
const (
	batchColumns = `id, account, callback_url, metadata, total, open, success, failed, canceled, created_at, ended_at`
	batchRunning = `(SELECT count(*) FROM captures WHERE captures.batch = batches.id
		AND captures.state IN ('running', '` + stateStoring + `'))`
)

func scanBatch(scan func(dest ...any) error) (savepage.Batch, error) {
	var (
		b              savepage.Batch
		metadata       sql.NullString
		created, ended sql.NullInt64
		open           int
		c              = &b.Counts
	)
	err := scan(&b.ID, &b.Account, &b.CallbackURL, &metadata, &c.Total, &open, &c.Success, &c.Failed, &c.Canceled, &created, &ended,
		&c.Running)
	c.Queued = open - c.Running
	b.CreatedAt, b.EndedAt = moment(created), moment(ended)
	if metadata.Valid {
		b.Metadata = savepage.Metadata(metadata.String)
	}
	return b, err
}

func getBatch(ctx context.Context, q Queries, account, id string) (savepage.Batch, error) {
	const query = `SELECT ` + batchColumns + `, ` + batchRunning + ` FROM batches WHERE id = ? AND account = ?`
	return scanBatch(q.QueryRowContext(ctx, query, id, account).Scan)
}

// Batch returns a batch of the account, or *savepage.Error of CodeNotFound.
func (bs *batches) Batch(ctx context.Context, account, id string) (savepage.Batch, error) {
	b, err := getBatch(ctx, bs.read, account, id)
	if errors.Is(err, sql.ErrNoRows) {
		return savepage.Batch{}, ledger.ErrNoBatch(id)
	}
	if err != nil {
		return savepage.Batch{}, fmt.Errorf("read batch %s: %w", id, err)
	}
	return b, nil
}

const listBatches = `SELECT ` + batchColumns + `, ` + batchRunning + ` FROM batches
	WHERE account = ? AND (created_at, id) < (?, ?) ORDER BY created_at DESC, id DESC LIMIT ?`

// ListBatches returns a page of the account's batches, newest first, and the cursor of the next page, empty on the last
// one. A cursor that did not come from it is *savepage.Error of CodeInvalidRequest.
func (bs *batches) ListBatches(ctx context.Context, account string, limit int, cursor string) (page []savepage.Batch, next string,
	err error,
) {
	limit = ledger.PageLimit(limit)
	after := ledger.Cursor{CreatedAt: 1 << 62}
	if cursor != "" {
		if after, err = ledger.ReadCursor(cursor); err != nil {
			return nil, "", err
		}
	}
	page, err = collect(ctx, bs.search, scanBatch, listBatches, account, after.CreatedAt, after.ID, limit+1)
	if err != nil {
		return nil, "", fmt.Errorf("read batches: %w", err)
	}
	page, next = ledger.CutPage(page, limit, func(b savepage.Batch) ledger.Cursor { return ledger.CursorAt(b.CreatedAt, b.ID) })
	return page, next, nil
}

// BatchDeliveries returns what was owed for a batch itself, with its attempts.
func (bs *batches) BatchDeliveries(ctx context.Context, account, id string) ([]savepage.Delivery, error) {
	list, err := bs.deliveries.list(ctx, bs.read, `d.batch = ? AND +d.account = ? ORDER BY d.created_at, d.id`, id, account)
	if err != nil {
		return nil, fmt.Errorf("read deliveries of batch %s: %w", id, err)
	}
	return list, nil
}

// CancelBatch ends every capture of a batch that is queued or running, and with them the batch. Their workers are
// stopped. It returns the batch; one that has ended is left as it is.
func (bs *batches) CancelBatch(ctx context.Context, account, id string) (savepage.Batch, error) {
	var (
		ids  []string
		owed []savepage.Delivery
	)
	err := bs.do(ctx, func(ctx context.Context, tx *sql.Tx) error {
		ids, owed = nil, nil
		_, err := getBatch(ctx, tx, account, id)
		if errors.Is(err, sql.ErrNoRows) {
			return nil // the look-up below returns the error
		}
		if err != nil {
			return err
		}
		if ids, err = bs.cancelOpen(ctx, tx, id); err != nil {
			return err
		}
		bs.tell.ended(account, ids...)
		if owed, err = leaveBatch(ctx, tx, bs.clock.Now(), batchEnds{id, savepage.Canceled, len(ids)}); err != nil {
			return err
		}
		return bs.deliveries.owe(ctx, tx, owed)
	}, func(err error) {
		if err != nil {
			return
		}
		for _, one := range ids {
			bs.captures.ended(reuseResult{capture: savepage.Capture{ID: one, Account: account}})
			bs.captures.queue.running.Stop(one)
		}
		bs.deliveries.noted(owed)
		bs.captures.queue.due(0)
	})
	if err != nil {
		return savepage.Batch{}, fmt.Errorf("cancel batch %s: %w", id, err)
	}
	return bs.Batch(ctx, account, id)
}

// cancelOpen ends the captures of a batch that have not ended, and returns their ids.
func (bs *batches) cancelOpen(ctx context.Context, tx *sql.Tx, batch string) ([]string, error) {
	const drop = `DELETE FROM river_job WHERE unique_key IN
		(SELECT CAST(id AS BLOB) FROM captures WHERE batch = ? AND state IN ('queued', 'running')) AND ` + Live
	if _, err := tx.ExecContext(ctx, drop, batch); err != nil {
		return nil, fmt.Errorf("drop jobs: %w", err)
	}
	const open = `SELECT id FROM captures WHERE batch = ? AND state IN ('queued', 'running', '` + stateStoring + `')`
	if err := dropUpload(ctx, tx, open, batch); err != nil {
		return nil, err
	}
	const private = `DELETE FROM private WHERE capture IN (` + open + `)`
	if _, err := tx.ExecContext(ctx, private, batch); err != nil {
		return nil, fmt.Errorf("drop what is private: %w", err)
	}
	const end = `UPDATE captures SET state = 'canceled', waits = 0, finished_at = ?
		WHERE batch = ? AND state IN ('queued', 'running', '` + stateStoring + `') RETURNING id`
	ids, err := collect(ctx, tx, scanText, end, stamp(bs.clock.Now()), batch)
	if err != nil {
		return nil, fmt.Errorf("end captures: %w", err)
	}
	for _, id := range ids {
		if err := bs.captures.queue.succeed(ctx, tx, id); err != nil {
			return nil, err
		}
	}
	return ids, nil
}

// oldBatches selects batches that nothing depends on any more.
const oldBatches = `SELECT id FROM batches WHERE ended_at IS NOT NULL AND created_at < ?1
	AND NOT EXISTS (SELECT 1 FROM captures WHERE captures.batch = batches.id)
	AND NOT EXISTS (SELECT 1 FROM deliveries WHERE deliveries.batch = batches.id
		AND (deliveries.state = 'pending' OR deliveries.state = 'dead' AND deliveries.ended_at >= ?1))
	ORDER BY created_at, id LIMIT ?2`

// ForgetBatches removes at most limit ended batches that were created before the time and have neither captures nor a
// pending delivery, with their deliveries and Idempotency-Keys.
func (bs *batches) ForgetBatches(ctx context.Context, before time.Time, limit int) (int, error) {
	old, err := collect(ctx, bs.read, scanText, oldBatches, before.UnixMicro(), limit)
	if err != nil {
		return 0, fmt.Errorf("look for old batches: %w", err)
	}
	if len(old) == 0 {
		return 0, nil
	}
	err = bs.do(ctx, func(ctx context.Context, tx *sql.Tx) (err error) {
		// Asked again: one of their dead deliveries may be on its way once more.
		if old, err = collect(ctx, tx, scanText, oldBatches, before.UnixMicro(), limit); err != nil {
			return err
		}
		return forgetBatches(ctx, tx, old)
	}, nil)
	if err != nil {
		return 0, fmt.Errorf("forget batches: %w", err)
	}
	return len(old), nil
}

func forgetBatches(ctx context.Context, tx *sql.Tx, ids []string) error {
	const chosen = `(SELECT value FROM json_each(?))`
	return execList(ctx, tx, ids,
		`DELETE FROM attempts WHERE delivery IN (SELECT id FROM deliveries WHERE batch IN `+chosen+`)`,
		`DELETE FROM deliveries WHERE batch IN `+chosen,
		`DELETE FROM idempotency WHERE capture IN `+chosen,
		`DELETE FROM inbox_events WHERE batch IN `+chosen,
		`DELETE FROM batches WHERE id IN `+chosen)
}
