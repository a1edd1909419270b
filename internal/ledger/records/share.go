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

// Captures of one account with the same flight may share a render. Those in the state queued that wait have no job: they
// end with the first of the others that ends. When the last of the others is canceled, one that waits takes its place.

// flying selects the captures of a flight that are on the way, from the index made for it.
const flying = `captures INDEXED BY captures_flight WHERE flight IS NOT NULL AND state IN ('queued', 'running') AND account = ?
	AND flight = ?`

const newestKept = `account = ? AND options_hash = ? AND state = 'success' AND captured_at >= ? ORDER BY captured_at DESC LIMIT 1`

// leader says what a flight has on the way: whether something, whether it runs, and the class that is wanted soonest.
const leader = `SELECT count(*) > 0, coalesce(max(CASE state WHEN 'running' THEN 1 ELSE 0 END), 0), coalesce(min(` + class + `), 0)
	FROM ` + flying + ` AND waits = 0`

// class is the ledger.Class of a capture.
const class = `CASE WHEN interactive = 1 THEN 0 WHEN batch IS NULL THEN 1 ELSE 2 END`

// share decides what becomes of fresh submissions.
func share(ctx context.Context, tx *sql.Tx, rows []*row) error {
	var sharing ledger.Sharing
	for _, r := range rows {
		var err error
		r.reused = nil
		if r.reuse, r.kept, err = sharing.Decide(ctx, r.Submission, shared{tx, r.kept}); err != nil {
			return err
		}
	}
	return nil
}

// lookForKept looks for the newest kept picture that will do for a submission.
func (r *row) lookForKept(ctx context.Context, tx *sql.Tx) error {
	r.kept = nil
	if r.Flight == "" {
		return nil
	}
	kept, err := getCapture(ctx, tx, newestKept, r.Capture.Account, r.OptionsHash, stamp(r.KeptSince))
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look for a kept picture: %w", err)
	}
	if r.HasPicture(kept) {
		r.kept = &kept
	}
	return nil
}

// shared is the transaction as ledger.Sharing sees it, for one submission.
type shared struct {
	tx   *sql.Tx
	kept *savepage.Capture // nil for none
}

// Kept returns what lookForKept has found.
func (s shared) Kept(context.Context, capture.Submission) (*savepage.Capture, error) {
	return s.kept, nil
}

// Leader reads what the flight has on the way.
func (s shared) Leader(ctx context.Context, sub capture.Submission) (ledger.Leader, error) {
	var l ledger.Leader
	if err := s.tx.QueryRowContext(ctx, leader, sub.Capture.Account, sub.Flight).Scan(&l.Found, &l.Running, &l.Class); err != nil {
		return l, fmt.Errorf("look for an equal capture: %w", err)
	}
	return l, nil
}

// hasKept reports whether a kept picture will do for a submission, as far as can be known before it is recorded: it then
// needs no place in the queue.
func (cs *captures) hasKept(ctx context.Context, s capture.Submission) bool {
	if s.Flight == "" {
		return false
	}
	var id string
	const query = `SELECT id FROM captures WHERE ` + newestKept
	return cs.read.QueryRowContext(ctx, query, s.Capture.Account, s.OptionsHash, stamp(s.KeptSince)).Scan(&id) == nil
}

// reuseKept ends those for which a kept picture was found.
func (cs *captures) reuseKept(ctx context.Context, tx *sql.Tx, rows []*row) error {
	for _, r := range rows {
		if r.kept == nil {
			continue
		}
		done, err := cs.reuse(ctx, tx, r.Capture, *r.kept, r.Owe)
		if err != nil {
			return err
		}
		r.reused = &done
	}
	return nil
}

// reuseResult is a capture that has ended, with the deliveries that are owed for it.
type reuseResult struct {
	capture savepage.Capture
	owed    []savepage.Delivery
	storing bool // it has its result and waits for its store: it has not ended
}

