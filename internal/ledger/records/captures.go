package records

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/ledger"
)

// captures is the record of captures.
type captures struct {
	*db

	queue      *queue
	deliveries *deliveries
	waiters    *ledger.Waiters
	pending    *ledger.Pending
	limits     savepage.Limits // of accounts that have none of their own
}

// claims is the record as those who render see it.
type claims struct{ *captures }

// Start takes a queued capture for the job and returns the claim; false when there is nothing left to do for it. One that
// is marked as running already has lost its worker: it is taken over, and its attempt fences the other off.
func (cs *claims) Start(ctx context.Context, id string, job int64) (capture.Claim, bool, error) {
	var claim capture.Claim
	found := false
	err := cs.do(ctx, func(ctx context.Context, tx *sql.Tx) error {
		found = false
		const take = takeCapture + ` WHERE id = ? AND state IN ('queued', 'running') RETURNING ` + claimColumns
		var err error
		claim, err = scanClaim(tx.QueryRowContext(ctx, take, stamp(cs.clock.Now()), cs.self.ID(), id).Scan)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		claim.Job, found = job, err == nil
		return err
	}, nil)
	if err != nil {
		return capture.Claim{}, false, fmt.Errorf("start capture %s: %w", id, err)
	}
	return claim, found, nil
}

// takeCapture gives a capture to a worker. An attempt whose worker was lost does not count.
const takeCapture = `UPDATE captures SET free = free + CASE state WHEN 'running' THEN 1 ELSE 0 END, state = 'running', waits = 0,
	attempt = attempt + 1, started_at = ?, node = ?`

const claimColumns = columns + `, attempt - free, lost, deaths, faulted_at`

func scanClaim(scan func(dest ...any) error) (claim capture.Claim, err error) {
	var faulted sql.NullInt64
	claim.Capture, err = scanCapture(func(dest ...any) error {
		return scan(append(dest, &claim.Spent, &claim.Lost, &claim.Deaths, &faulted)...)
	})
	claim.FaultedAt = moment(faulted)
	return claim, err
}

// firstOfEach cuts each of two lists that are merged, for PostgreSQL.
const firstOfEach = `/* ORDER BY id LIMIT ?2) */`

// overdueQuery selects captures that were accepted before a time: an id begins with it.
const overdueQuery = `/* ( */ SELECT id FROM captures INDEXED BY captures_single
		WHERE batch IS NULL AND state IN ('queued', 'running') AND state = 'queued' AND id < ?1 ` + firstOfEach + `
	UNION ALL /* ( */ SELECT id FROM captures INDEXED BY captures_batched
		WHERE batch IS NOT NULL AND state IN ('queued', 'running') AND state = 'queued' AND id < ?1 ` + firstOfEach + `
	ORDER BY id LIMIT ?2`

// Overdue claims at most limit queued captures that were accepted before the time, oldest first.
func (cs *captures) Overdue(ctx context.Context, before time.Time, limit int) (claimed []capture.Claim, err error) {
	err = cs.do(ctx, func(ctx context.Context, tx *sql.Tx) error {
		claimed = nil
		ids, err := collect(ctx, tx, scanText, overdueQuery, capture.NewID("cap_", before), limit)
		if err != nil {
			return err
		}
		for _, id := range ids {
			if err := dropJob(ctx, tx, id); err != nil {
				return err
			}
			claim, err := scanClaim(tx.QueryRowContext(ctx, takeCapture+` WHERE id = ? RETURNING `+claimColumns, stamp(cs.clock.Now()),
				cs.self.ID(), id).Scan)
			if err != nil {
				return err
			}
			claimed = append(claimed, claim)
		}
		return nil
	}, nil)
	if err != nil {
		return nil, fmt.Errorf("claim captures that wait since %s: %w", before.Format(time.RFC3339), err)
	}
	return claimed, nil
}

