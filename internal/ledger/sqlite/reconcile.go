package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/savepage/savepage/internal/ledger"
)

// How often and how much is looked after.
const (
	reconcileEvery = 3 * time.Second
	reconcileRows  = 5000 // captures looked at in one go
	adoptRows      = 500
	orphanAge      = 10 * time.Second // a job that runs so long without a worker has none
	purgeEvery     = time.Minute
	noteEvery      = time.Minute
	purgeRows      = 1000
	promoteRows    = 500
	promoteEvery   = 5 * time.Second // at the latest
)

// takeOver gives back what the process before left running. The lock on the folder says that it is gone.
func (l *Ledger) takeOver(ctx context.Context) error {
	err := inTx(ctx, l.write, func(tx *sql.Tx) error {
		for _, statement := range []string{
			`UPDATE captures SET state = 'queued', started_at = NULL WHERE state IN ('queued', 'running') AND state = 'running'`,
			`UPDATE accounts SET waiting_interactive = 0, waiting = 0, waiting_batch = 0`,
			`UPDATE accounts SET waiting_interactive = c.interactive, waiting = c.async, waiting_batch = c.batched
				FROM (SELECT account, sum(interactive = 1) AS interactive, sum(interactive = 0 AND batch IS NULL) AS async,
						sum(interactive = 0 AND batch IS NOT NULL) AS batched
					FROM captures WHERE state IN ('queued', 'running') AND waits = 0 GROUP BY account) AS c
				WHERE accounts.id = c.account`,
			`UPDATE river_job SET state = 'available' WHERE state = 'running'`,
			`DELETE FROM river_job WHERE kind = 'delivery'`, // of a version before: deliveries need none
			`DELETE FROM river_leader`,                      // or River's upkeep waits until the old leader's term is over
		} {
			if _, err := tx.ExecContext(ctx, statement); err != nil {
				return err
			}
		}
		if err := l.restorePlaces(ctx, tx, time.Time{}); err != nil {
			return err
		}
		var pending int64
		err := tx.QueryRowContext(ctx, `SELECT count(*) FROM captures WHERE state IN ('queued', 'running')`).Scan(&pending)
		l.pending.Store(pending)
		return err
	})
	if err != nil {
		return fmt.Errorf("take over: %w", err)
	}
	return nil
}

// sweep is how far the reconciler has come through the captures that are on the way.
type sweep struct {
	captures string // id
	purged   time.Time
	noted    time.Time
}

// reconcileAll looks through all captures once.
func (l *Ledger) reconcileAll(ctx context.Context) error {
	for {
		if err := l.reconcile(ctx); err != nil {
			return err
		}
		if l.sweep.captures == "" {
			return nil
		}
	}
}

func (l *Ledger) keepReconciling(ctx context.Context) {
	for l.clock.Pause(ctx, reconcileEvery) {
		if err := errors.Join(l.reconcile(ctx), l.adoptOrphans(ctx), l.repair(ctx), l.purge(ctx), l.noteAgain(ctx)); err != nil && ctx.Err() == nil {
			l.log.ErrorContext(ctx, "reconciling failed", "error", err)
		}
	}
}

// lackingQuery selects, among the next captures on the way, those that no job drives.
const lackingQuery = `SELECT r.id, r.at, NOT EXISTS (SELECT 1 FROM river_job WHERE unique_key = CAST(r.id AS BLOB) AND ` + live + `)` + unlessItWaits + `
	FROM (SELECT id, due_at AS at FROM captures INDEXED BY captures_pending WHERE state IN ('queued', 'running') AND id > ? ORDER BY id LIMIT ?) AS r`

// unlessItWaits leaves out captures that wait for another one.
const unlessItWaits = ` AND NOT EXISTS (SELECT 1 FROM captures f WHERE f.id = r.id AND f.waits = 1 AND ` + led + `)`

type drivenRecord struct {
	id     string
	at     time.Time
	lonely bool // no job drives it
}

func scanDriven(scan func(dest ...any) error) (drivenRecord, error) {
	var (
		record drivenRecord
		at     sql.NullInt64
	)
	err := scan(&record.id, &at, &record.lonely)
	record.at = moment(at)
	return record, err
}

// reconcile gives jobs to the next captures on the way that have none.
func (l *Ledger) reconcile(ctx context.Context) error {
	captures, cursor, err := l.lonely(ctx, l.sweep.captures)
	if err != nil {
		return fmt.Errorf("look for captures without a job: %w", err)
	}
	now := l.clock.Now()
	jobs := make([]queued, 0, len(captures))
	for _, c := range captures {
		jobs = append(jobs, captureJob{ID: c.id, at: again(now, c.at.Sub(now))})
	}
	if err := l.adopt(ctx, jobs); err != nil {
		return err
	}
	l.sweep.captures = cursor
	return nil
}

