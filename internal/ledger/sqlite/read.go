package sqlite

import (
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/ledger"
)

// Get returns a capture of the account, or *savepage.Error of CodeNotFound.
func (l *Ledger) Get(ctx context.Context, account, id string) (savepage.Capture, error) {
	c, err := getCapture(ctx, l.read, `id = ? AND account = ?`, id, account)
	if errors.Is(err, sql.ErrNoRows) {
		return savepage.Capture{}, notFound(id)
	}
	if err != nil {
		return savepage.Capture{}, fmt.Errorf("read capture %s: %w", id, err)
	}
	return c, nil
}

// Await returns the capture when it has ended, or the context's error. A capture that is forgotten meanwhile is
// *savepage.Error of CodeNotFound.
func (l *Ledger) Await(ctx context.Context, id string) (savepage.Capture, error) {
	ended, leave := l.waiters.Join(id)
	defer leave()
	for {
		c, err := getCapture(ctx, l.read, `id = ?`, id)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return savepage.Capture{}, notFound(id)
		case err != nil:
			return savepage.Capture{}, fmt.Errorf("await capture %s: %w", id, err)
		case c.State.Final():
			return c, nil
		}
		select {
		case <-ended:
		case <-ctx.Done():
			return savepage.Capture{}, fmt.Errorf("await capture %s: %w", id, ctx.Err())
		}
	}
}

// pageMax is the longest page of List.
const pageMax = 100

// List returns a page of the account's captures, newest first and without Options.HTML, and the cursor of the next page,
// empty on the last one. A cursor that did not come from List is *savepage.Error of CodeInvalidRequest.
func (l *Ledger) List(ctx context.Context, account string, f capture.Filter) (page []savepage.Capture, next string, err error) {
	limit := min(max(f.Limit, 1), pageMax)
	where, args, err := conditions(account, f)
	if err != nil {
		return nil, "", err
	}
	page, err = listCaptures(ctx, l.read, `WHERE `+where+` ORDER BY created_at DESC, id DESC LIMIT ?`, append(args, limit+1)...)
	if err != nil {
		return nil, "", err
	}
	if len(page) > limit {
		page = page[:limit]
		next = cursorOf(page[limit-1])
	}
	return page, next, nil
}

func conditions(account string, f capture.Filter) (string, []any, error) {
	where, args := []string{`account = ?`}, []any{account}
	add := func(condition string, values ...any) {
		where = append(where, condition)
		args = append(args, values...)
	}
	if len(f.States) > 0 {
		states, err := json.Marshal(f.States)
		if err != nil {
			return "", nil, fmt.Errorf("encode states: %w", err)
		}
		add(`state IN (SELECT value FROM json_each(?))`, string(states))
	}
	if f.URL != "" {
		add(`url = ?`, f.URL)
	}
	if f.BatchID != "" {
		where[0] = `+account = ?` // keeps SQLite from going through all of the account's captures
		add(`batch = ?`, f.BatchID)
	}
	if !f.CreatedAfter.IsZero() {
		add(`created_at > ?`, stamp(f.CreatedAfter))
	}
	if !f.CreatedBefore.IsZero() {
		add(`created_at < ?`, stamp(f.CreatedBefore))
	}
	if f.Cursor != "" {
		created, id, err := readCursor(f.Cursor)
		if err != nil {
			return "", nil, err
		}
		add(`(created_at, id) < (?, ?)`, created, id)
	}
	return strings.Join(where, ` AND `), args, nil
}

func cursorOf(c savepage.Capture) string { return cursorAt(c.CreatedAt, c.ID) }

// cursorAt is where a page ended: time of creation and id.
func cursorAt(created time.Time, id string) string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d %s", created.UnixMicro(), id))
}

