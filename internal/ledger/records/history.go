package records

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/ledger"
)

// hoursOf selects at most the hours of one account in one history.
const hoursOf = `SELECT hour, success, shared, failed, canceled, bytes, delivered, dead FROM hours
	WHERE account = ? AND hour >= ? AND hour < ?`

// tookOf adds up the times of renders for each point of a history, which begins at an hour that its step divides.
const tookOf = `SELECT hour / ?1 AS point, ms, CAST(sum(n) AS BIGINT) FROM render_times
	WHERE account = ?2 AND hour >= ?3 AND hour < ?4 GROUP BY point, ms`

// History returns what ended in an account over some time, or *savepage.Error of CodeNotFound.
func (ac *accounts) History(ctx context.Context, account string, span savepage.HistorySpan) (savepage.UsageHistory, error) {
	now := ac.clock.Now()
	s, err := standing(ctx, ac.read, account, now, ac.limits)
	if err != nil {
		return savepage.UsageHistory{}, err
	}
	if s.Closed {
		return savepage.UsageHistory{}, ledger.ErrNoAccount(account)
	}
	h := ledger.NewHistory(account, span, now)
	from, until, step := h.Hours()
	_, err = collect(ctx, ac.read, func(scan func(dest ...any) error) (hour int64, err error) {
		var p savepage.UsagePoint
		if err = scan(&hour, &p.Success, &p.Shared, &p.Failed, &p.Canceled, &p.Bytes, &p.Delivered, &p.Dead); err == nil {
			h.Add(hour, p)
		}
		return hour, err
	}, hoursOf, account, from, until)
	if err != nil {
		return savepage.UsageHistory{}, fmt.Errorf("read what ended in account %s: %w", account, err)
	}
	_, err = collect(ctx, ac.read, func(scan func(dest ...any) error) (t ledger.TookSo, err error) {
		if err = scan(&t.Hour, &t.MS, &t.Count); err == nil {
			t.Hour *= step
			h.AddTook(t)
		}
		return t, err
	}, tookOf, step, account, from, until)
	if err != nil {
		return savepage.UsageHistory{}, fmt.Errorf("read how long renders of account %s took: %w", account, err)
	}
	return h.Whole(), nil
}

// dropHours forgets a share of the hours that no history reaches. It reports whether that was all.
func dropHours(ctx context.Context, tx *sql.Tx, now time.Time) (all bool, err error) {
	all = true
	for _, statement := range []string{
		`DELETE FROM hours WHERE (account, hour) IN (SELECT account, hour FROM hours WHERE hour < ? ORDER BY hour LIMIT ?)`,
		`DELETE FROM render_times WHERE (account, hour, ms) IN
			(SELECT account, hour, ms FROM render_times WHERE hour < ? ORDER BY hour LIMIT ?)`,
	} {
		done, err := tx.ExecContext(ctx, statement, ledger.HourOf(now)-ledger.KeepHours, purgeRows)
		if err != nil {
			return false, err
		}
		n, err := done.RowsAffected()
		if err != nil {
			return false, err
		}
		all = all && n < purgeRows
	}
	return all, nil
}