// Finish ends the claimed capture, records what is owed for it and ends its job, in one commit.
func (cs *captures) Finish(ctx context.Context, c capture.Claim, o capture.Outcome) error {
	end, err := encodeOutcome(c, o)
	if err != nil {
		return fmt.Errorf("finish capture %s: %w", c.Capture.ID, err)
	}
	lost := false
	result := ledger.Ended(c.Capture, o)
	var owed []savepage.Delivery
	var shared []reuseResult
	err = cs.do(ctx, func(ctx context.Context, tx *sql.Tx) error {
		var err error
		if lost, err = missed(tx.ExecContext(ctx, endCapture, end...)); err != nil || lost {
			return err
		}
		if owed, err = (&uploads{cs}).oweEnd(ctx, tx, result, o.Deliveries); err != nil {
			return err
		}
		if shared, err = cs.endFlight(ctx, tx, result, o.Owe); err != nil {
			return err
		}
		return endJob(ctx, tx, c.Job)
	}, func(err error) {
		if err == nil && !lost {
			cs.ended(slices.Concat([]reuseResult{{capture: result, owed: owed, storing: capture.Stores(result)}}, shared)...)
		}
	})
	switch {
	case err != nil:
		return fmt.Errorf("finish capture %s: %w", c.Capture.ID, err)
	case lost:
		return capture.ErrLost
	default:
		return nil
	}
}

const endCapture = `UPDATE captures SET state = ?, finished_at = ?, captured_at = ?, picture = ?, picture_name = ?, report = ?, error = ?,
	timing = ?, cost = cost * ? WHERE id = ? AND attempt = ? AND state = 'running'`

// encodeOutcome returns the values of endCapture.
func encodeOutcome(c capture.Claim, o capture.Outcome) ([]any, error) {
	if !o.State.Final() {
		return nil, fmt.Errorf("%s is not an end", o.State)
	}
	parts, err := encodeResult(savepage.Capture{Picture: o.Picture, Report: o.Report, Error: o.Error, Timing: o.Timing})
	if err != nil {
		return nil, fmt.Errorf("encode outcome: %w", err)
	}
	var captured any // only a time makes the picture one that is given again
	if o.State == savepage.Success && !o.Fleeting {
		captured = stamp(o.FinishedAt)
	}
	state, finished := keptEnd(ledger.Ended(c.Capture, o))
	values := append([]any{state, finished, captured}, parts...)
	return append(values, ledger.Charge(1, o.Error), c.Capture.ID, c.Capture.Attempt), nil
}

// encodeResult returns the columns picture, picture_name, report, error and timing.
func encodeResult(c savepage.Capture) ([]any, error) {
	picture, err1 := column(c.Picture)
	report, err2 := column(c.Report)
	failure, err3 := column(c.Error)
	took, err4 := column(&timing{Timing: c.Timing, Phases: c.Timing.Phases})
	var name any
	if c.Picture != nil {
		name = c.Picture.Name
	}
	return []any{picture, name, report, failure, took}, errors.Join(err1, err2, err3, err4)
}

// missed reports whether a statement changed no row.
func missed(done sql.Result, err error) (bool, error) {
	if err != nil {
		return false, err
	}
	changed, err := done.RowsAffected()
	return changed == 0, err
}

