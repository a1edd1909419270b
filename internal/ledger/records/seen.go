package records

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// setBack is how much earlier than the last server's time this one's must be to count as set back.
const setBack = time.Second

// recall moves what waits for a time, when the clock was set back since the last server ended: it waits as long as it did
// then. How long no server was there, nobody knows.
func (l *Ledger) recall(ctx context.Context, tx *sql.Tx) error {
	var at sql.NullInt64
	err := tx.QueryRowContext(ctx, `SELECT at FROM seen`).Scan(&at)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the time of the last server: %w", err)
	}
	by := l.db.clock.Now().Sub(moment(at))
	if by > -setBack {
		return nil
	}
	l.db.log.WarnContext(ctx, "the clock is behind the last server's: what waits is moved", "by", by)
	const jobs = `UPDATE river_job SET scheduled_at = strftime('%Y-%m-%d %H:%M:%f', scheduled_at, ?) WHERE state = 'pending'`
	if _, err := tx.ExecContext(ctx, jobs, fmt.Sprintf("%+.3f seconds", by.Seconds())); err != nil {
		return fmt.Errorf("move jobs: %w", err)
	}
	for _, move := range []string{
		`UPDATE deliveries SET next_at = next_at + ? WHERE state = 'pending'`,
		`UPDATE receivers SET opened_at = opened_at + ?1, probe_at = probe_at + ?1`,
		`UPDATE captures SET due_at = due_at + ?1, faulted_at = faulted_at + ?1 WHERE batch IS NULL AND state IN ('queued', 'running')`,
		`UPDATE captures SET due_at = due_at + ?1, faulted_at = faulted_at + ?1 WHERE batch IS NOT NULL AND state IN ('queued', 'running')`,
	} {
		if _, err := tx.ExecContext(ctx, move, by.Microseconds()); err != nil {
			return fmt.Errorf("move what waits: %w", err)
		}
	}
	return keepSeen(ctx, tx, l.db.clock.Now())
}

func keepSeen(ctx context.Context, tx *sql.Tx, now time.Time) error {
	const keep = `INSERT INTO seen (id, at) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET at = excluded.at`
	if _, err := tx.ExecContext(ctx, keep, stamp(now)); err != nil {
		return fmt.Errorf("keep the time: %w", err)
	}
	return nil
}

// noteTime keeps the time for the next server: now and then, and always while the machine's date is behind it.
func (l *Ledger) noteTime(ctx context.Context) error {
	now := l.db.clock.Now()
	if now.Sub(l.seen) < noteEvery && !l.db.clock.Moved() {
		return nil
	}
	l.seen = now
	return l.db.do(ctx, func(ctx context.Context, tx *sql.Tx) error { return keepSeen(ctx, tx, now) }, nil)
}
