package records

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/ledger"
)

// What an account has on the way stands in its row, and what it has used of a month in usage. Captures that are accepted
// add to both, in their commit; the trigger captures_counted takes off what ends.

// limitColumns are the limits that an account may have of its own, in the order of savepage.LimitTable.
const limitColumns = `limit_requests_per_minute, limit_pending, limit_pending_bytes, limit_pages, limit_timeout, limit_captures_per_month`

// scannedLimits are limitColumns as they are read: NULL is the server's.
type scannedLimits [6]sql.NullInt64

// into returns where the columns are read to.
func (s *scannedLimits) into() []any {
	dest := make([]any, len(s))
	for i := range s {
		dest[i] = &s[i]
	}
	return dest
}

// over returns the limits with the account's own in place of the server's.
func (s *scannedLimits) over(limits savepage.Limits) savepage.Limits {
	for i, row := range savepage.LimitTable() {
		if s[i].Valid {
			*limits.Limit(row.Name) = int(s[i].Int64)
		}
	}
	return limits
}

const standingQuery = `SELECT ` + limitColumns + `, closed_at IS NOT NULL, pending, pending_bytes, running, coalesce(used, 0),
		coalesce(reserved, 0)
	FROM accounts LEFT JOIN usage ON usage.account = accounts.id AND usage.month = ? WHERE accounts.id = ?`

// standing reads how an account stands at a time. limits are the server's. One that is not there counts as closed.
func standing(ctx context.Context, q Queries, account string, at time.Time, limits savepage.Limits) (*ledger.Standing, error) {
	s := &ledger.Standing{At: at}
	var own scannedLimits
	dest := append(own.into(), &s.Closed, &s.Pending.Captures, &s.Pending.Bytes, &s.Running, &s.Used, &s.Pending.Cost)
	err := q.QueryRowContext(ctx, standingQuery, int(ledger.MonthOf(at)), account).Scan(dest...)
	if errors.Is(err, sql.ErrNoRows) {
		s.Closed = true
		return s, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read what account %s has on the way: %w", account, err)
	}
	s.Limits = own.over(limits)
	return s, nil
}

// MayAdd returns why an account may not add a load now, or nil: *savepage.Error of CodeTooManyPending or
// CodeQuotaExceeded. What is true at the commit is asked again there.
func (cs *captures) MayAdd(ctx context.Context, account string, l ledger.Load) error {
	s, err := standing(ctx, cs.read, account, cs.clock.Now(), cs.limits)
	if err != nil {
		return err
	}
	if fault := s.Refuse(l); fault != nil {
		return fault
	}
	return nil
}

// admission judges the captures of one transaction.
type admission struct {
	captures *captures
	tx       *sql.Tx
	accounts map[accountMonth]*ledger.Standing
}

type accountMonth struct {
	account string
	month   ledger.Month
}

// month says whose captures of which month a submission is one of.
func (r *row) month() accountMonth {
	return accountMonth{r.Capture.Account, ledger.MonthOf(r.Capture.CreatedAt)}
}

func admissionOf(cs *captures, tx *sql.Tx) *admission {
	return &admission{captures: cs, tx: tx, accounts: map[accountMonth]*ledger.Standing{}}
}

// admit returns why the captures, which are of one account, may not be added together, or nil. Those that end with a kept
// picture are no load.
func (a *admission) admit(ctx context.Context, rows ...*row) (*savepage.Error, error) {
	var sum ledger.Load
	for _, r := range rows {
		if err := r.lookForKept(ctx, a.tx); err != nil {
			return nil, err
		}
		if r.kept == nil {
			sum = sum.Plus(r.load())
		}
	}
	key := rows[0].month()
	s := a.accounts[key]
	if s == nil {
		var err error
		if s, err = standing(ctx, a.tx, key.account, rows[0].Capture.CreatedAt, a.captures.limits); err != nil {
			return nil, err
		}
		a.accounts[key] = s
	}
	return s.Admit(sum), nil
}

// admitEach leaves out captures that their accounts may not add, and says why.
func (a *admission) admitEach(ctx context.Context, rows []*row) ([]*row, error) {
	admitted := make([]*row, 0, len(rows))
	for _, r := range rows {
		var err error
		if r.refused, err = a.admit(ctx, r); err != nil {
			return nil, err
		}
		if r.refused == nil {
			admitted = append(admitted, r)
			continue
		}
		if err := freeKey(ctx, a.tx, r.Capture.Account, r.IdempotencyKey, r.Capture.ID); err != nil {
			return nil, err
		}
	}
	return admitted, nil
}

// freeKey gives the Idempotency-Key of a refused request back.
func freeKey(ctx context.Context, tx *sql.Tx, account, key, id string) error {
	if key == "" {
		return nil
	}
	const free = `DELETE FROM idempotency WHERE account = ? AND key = ? AND capture = ?`
	if _, err := tx.ExecContext(ctx, free, account, key, id); err != nil {
		return fmt.Errorf("give idempotency key back: %w", err)
	}
	return nil
}

// load is what the capture adds to its account. One that ends with a kept picture costs nothing.
func (r *row) load() ledger.Load {
	l := ledger.Load{Captures: 1, Bytes: r.size(), Cost: ledger.Cost(r.Capture.Options)}
	if r.kept != nil {
		l.Cost = 0
	}
	return l
}

// added is what is added to an account in one transaction.
type added struct {
	ledger.Load
	batch int // captures of batches among them
}

// addLoads adds captures that are recorded to what their accounts have on the way.
func addLoads(ctx context.Context, tx *sql.Tx, rows []*row) error {
	loads := map[accountMonth]added{}
	for _, r := range rows {
		sum := loads[r.month()]
		sum.Load = sum.Plus(r.load())
		if r.Capture.BatchID != "" {
			sum.batch++
		}
		loads[r.month()] = sum
	}
	for key, sum := range loads {
		if err := addLoad(ctx, tx, key, sum); err != nil {
			return fmt.Errorf("count captures of account %s: %w", key.account, err)
		}
	}
	return nil
}

func addLoad(ctx context.Context, tx *sql.Tx, key accountMonth, sum added) error {
	const pending = `UPDATE accounts SET pending = pending + ?, pending_bytes = pending_bytes + ?, pending_batch = pending_batch + ?
		WHERE id = ?`
	if _, err := tx.ExecContext(ctx, pending, sum.Captures, sum.Bytes, sum.batch, key.account); err != nil {
		return err
	}
	const reserve = `INSERT INTO usage (account, month, reserved) VALUES (?, ?, ?)
		ON CONFLICT (account, month) DO UPDATE SET reserved = usage.reserved + excluded.reserved`
	_, err := tx.ExecContext(ctx, reserve, key.account, int(key.month), sum.Cost)
	return err
}