// Release gives the claimed capture back, to be taken again after the wait.
func (cs *captures) Release(ctx context.Context, c capture.Claim, b capture.Back) error {
	lost := false
	err := cs.do(ctx, func(ctx context.Context, tx *sql.Tx) error {
		now := cs.clock.Now()
		const back = `UPDATE captures SET state = 'queued', started_at = NULL, due_at = ?, free = free + ?, lost = lost + ?,
			faulted_at = coalesce(faulted_at, ?) WHERE id = ? AND attempt = ? AND state = 'running' RETURNING turn`
		job := captureJob{ID: c.Capture.ID, Account: c.Capture.Account, Class: ledger.ClassOf(c.Capture)}
		if b.Wait > 0 {
			job.at = now.Add(b.Wait)
		}
		var faulted any
		if b.Fault {
			faulted = stamp(now)
		}
		err := tx.QueryRowContext(ctx, back, stamp(now.Add(b.Wait)), b.Free, b.Lost, faulted, c.Capture.ID, c.Capture.Attempt).Scan(&job.Turn)
		if lost = errors.Is(err, sql.ErrNoRows); lost {
			return nil
		}
		if err != nil {
			return err
		}
		if err := endJob(ctx, tx, c.Job); err != nil {
			return err
		}
		return cs.queue.enqueue(ctx, tx, job)
	}, func(err error) {
		if err == nil && !lost {
			cs.queue.due(b.Wait)
		}
	})
	switch {
	case err != nil:
		return fmt.Errorf("release capture %s: %w", c.Capture.ID, err)
	case lost:
		return capture.ErrLost
	default:
		return nil
	}
}

// Cancel ends a capture that is queued or running. Its worker is stopped and cannot finish it any more. An ended one
// is *savepage.Error of CodeConflict, an unknown or foreign one of CodeNotFound.
func (cs *captures) Cancel(ctx context.Context, account, id string) (savepage.Capture, error) {
	var (
		canceled savepage.Capture
		refused  *savepage.Error
		owed     []savepage.Delivery // for the batch that it was the last of
	)
	err := cs.do(ctx, func(ctx context.Context, tx *sql.Tx) error {
		refused = nil
		before, err := getCapture(ctx, tx, `id = ? AND account = ?`, id, account)
		if errors.Is(err, sql.ErrNoRows) {
			refused = ledger.ErrNoCapture(id)
			return nil
		}
		if err != nil {
			return err
		}
		if refused = ledger.MayCancel(id, before.State); refused != nil {
			return nil //nolint:nilerr // nothing is written, and the caller gets the refusal
		}
		if canceled, err = cs.cancel(ctx, tx, id); err != nil {
			return err
		}
		if owed, err = leaveBatch(ctx, tx, cs.clock.Now(), batchEnds{canceled.BatchID, savepage.Canceled, 1}); err != nil {
			return err
		}
		return cs.deliveries.owe(ctx, tx, owed)
	}, func(err error) {
		if err == nil && refused == nil {
			cs.ended(reuseResult{capture: canceled, owed: owed})
			cs.queue.running.Stop(id)
			cs.queue.due(0)
		}
	})
	if err != nil {
		return savepage.Capture{}, fmt.Errorf("cancel capture %s: %w", id, err)
	}
	if refused != nil {
		return savepage.Capture{}, refused
	}
	return canceled, nil
}

// cancel ends a capture that has not ended. One that waited for it may have got a job.
func (cs *captures) cancel(ctx context.Context, tx *sql.Tx, id string) (savepage.Capture, error) {
	if err := dropJob(ctx, tx, id); err != nil {
		return savepage.Capture{}, err
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM private WHERE capture = ?`, id); err != nil {
		return savepage.Capture{}, err
	}
	if err := dropUpload(ctx, tx, `?`, id); err != nil {
		return savepage.Capture{}, err
	}
	const end = `UPDATE captures SET state = 'canceled', waits = 0, finished_at = ? WHERE id = ? RETURNING ` + columns
	canceled, err := scanCapture(tx.QueryRowContext(ctx, end, stamp(cs.clock.Now()), id).Scan)
	if err != nil {
		return savepage.Capture{}, err
	}
	cs.tell.ended(canceled.Account, id)
	return canceled, cs.queue.succeed(ctx, tx, id)
}

// ended follows the commit that ended captures.
func (cs *captures) ended(done ...reuseResult) {
	for _, one := range done {
		if one.storing {
			cs.deliveries.noted(one.owed)
			continue
		}
		cs.pending.Done(one.capture.Account, 1)
		cs.waiters.Wake(one.capture.ID)
		cs.deliveries.noted(one.owed)
	}
	cs.queue.due(0) // a page is free for those that had none
}
