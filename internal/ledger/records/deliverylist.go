package records

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/ledger"
)

// Deliveries returns what was owed for a capture, oldest first, each with its attempts.
func (ds *deliveries) Deliveries(ctx context.Context, account, captureID string) ([]savepage.Delivery, error) {
	list, err := ds.list(ctx, ds.read, `d.capture = ? AND +d.account = ? ORDER BY d.created_at, d.id`, captureID, account)
	if err != nil {
		return nil, fmt.Errorf("read deliveries of capture %s: %w", captureID, err)
	}
	return list, nil
}

// Delivery returns a delivery of the account with its attempts, or *savepage.Error of CodeNotFound.
func (ds *deliveries) Delivery(ctx context.Context, account, id string) (savepage.Delivery, error) {
	list, err := ds.list(ctx, ds.read, `d.id = ? AND d.account = ?`, id, account)
	if err != nil {
		return savepage.Delivery{}, fmt.Errorf("read delivery %s: %w", id, err)
	}
	if len(list) == 0 {
		return savepage.Delivery{}, ledger.ErrNoDelivery(id)
	}
	return list[0], nil
}

// ListDeliveries returns a page of the account's deliveries with their attempts, newest first, and the cursor of the next
// page, empty on the last one. A cursor that did not come from it is *savepage.Error of CodeInvalidRequest.
func (ds *deliveries) ListDeliveries(ctx context.Context, account string, f capture.DeliveryFilter) (page []savepage.Delivery, next string,
	err error,
) {
	limit := ledger.PageLimit(f.Limit)
	where, args, err := deliveryConditions(account, f)
	if err != nil {
		return nil, "", err
	}
	page, err = ds.list(ctx, ds.search, where+` LIMIT ?`, append(args, limit+1)...)
	if err != nil {
		return nil, "", fmt.Errorf("list deliveries: %w", err)
	}
	page, next = ledger.CutPage(page, limit, func(d savepage.Delivery) ledger.Cursor { return ledger.CursorAt(d.CreatedAt, d.ID) })
	return page, next, nil
}

func deliveryConditions(account string, f capture.DeliveryFilter) (string, []any, error) {
	where, args := []string{`d.account = ?`}, []any{account}
	if state := stateCondition(f.State); state != "" {
		where = append(where, state)
	}
	if f.CaptureID != "" {
		where[0] = `+d.account = ?` // keeps SQLite from going through all of the account's deliveries
		where, args = append(where, `d.capture = ?`), append(args, f.CaptureID)
	}
	if f.Cursor != "" {
		after, err := ledger.ReadCursor(f.Cursor)
		if err != nil {
			return "", nil, err
		}
		where, args = append(where, `(d.created_at, d.id) < (?, ?)`), append(args, after.CreatedAt, after.ID)
	}
	return strings.Join(where, ` AND `) + ` ORDER BY d.created_at DESC, d.id DESC`, args, nil
}

// stateCondition has the state in its text and not as a value, or SQLite would not use the index of that state.
func stateCondition(s savepage.DeliveryState) string {
	switch s {
	case savepage.Pending:
		return `d.state = 'pending'`
	case savepage.Delivered:
		return `d.state = 'delivered'`
	case savepage.Dead:
		return `d.state = 'dead'`
	default:
		return ""
	}
}

// list reads deliveries with their attempts, and says of each whether it waits for its receiver.
func (ds *deliveries) list(ctx context.Context, q Queries, condition string, args ...any) ([]savepage.Delivery, error) {
	list, err := collect(ctx, q, scanDelivery, `SELECT `+deliveryColumns+` FROM deliveries d WHERE `+condition, args...)
	if err == nil {
		err = addAttempts(ctx, q, list)
	}
	if err != nil {
		return nil, err
	}
	known := map[ledger.Receiver]ledger.Breaker{}
	for i := range list {
		r := ledger.Receiver{Account: list[i].Account, Host: list[i].Receiver}
		b, is := known[r]
		if !is && list[i].State == savepage.Pending {
			if b, err = ds.breaker(ctx, q, r); err != nil {
				return nil, err
			}
			known[r] = b
		}
		ledger.ShowWait(&list[i], b)
	}
	return list, nil
}

// breaker is the one of a receiver: as it is known here, or as the node that sends to its host has recorded it.
func (ds *deliveries) breaker(ctx context.Context, q Queries, r ledger.Receiver) (ledger.Breaker, error) {
	if ds.hosts.Mine(r.Host) {
		return ds.lanes.Breaker(r), nil
	}
	one, err := breakerOf(ctx, q, r)
	if err != nil {
		return ledger.Breaker{}, fmt.Errorf("read breaker: %w", err)
	}
	return one.Breaker, nil
}

// PendingDeliveries counts the deliveries of all accounts that have not ended.
func (ds *deliveries) PendingDeliveries(ctx context.Context) (int, error) {
	stats, err := ds.DeliveryStats(ctx)
	return stats.Pending, err
}

// DeliveryStats counts deliveries of all accounts.
func (ds *deliveries) DeliveryStats(ctx context.Context) (ledger.DeliveryStats, error) {
	lanes := ds.lanes.Stats()
	stats := ledger.DeliveryStats{
		Delivered: ds.totals.Delivered.Load(), Died: ds.totals.Died.Load(), OpenReceivers: lanes.Open, ReceiversOpened: lanes.Opened,
	}
	if err := ds.read.QueryRowContext(ctx, `SELECT pending, dead FROM owed`).Scan(&stats.Pending, &stats.Dead); err != nil {
		return stats, fmt.Errorf("read how many deliveries are owed: %w", err)
	}
	return stats, nil
}

// depth counts what is owed. One that is due and waits for its receiver counts as waiting.
func (ds *deliveries) depth(ctx context.Context, now time.Time) (capture.Depth, error) {
	depth := capture.Depth{Queue: ledger.QueueWebhook, Running: ds.lanes.Stats().Sending}
	const owed = `SELECT pending, (SELECT next_at FROM deliveries INDEXED BY deliveries_next
		WHERE state = 'pending' AND next_at > 0 ORDER BY next_at LIMIT 1) FROM owed`
	var oldest sql.NullInt64
	if err := ds.read.QueryRowContext(ctx, owed).Scan(&depth.Waiting, &oldest); err != nil {
		return capture.Depth{}, fmt.Errorf("read how many deliveries are owed: %w", err)
	}
	depth.Waiting, depth.Oldest = max(depth.Waiting-depth.Running, 0), since(oldest, now)
	return depth, nil
}
