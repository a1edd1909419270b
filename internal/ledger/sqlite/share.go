package sqlite

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
const flying = `captures INDEXED BY captures_flight WHERE flight IS NOT NULL AND state IN ('queued', 'running') AND account = ? AND flight = ?`

const newestKept = `account = ? AND options_hash = ? AND state = 'success' AND captured_at >= ? ORDER BY captured_at DESC LIMIT 1`

// leads says whether a submission of a class may wait for another capture.
const leads = `SELECT EXISTS (SELECT 1 FROM ` + flying + ` AND waits = 0 AND (state = 'running' OR ` + class + ` <= ?))`

// class is the ledger.Class of a capture.
const class = `(interactive = 0) * (1 + (batch IS NOT NULL))`

// reuse decides what becomes of fresh submissions: each ends with a kept picture, waits for an equal capture, or leads. It
// returns those that lead, or have nothing to do with others: they need jobs.
func (l *Ledger) reuse(ctx context.Context, tx *sql.Tx, rows []*row) ([]*row, error) {
	leading := make([]*row, 0, len(rows))
	before := map[[2]string]ledger.Class{} // of those that lead among the rows
	for _, r := range rows {
		r.reuse, r.kept, r.given = capture.ReuseNone, nil, nil
		if r.Flight != "" {
			if err := reuseFlight(ctx, tx, r, before); err != nil {
				return nil, err
			}
		}
		if r.reuse == capture.ReuseNone || r.reuse == capture.ReuseMiss {
			leading = append(leading, r)
		}
	}
	return leading, nil
}

func reuseFlight(ctx context.Context, tx *sql.Tx, r *row, before map[[2]string]ledger.Class) error {
	kept, err := getCapture(ctx, tx, newestKept, r.Capture.Account, r.OptionsHash, stamp(r.KeptSince))
	if err == nil {
		r.reuse, r.kept = capture.ReuseHit, &kept
		return nil
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("look for a kept picture: %w", err)
	}
	key, wanted := [2]string{r.Capture.Account, r.Flight}, ledger.ClassOf(r.Capture)
	first, joins := before[key]
	if joins = joins && first <= wanted; !joins {
		if err := tx.QueryRowContext(ctx, leads, r.Capture.Account, r.Flight, wanted).Scan(&joins); err != nil {
			return fmt.Errorf("look for an equal capture: %w", err)
		}
	}
	if joins {
		r.reuse = capture.ReuseJoined
		return nil
	}
	r.reuse, before[key] = capture.ReuseMiss, wanted
	return nil
}

// hasKept reports whether a kept picture will do for a submission, as far as can be known before it is recorded: it then
// needs no place in the queue.
func (l *Ledger) hasKept(ctx context.Context, s capture.Submission) bool {
	if s.Flight == "" {
		return false
	}
	var id string
	const query = `SELECT id FROM captures WHERE ` + newestKept
	return l.read.QueryRowContext(ctx, query, s.Capture.Account, s.OptionsHash, stamp(s.KeptSince)).Scan(&id) == nil
}

// giveKept ends those for which a kept picture was found.
func (l *Ledger) giveKept(ctx context.Context, tx *sql.Tx, rows []*row) error {
	for _, r := range rows {
		if r.kept == nil {
			continue
		}
		done, err := l.give(ctx, tx, r.Capture, *r.kept, r.Owe)
		if err != nil {
			return err
		}
		r.given = &done
	}
	return nil
}

