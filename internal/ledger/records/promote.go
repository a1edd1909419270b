package records

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/savepage/savepage/internal/ledger"
)

// A job that waits for a time has River's state pending, where a million of them slow neither River's search for available
// jobs nor its scheduler. The promoter makes each available when its time has come.

// due follows a commit that made a job which is due after the wait.
func (q *queue) due(wait time.Duration) {
	if wait > 0 {
		q.wakePromoter()
		return
	}
	q.driver.due.send(ledger.QueueInteractive)
}

func (q *queue) wakePromoter() {
	select {
	case q.alarm <- struct{}{}:
	default:
	}
}

func (q *queue) keepPromoting(ctx context.Context) {
	timer := q.clock.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-q.alarm:
		}
		next, err := q.promote(ctx)
		if err != nil && ctx.Err() == nil {
			q.log.ErrorContext(ctx, "looking for due jobs failed", "error", err)
		}
		timer.ResetAt(next)
	}
}

// promote makes available what is due, and returns when to look again: the time of the next job, at the latest soon.
func (q *queue) promote(ctx context.Context) (time.Time, error) {
	for {
		now := q.clock.Now()
		soon := now.Add(promoteEvery)
		next, err := q.nextDue(ctx)
		switch {
		case err != nil || next.IsZero() || next.After(soon):
			return soon, err
		case next.After(now):
			return next, nil
		}
		if err := q.promoteDue(ctx); err != nil {
			return soon, err
		}
	}
}

const nextDueQuery = `SELECT CAST(scheduled_at AS TEXT) FROM river_job INDEXED BY savepage_job_due WHERE state = 'pending'
	ORDER BY scheduled_at LIMIT 1`

// nextDue returns the time of the first job that waits for one; zero without one.
func (q *queue) nextDue(ctx context.Context) (time.Time, error) {
	var text string
	err := q.read.QueryRowContext(ctx, nextDueQuery).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("read next due job: %w", err)
	}
	at, err := time.Parse(time.DateTime, text)
	if err != nil {
		return time.Time{}, fmt.Errorf("read time of next due job: %w", err)
	}
	return at, nil
}

const promoteQuery = placeValues + ` INDEXED BY savepage_job_due WHERE state = 'pending' AND scheduled_at <= ?1
	ORDER BY scheduled_at LIMIT ?2`

func (q *queue) promoteDue(ctx context.Context) error {
	err := q.do(ctx, func(ctx context.Context, tx *sql.Tx) error {
		return q.line(ctx, tx, promoteQuery, RiverTime(q.clock.Now()), promoteRows)
	}, nil)
	if err != nil {
		return fmt.Errorf("promote due jobs: %w", err)
	}
	q.due(0)
	return nil
}
