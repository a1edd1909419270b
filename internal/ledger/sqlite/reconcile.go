package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/savepage/savepage/internal/ledger"
)

// reconcileAll looks through all captures once.
func (q *queue) reconcileAll(ctx context.Context) error {
	for {
		if err := q.reconcile(ctx); err != nil {
			return err
		}
		if q.swept == "" {
			return nil
		}
	}
}

// lackingQuery selects, among the next captures on the way, those that no job drives.
const lackingQuery = `SELECT r.id, r.at, NOT EXISTS (SELECT 1 FROM river_job WHERE unique_key = CAST(r.id AS BLOB) AND ` + live + `)` +
	unlessItWaits + `
	FROM (SELECT id, due_at AS at FROM captures INDEXED BY captures_pending WHERE state IN ('queued', 'running') AND id > ? ORDER BY id
		LIMIT ?) AS r`

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
func (q *queue) reconcile(ctx context.Context) error {
	captures, cursor, err := q.lonely(ctx, q.swept)
	if err != nil {
		return fmt.Errorf("look for captures without a job: %w", err)
	}
	now := q.clock.Now()
	jobs := make([]queued, 0, len(captures))
	for _, c := range captures {
		jobs = append(jobs, captureJob{ID: c.id, at: ledger.PlaceAgain(now, c.at.Sub(now))})
	}
	if err := q.adopt(ctx, jobs); err != nil {
		return err
	}
	q.swept = cursor
	return nil
}

// lonely reads the next captures after the cursor and returns those without a job, and the cursor after them: empty at
// the end.
func (q *queue) lonely(ctx context.Context, cursor string) ([]drivenRecord, string, error) {
	records, err := collect(ctx, q.read, scanDriven, lackingQuery, cursor, reconcileRows)
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

func (q *queue) adopt(ctx context.Context, jobs []queued) error {
	if len(jobs) == 0 {
		return nil
	}
	for some := range slices.Chunk(jobs, adoptRows) {
		err := q.do(ctx, func(ctx context.Context, tx *sql.Tx) error { return q.enqueue(ctx, tx, some...) }, nil)
		if err != nil {
			return fmt.Errorf("give jobs to captures: %w", err)
		}
	}
	q.log.WarnContext(ctx, "captures without a job were given one", "count", len(jobs))
	q.wakeAll()
	return nil
}

func (q *queue) wakeAll() {
	q.due(0)
	q.wakePromoter()
}

// adoptOrphans gives back jobs that count as running while no worker of this process has them.
func (q *queue) adoptOrphans(ctx context.Context) error {
	const running = `SELECT id FROM river_job WHERE state = 'running' AND attempted_at < ?`
	jobs, err := collect(ctx, q.read, scanNumber, running, riverTime(q.clock.Now().Add(-orphanAge)))
	if err != nil {
		return fmt.Errorf("look for jobs without a worker: %w", err)
	}
	for _, job := range jobs {
		if q.running.Holds(job) {
			continue
		}
		err := q.do(ctx, func(ctx context.Context, tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, `UPDATE river_job SET state = 'available' WHERE id = ? AND state = 'running'`, job)
			return err
		}, nil)
		if err != nil {
			return fmt.Errorf("give back job %d: %w", job, err)
		}
		q.log.WarnContext(ctx, "job without a worker was given back", "job", job)
		q.wakeAll()
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
func (q *queue) restorePlaces(ctx context.Context, tx *sql.Tx, since time.Time) error {
	now := q.clock.Now()
	const displaced = `UPDATE river_job SET scheduled_at = ?1 WHERE state = 'available' AND queue = ?2 AND priority = 1
		AND scheduled_at > ?3 AND scheduled_at <= ?4 AND scheduled_at >= created_at`
	_, err := tx.ExecContext(ctx, displaced, riverTime(ledger.PlaceAgain(now, 0)), ledger.QueueInteractive, riverTime(since),
		riverTime(now))
	if err != nil {
		return fmt.Errorf("restore places: %w", err)
	}
	return nil
}

// repair restores places that were lost since the round before.
func (q *queue) repair(ctx context.Context) error {
	return q.do(ctx, func(ctx context.Context, tx *sql.Tx) error {
		return q.restorePlaces(ctx, tx, q.clock.Now().Add(-10*reconcileEvery))
	}, nil)
}