func readCursor(cursor string) (int64, string, error) {
	text, err := base64.RawURLEncoding.DecodeString(cursor)
	created, id, found := strings.Cut(string(text), " ")
	at, errAt := strconv.ParseInt(created, 10, 64)
	if err != nil || !found || errAt != nil {
		wrong := savepage.Errorf(savepage.CodeInvalidRequest, "the cursor is not from this list")
		wrong.Fields = []savepage.FieldError{{Location: "query.cursor", Message: "must be the next cursor of a page before", Value: cursor}}
		return 0, "", wrong
	}
	return at, id, nil
}

// Expired returns at most limit ended captures of all accounts that were created before the time and have no delivery that
// is pending or has died since, oldest first and without Options.HTML.
func (l *Ledger) Expired(ctx context.Context, before time.Time, limit int) ([]savepage.Capture, error) {
	return listCaptures(ctx, l.read, `WHERE state IN ('success', 'failed', 'canceled') AND created_at < ?1
		AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.capture = captures.id AND (d.state = 'pending' OR d.state = 'dead' AND d.ended_at >= ?1))
		ORDER BY created_at, id LIMIT ?2`, before.UnixMicro(), limit)
}

// Known tells which of the names are pictures of captures. The others are nobody's.
func (l *Ledger) Known(ctx context.Context, names []string) (map[string]bool, error) {
	list, err := json.Marshal(names)
	if err != nil {
		return nil, fmt.Errorf("encode names: %w", err)
	}
	const query = `SELECT picture_name FROM captures WHERE picture_name IN (SELECT value FROM json_each(?))`
	found, err := collect(ctx, l.read, scanText, query, string(list))
	if err != nil {
		return nil, fmt.Errorf("look for pictures: %w", err)
	}
	known := make(map[string]bool, len(found))
	for _, name := range found {
		known[name] = true
	}
	return known, nil
}

func scanText(scan func(dest ...any) error) (string, error) {
	var text string
	err := scan(&text)
	return text, err
}

// Depth returns how much waits and runs in each queue. Captures of batches are a queue of their own here, although all
// captures wait in one order.
func (l *Ledger) Depth(ctx context.Context) ([]capture.Depth, error) {
	now := l.clock.Now()
	single, err := l.captureDepth(ctx, now, ledger.QueueInteractive, `batch IS NULL`)
	if err != nil {
		return nil, err
	}
	batch, err := l.captureDepth(ctx, now, ledger.QueueBatch, `batch IS NOT NULL`)
	if err != nil {
		return nil, err
	}
	deliveries, err := l.deliveryDepth(ctx, now)
	if err != nil {
		return nil, err
	}
	return []capture.Depth{single, deliveries, batch}, nil
}

func (l *Ledger) captureDepth(ctx context.Context, now time.Time, queue, which string) (capture.Depth, error) {
	depth := capture.Depth{Queue: queue}
	query := `SELECT count(*) FILTER (WHERE state = 'queued'), count(*) FILTER (WHERE state = 'running'),
		coalesce(min(due_at) FILTER (WHERE state = 'queued'), ?1) FROM captures INDEXED BY captures_pending
		WHERE state IN ('queued', 'running') AND ` + which
	var oldest int64
	if err := l.read.QueryRowContext(ctx, query, now.UnixMicro()).Scan(&depth.Waiting, &depth.Running, &oldest); err != nil {
		return depth, fmt.Errorf("count captures: %w", err)
	}
	depth.Oldest = max(now.Sub(time.UnixMicro(oldest)), 0)
	return depth, nil
}

// Ready returns nil when the records can be read and written.
func (l *Ledger) Ready(ctx context.Context) error {
	var one int
	if err := l.read.QueryRowContext(ctx, `SELECT 1 FROM accounts LIMIT 1`).Scan(&one); err != nil && !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("read records: %w", err)
	}
	err := l.do(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE accounts SET waiting = waiting WHERE id = ''`)
		return err
	}, nil)
	if err != nil {
		return fmt.Errorf("write records: %w", err)
	}
	return nil
}
