package records

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"
)

// lackingQuery selects, among the next captures on the way, those that no job drives.
const lackingQuery = `SELECT r.id, r.account, r.class, r.turn, r.at,
		NOT EXISTS (SELECT 1 FROM river_job WHERE unique_key = CAST(r.id AS BLOB) AND ` + Live + `)` + unlessItWaits + `
	FROM (/* ( */ SELECT id, account, ` + class + ` AS class, turn, due_at AS at FROM captures INDEXED BY captures_single
			WHERE batch IS NULL AND state IN ('queued', 'running') AND id > ?1 ` + firstOfEach + `
		UNION ALL /* ( */ SELECT id, account, ` + class + `, turn, due_at FROM captures INDEXED BY captures_batched
			WHERE batch IS NOT NULL AND state IN ('queued', 'running') AND id > ?1 ` + firstOfEach + `
		ORDER BY id LIMIT ?2) AS r`

// unlessItWaits leaves out captures that wait for another one.
const unlessItWaits = ` AND NOT EXISTS (SELECT 1 FROM captures f WHERE f.id = r.id AND f.waits = 1 AND ` + led + `)`

type drivenRecord struct {
	job    captureJob
	lonely bool // no job drives it
}

func scanDriven(scan func(dest ...any) error) (drivenRecord, error) {
	var (
		record drivenRecord
		at     sql.NullInt64
	)
	err := scan(&record.job.ID, &record.job.Account, &record.job.Class, &record.job.Turn, &at, &record.lonely)
	record.job.at = moment(at)
	return record, err
}

// sweeper looks for captures without a job.
type sweeper struct {
	*queue
	leads  func() bool
	cursor string // id of the capture that it has come to
}

// sweep looks until ctx ends: through all captures once, and then through some at a time on the node that leads.
func (s *sweeper) sweep(ctx context.Context) {
	err := s.reconcileAll(ctx)
	for s.rest(ctx, err) {
		if err = nil; s.leads() {
			_, err = s.reconcile(ctx)
		}
	}
}

// reconcileAll looks through all captures once. While all have jobs it uses a tenth of one processor, so that a start among very
// many takes nothing from the work.
func (s *sweeper) reconcileAll(ctx context.Context) error {
	for {
		began := time.Now()
		found, err := s.reconcile(ctx)
		if err != nil || s.cursor == "" {
			return err
		}
		if found == 0 && !s.clock.Pause(ctx, 9*time.Since(began)) {
			return ctx.Err() //nolint:wrapcheck // the end of the ledger
		}
	}
}

// reconcile gives jobs to the next captures on the way that have none. It returns how many those were.
func (s *sweeper) reconcile(ctx context.Context) (int, error) {
	jobs, cursor, err := s.lonely(ctx, s.cursor)
	if err != nil {
		return 0, fmt.Errorf("look for captures without a job: %w", err)
	}
	if err := s.adopt(ctx, jobs); err != nil {
		return 0, err
	}
	s.cursor = cursor
	return len(jobs), nil
}

// lonely reads the next captures after the cursor and returns jobs for those without one, and the cursor after them: empty
// at the end.
func (q *queue) lonely(ctx context.Context, cursor string) ([]queued, string, error) {
	records, err := collect(ctx, q.read, scanDriven, lackingQuery, cursor, reconcileRows)
	if err != nil {
		return nil, "", err
	}
	cursor = ""
	if len(records) == reconcileRows {
		cursor = records[len(records)-1].job.ID
	}
	var without []queued
	for _, r := range records {
		if r.lonely {
			without = append(without, r.job)
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

const (
	orphanQuery  = placeValues + ` WHERE id = ? AND state = 'running'`
	runningQuery = `SELECT id FROM river_job WHERE state = 'running' AND attempted_at < ?1
		AND coalesce(json_extract(attempted_by, '$[#-1]'), ?2) = ?2`
)

// adoptOrphans gives back jobs that count as running here while no worker of this process has them.
func (q *queue) adoptOrphans(ctx context.Context) error {
	jobs, err := collect(ctx, q.read, scanNumber, runningQuery, RiverTime(q.clock.Now().Add(-orphanAge)), q.self.ID())
	if err != nil {
		return fmt.Errorf("look for jobs without a worker: %w", err)
	}
	for _, job := range jobs {
		if q.running.Holds(job) {
			continue
		}
		err := q.do(ctx, func(ctx context.Context, tx *sql.Tx) error {
			return q.line(ctx, tx, orphanQuery, job)
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
