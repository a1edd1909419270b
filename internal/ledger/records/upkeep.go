package records

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
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

// readPending takes what accounts have on the way from their rows, which are right in every commit.
func (l *Ledger) readPending(ctx context.Context, tx *sql.Tx) error {
	pending := map[string]int64{}
	_, err := collect(ctx, tx, func(scan func(dest ...any) error) (string, error) {
		var account string
		var n int64
		err := scan(&account, &n)
		pending[account] = n
		return account, err
	}, `SELECT id, pending FROM accounts`)
	l.pending.Set(pending)
	return err
}

// interrupted is a capture that was rendered when the service ended.
type interrupted struct {
	job    captureJob
	deaths int
}

func scanInterrupted(scan func(dest ...any) error) (c interrupted, err error) {
	return c, scan(&c.job.ID, &c.job.Account, &c.job.Class, &c.job.Turn, &c.deaths)
}

// takeBack queues the captures that were rendered when their nodes ended. One that was so again and again waits before it is
// taken: it may be what ends the service, and if it is not, its next end finds it waiting.
func (q *queue) takeBack(ctx context.Context, tx *sql.Tx) error {
	const back = `UPDATE captures SET state = 'queued', started_at = NULL, free = free + 1, deaths = deaths + 1
		WHERE state = 'running' AND (node IS NULL OR node NOT IN ` + liveNode + `) RETURNING id, account, ` + class + `, turn, deaths`
	all, err := collect(ctx, tx, scanInterrupted, back)
	if err != nil {
		return fmt.Errorf("give back what was running: %w", err)
	}
	now := q.clock.Now()
	for _, c := range all {
		wait := ledger.AfterDeath(c.deaths)
		if wait == 0 {
			continue
		}
		if err := dropJob(ctx, tx, c.job.ID); err != nil {
			return err
		}
		c.job.at = now.Add(wait)
		if _, err := tx.ExecContext(ctx, `UPDATE captures SET due_at = ? WHERE id = ?`, stamp(c.job.at), c.job.ID); err != nil {
			return err
		}
		if err := q.enqueue(ctx, tx, c.job); err != nil {
			return err
		}
		q.log.WarnContext(ctx, "the service has ended again while it rendered a capture: it waits", "capture", c.job.ID, "times", c.deaths,
			"wait", wait)
	}
	return nil
}

// keepUp looks after the jobs and the records until ctx ends.
func (l *Ledger) keepUp(ctx context.Context) {
	var err error
	for l.db.rest(ctx, err) {
		if err = nil; l.Leads() {
			err = errors.Join(l.purge(ctx), l.noteTime(ctx))
		}
		err = errors.Join(err, l.queue.adoptOrphans(ctx), l.noteAgain(ctx))
	}
}

// rest logs what went wrong in a round of looking after, and waits for the next one; false when ctx has ended.
func (d *db) rest(ctx context.Context, err error) bool {
	if err != nil && ctx.Err() == nil {
		d.log.ErrorContext(ctx, "reconciling failed", "error", err)
	}
	return d.clock.Pause(ctx, reconcileEvery)
}

// noteAgain tells the lanes again what is owed, and the heads what waits, so that a fault of theirs becomes latency and never
// loss.
func (l *Ledger) noteAgain(ctx context.Context) error {
	now := l.db.clock.Now()
	if now.Sub(l.noted) < noteEvery {
		return nil
	}
	l.noted = now
	l.own.Doubt()
	return errors.Join(l.purgeReceivers(ctx), l.noteAll(ctx), l.queue.noteHeads(ctx, l.db.search))
}

// toldLongAgo returns the number of a notice that every node which lives has read, once a minute a later one.
func (l *Ledger) toldLongAgo() int64 {
	l.hearing.Lock()
	defer l.hearing.Unlock()
	l.past = append(l.past, l.heard)
	if len(l.past) <= noticeRounds {
		return 0
	}
	l.past = l.past[1:]
	return l.past[0]
}

// dropNodes forgets nodes that ended long ago, and what all have been told.
func dropNodes(ctx context.Context, tx *sql.Tx, told int64) error {
	if _, err := tx.ExecContext(ctx, `DELETE FROM notices WHERE id <= ?`, told); err != nil {
		return fmt.Errorf("remove notices: %w", err)
	}
	const old = `DELETE FROM nodes WHERE ended < ` + dbNow + ` - ?`
	if _, err := tx.ExecContext(ctx, old, nodeShown.Microseconds()); err != nil {
		return fmt.Errorf("forget nodes: %w", err)
	}
	return nil
}

// purge forgets Idempotency-Keys that have expired, old events of inboxes and hours that are long past, some at a time.
func (l *Ledger) purge(ctx context.Context) error {
	now := l.db.clock.Now()
	if now.Sub(l.purged) < purgeEvery {
		return nil
	}
	all, told := false, l.toldLongAgo()
	err := l.db.do(ctx, func(ctx context.Context, tx *sql.Tx) error {
		date := l.db.clock.Date()
		if err := errors.Join(dropExpired(ctx, tx, date), dropOldInboxEvents(ctx, tx, date)); err != nil {
			return err
		}
		if err := dropNodes(ctx, tx, told); err != nil {
			return err
		}
		const old = `DELETE FROM idempotency WHERE (account, key) IN
			(SELECT account, key FROM idempotency WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)`
		done, err := tx.ExecContext(ctx, old, stamp(date), purgeRows)
		if err != nil {
			return err
		}
		n, err := done.RowsAffected()
		if err != nil {
			return err
		}
		all, err = dropHours(ctx, tx, date)
		all = all && n < purgeRows
		return err
	}, nil)
	if err != nil {
		return fmt.Errorf("purge what has expired: %w", err)
	}
	// A full share means that there may be more: the next round goes on.
	if all {
		l.purged = now
	}
	return nil
}