// reuse ends a capture that waits, or has only just come, with the result of another, and records what is owed for it.
func (cs *captures) reuse(ctx context.Context, tx *sql.Tx, c, from savepage.Capture, owe capture.Owe) (reuseResult, error) {
	c = ledger.ReuseResult(c, from, cs.clock.Now())
	const end = `UPDATE captures SET state = ?, finished_at = ?, captured_at = (SELECT captured_at FROM captures WHERE id = ?), picture = ?,
		picture_name = ?, report = ?, error = ?, timing = ?, source = ?, waits = 0 WHERE id = ?`
	parts, err := encodeResult(c)
	if err != nil {
		return reuseResult{}, fmt.Errorf("encode the result of %s: %w", c.ID, err)
	}
	state, finished := keptEnd(c)
	values := append([]any{state, finished, from.ID}, parts...)
	if _, err := tx.ExecContext(ctx, end, append(values, c.Source, c.ID)...); err != nil {
		return reuseResult{}, fmt.Errorf("end %s with the result of %s: %w", c.ID, from.ID, err)
	}
	done := reuseResult{capture: c, storing: capture.Stores(c)}
	if done.storing {
		done.capture.State, done.capture.FinishedAt = savepage.Running, time.Time{}
	} else if owe != nil {
		if done.owed, err = owe(c); err != nil {
			return reuseResult{}, err
		}
	}
	done.owed, err = (&uploads{cs}).oweEnd(ctx, tx, c, done.owed)
	return done, err
}

// endFlight ends those that wait for a capture which has just ended.
func (cs *captures) endFlight(ctx context.Context, tx *sql.Tx, ended savepage.Capture, owe capture.Owe) ([]reuseResult, error) {
	if ended.Options.CacheTTL == 0 {
		return nil, nil
	}
	const waiting = `SELECT ` + columns + ` FROM ` + flying + ` AND waits = 1 ORDER BY id`
	var flight sql.NullString
	if err := tx.QueryRowContext(ctx, `SELECT flight FROM captures WHERE id = ?`, ended.ID).Scan(&flight); err != nil {
		return nil, fmt.Errorf("read flight: %w", err)
	}
	list, err := collect(ctx, tx, scanCapture, waiting, ended.Account, flight)
	if err != nil {
		return nil, fmt.Errorf("read captures that wait: %w", err)
	}
	done := make([]reuseResult, 0, len(list))
	for _, c := range list {
		one, err := cs.reuse(ctx, tx, c, ended, owe)
		if err != nil {
			return nil, err
		}
		done = append(done, one)
	}
	return done, nil
}

// succeed gives a job to one of those that waited for a capture which was canceled, unless another leads them.
func (q *queue) succeed(ctx context.Context, tx *sql.Tx, canceled string) error {
	var job captureJob
	err := tx.QueryRowContext(ctx, successor, canceled).Scan(&job.ID, &job.Account, &job.Class, &job.Turn)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look for a successor of %s: %w", canceled, err)
	}
	return q.enqueue(ctx, tx, job)
}

// successor selects the one that is wanted soonest and has it wait no longer.
const successor = `UPDATE captures SET waits = 0 WHERE id = (
		SELECT f.id FROM captures c JOIN captures f INDEXED BY captures_flight ON f.account = c.account AND f.flight = c.flight
		WHERE c.id = ?1 AND f.flight IS NOT NULL AND f.state IN ('queued', 'running') AND f.waits = 1 AND NOT ` + led + `
		ORDER BY f.interactive DESC, f.batch IS NOT NULL, f.id LIMIT 1)
	RETURNING id, account, ` + class + `, turn`

// led says whether the capture f has one in its flight that has a job.
const led = `EXISTS (SELECT 1 FROM captures o INDEXED BY captures_flight WHERE o.flight IS NOT NULL AND o.state IN ('queued', 'running')
	AND o.account = f.account AND o.flight = f.flight AND o.waits = 0)`