// lonely reads the next captures after the cursor and returns those without a job, and the cursor after them: empty at
// the end.
func (l *Ledger) lonely(ctx context.Context, cursor string) ([]drivenRecord, string, error) {
	records, err := collect(ctx, l.read, scanDriven, lackingQuery, cursor, reconcileRows)
	if err != nil {
		return nil, "", err
	}
	cursor = ""
	if len(records) == reconcileRows {
		cursor = records[len(records)-1].id
	}
	var without []drivenRecord
	for _, r := range records {
		if r.lonely {
			without = append(without, r)
		}
	}
	return without, cursor, nil
}

func (l *Ledger) adopt(ctx context.Context, jobs []queued) error {
	if len(jobs) == 0 {
		return nil
	}
	for some := range slices.Chunk(jobs, adoptRows) {
		err := l.do(ctx, func(ctx context.Context, tx *sql.Tx) error { return l.enqueue(ctx, tx, some...) }, nil)
		if err != nil {
			return fmt.Errorf("give jobs to captures: %w", err)
		}
	}
	l.log.WarnContext(ctx, "captures without a job were given one", "count", len(jobs))
	l.ringAll()
	return nil
}

func (l *Ledger) ringAll() {
	l.driver.due.send(ledger.QueueInteractive)
	l.wakePromoter()
}

// adoptOrphans gives back jobs that count as running while no worker of this process has them.
func (l *Ledger) adoptOrphans(ctx context.Context) error {
	const running = `SELECT id FROM river_job WHERE state = 'running' AND attempted_at < ?`
	jobs, err := collect(ctx, l.read, scanNumber, running, riverTime(l.clock.Now().Add(-orphanAge)))
	if err != nil {
		return fmt.Errorf("look for jobs without a worker: %w", err)
	}
	for _, job := range jobs {
		if l.active.holds(job) {
			continue
		}
		err := l.do(ctx, func(ctx context.Context, tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, `UPDATE river_job SET state = 'available' WHERE id = ? AND state = 'running'`, job)
			return err
		}, nil)
		if err != nil {
			return fmt.Errorf("give back job %d: %w", job, err)
		}
		l.log.WarnContext(ctx, "job without a worker was given back", "job", job)
		l.ringAll()
	}
	return nil
}

func scanNumber(scan func(dest ...any) error) (int64, error) {
	var n int64
	err := scan(&n)
	return n, err
}

// restorePlaces puts captures back among the first whose job River has moved to the present, after a fault or at a stop: with
// all places in the past they would go last for hours. A job that has its place still waits from before it was made.
func (l *Ledger) restorePlaces(ctx context.Context, tx *sql.Tx, since time.Time) error {
	now := l.clock.Now()
	const displaced = `UPDATE river_job SET scheduled_at = ?1 WHERE state = 'available' AND queue = ?2 AND priority = 1
		AND scheduled_at > ?3 AND scheduled_at <= ?4 AND scheduled_at >= created_at`
	_, err := tx.ExecContext(ctx, displaced, riverTime(again(now, 0)), ledger.QueueInteractive, riverTime(since), riverTime(now))
	if err != nil {
		return fmt.Errorf("restore places: %w", err)
	}
	return nil
}

// repair restores places that were lost since the round before.
func (l *Ledger) repair(ctx context.Context) error {
	return l.do(ctx, func(ctx context.Context, tx *sql.Tx) error {
		return l.restorePlaces(ctx, tx, l.clock.Now().Add(-10*reconcileEvery))
	}, nil)
}

// noteAgain tells the lanes again what is owed, so that a fault of theirs becomes latency and never loss.
func (l *Ledger) noteAgain(ctx context.Context) error {
	now := l.clock.Now()
	if now.Sub(l.sweep.noted) < noteEvery {
		return nil
	}
	l.sweep.noted = now
	return errors.Join(l.purgeReceivers(ctx), l.noteAll(ctx))
}

// purge forgets Idempotency-Keys that have expired, some at a time.
func (l *Ledger) purge(ctx context.Context) error {
	now := l.clock.Now()
	if now.Sub(l.sweep.purged) < purgeEvery {
		return nil
	}
	all := false
	err := l.do(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if err := dropExpired(ctx, tx, now); err != nil {
			return err
		}
		const old = `DELETE FROM idempotency WHERE (account, key) IN
			(SELECT account, key FROM idempotency WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)`
		done, err := tx.ExecContext(ctx, old, stamp(now), purgeRows)
		if err != nil {
			return err
		}
		n, err := done.RowsAffected()
		all = n < purgeRows
		return err
	}, nil)
	if err != nil {
		return fmt.Errorf("purge what has expired: %w", err)
	}
	// A full share means that there may be more: the next round goes on.
	if all {
		l.sweep.purged = now
	}
	return nil
}