// give ends a capture that waits, or has only just come, with the result of another, and records what is owed for it.
func (l *Ledger) give(ctx context.Context, tx *sql.Tx, c, from savepage.Capture, owe capture.Owe) (given, error) {
	c.State, c.FinishedAt = from.State, l.clock.Now().UTC().Truncate(time.Microsecond)
	c.Source, c.Picture, c.Report, c.Error, c.CapturedAt = from.ID, from.Picture, from.Report, from.Error, from.CapturedAt
	if from.Source != "" {
		c.Source = from.Source
	}
	waited := max(c.FinishedAt.Sub(c.CreatedAt).Milliseconds(), 0)
	c.Timing = savepage.Timing{QueueMS: waited, TotalMS: waited}
	const end = `UPDATE captures SET state = ?, finished_at = ?, captured_at = (SELECT captured_at FROM captures WHERE id = ?), picture = ?,
		picture_name = ?, report = ?, error = ?, timing = ?, source = ?, waits = 0 WHERE id = ?`
	parts, err := encodeResult(c)
	if err != nil {
		return given{}, fmt.Errorf("encode the result of %s: %w", c.ID, err)
	}
	values := append([]any{string(c.State), stamp(c.FinishedAt), from.ID}, parts...)
	if _, err := tx.ExecContext(ctx, end, append(values, c.Source, c.ID)...); err != nil {
		return given{}, fmt.Errorf("give %s the result of %s: %w", c.ID, from.ID, err)
	}
	done := given{capture: c}
	if owe != nil {
		if done.owed, err = owe(c); err != nil {
			return given{}, err
		}
	}
	last, err := l.leaveBatch(ctx, tx, batchEnds{c.BatchID, c.State, 1})
	if err != nil {
		return given{}, err
	}
	done.owed = append(done.owed, last...)
	return done, l.owe(ctx, tx, done.owed)
}

// given is a capture that has ended with the result of another.
type given struct {
	capture savepage.Capture
	owed    []savepage.Delivery
}

// gave follows the commit.
func (l *Ledger) gave(done ...given) {
	for _, one := range done {
		l.ended(one.capture.ID)
		l.woke(one.owed)
	}
}

// share ends those that wait for a capture which has just ended.
func (l *Ledger) share(ctx context.Context, tx *sql.Tx, ended savepage.Capture, o capture.Outcome) ([]given, error) {
	if ended.Options.CacheTTL == 0 {
		return nil, nil
	}
	ended.State, ended.Picture, ended.Report, ended.Error, ended.CapturedAt = o.State, o.Picture, o.Report, o.Error, o.FinishedAt
	const waiting = `SELECT ` + columns + ` FROM ` + flying + ` AND waits = 1 ORDER BY id`
	var flight sql.NullString
	if err := tx.QueryRowContext(ctx, `SELECT flight FROM captures WHERE id = ?`, ended.ID).Scan(&flight); err != nil {
		return nil, fmt.Errorf("read flight: %w", err)
	}
	list, err := collect(ctx, tx, scanCapture, waiting, ended.Account, flight)
	if err != nil {
		return nil, fmt.Errorf("read captures that wait: %w", err)
	}
	done := make([]given, 0, len(list))
	for _, c := range list {
		one, err := l.give(ctx, tx, c, ended, o.Owe)
		if err != nil {
			return nil, err
		}
		done = append(done, one)
	}
	return done, nil
}

// succeed gives a job to one of those that waited for a capture which was canceled, unless another leads them.
func (l *Ledger) succeed(ctx context.Context, tx *sql.Tx, canceled string) error {
	var (
		id, account string
		wanted      ledger.Class
	)
	err := tx.QueryRowContext(ctx, successor, canceled).Scan(&id, &account, &wanted)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look for a successor of %s: %w", canceled, err)
	}
	if err := count(ctx, tx, account, one(wanted)); err != nil {
		return err
	}
	return l.enqueue(ctx, tx, captureJob{ID: id, at: again(l.clock.Now(), 0)})
}

// successor selects the one that is wanted soonest and has it wait no longer.
const successor = `UPDATE captures SET waits = 0 WHERE id = (
		SELECT f.id FROM captures c JOIN captures f INDEXED BY captures_flight ON f.account = c.account AND f.flight = c.flight
		WHERE c.id = ?1 AND f.flight IS NOT NULL AND f.state IN ('queued', 'running') AND f.waits = 1 AND NOT ` + led + `
		ORDER BY f.interactive DESC, f.batch IS NOT NULL, f.id LIMIT 1)
	RETURNING id, account, ` + class

// led says whether the capture f has one in its flight that has a job.
const led = `EXISTS (SELECT 1 FROM captures o INDEXED BY captures_flight WHERE o.flight IS NOT NULL AND o.state IN ('queued', 'running')
	AND o.account = f.account AND o.flight = f.flight AND o.waits = 0)`
