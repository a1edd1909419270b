package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/ledger"
)

// Get returns a capture of the account, or *savepage.Error of CodeNotFound.
func (cs *captures) Get(ctx context.Context, account, id string) (savepage.Capture, error) {
	c, err := getCapture(ctx, cs.read, `id = ? AND account = ?`, id, account)
	if errors.Is(err, sql.ErrNoRows) {
		return savepage.Capture{}, ledger.ErrNoCapture(id)
	}
	if err != nil {
		return savepage.Capture{}, fmt.Errorf("read capture %s: %w", id, err)
	}
	return c, nil
}

// Await returns the capture when it has ended, or the context's error. A capture that is forgotten meanwhile is
// *savepage.Error of CodeNotFound.
func (cs *captures) Await(ctx context.Context, id string) (savepage.Capture, error) {
	ended, leave := cs.waiters.Join(id)
	defer leave()
	for {
		c, err := getCapture(ctx, cs.read, `id = ?`, id)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return savepage.Capture{}, ledger.ErrNoCapture(id)
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

// List returns a page of the account's captures, newest first and without Options.HTML, and the cursor of the next page,
// empty on the last one. A cursor that did not come from List is *savepage.Error of CodeInvalidRequest.
func (cs *captures) List(ctx context.Context, account string, f capture.Filter) (page []savepage.Capture, next string, err error) {
	limit := ledger.PageLimit(f.Limit)
	where, args, err := conditions(account, f)
	if err != nil {
		return nil, "", err
	}
	page, err = listCaptures(ctx, cs.read, `WHERE `+where+` ORDER BY created_at DESC, id DESC LIMIT ?`, append(args, limit+1)...)
	if err != nil {
		return nil, "", err
	}
	page, next = ledger.CutPage(page, limit, func(c savepage.Capture) ledger.Cursor { return ledger.CursorAt(c.CreatedAt, c.ID) })
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
		after, err := ledger.ReadCursor(f.Cursor)
		if err != nil {
			return "", nil, err
		}
		add(`(created_at, id) < (?, ?)`, after.CreatedAt, after.ID)
	}
	return strings.Join(where, ` AND `), args, nil
}

// Expired returns at most limit ended captures of all accounts that were created before the time and have no delivery that
// is pending or has died since, oldest first and without Options.HTML.
func (cs *captures) Expired(ctx context.Context, before time.Time, limit int) ([]savepage.Capture, error) {
	return listCaptures(ctx, cs.read, `WHERE state IN ('success', 'failed', 'canceled') AND created_at < ?1
		AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.capture = captures.id AND (d.state = 'pending' OR d.state = 'dead'
			AND d.ended_at >= ?1))
		ORDER BY created_at, id LIMIT ?2`, before.UnixMicro(), limit)
}

// Known tells which of the names are pictures of captures. The others are nobody's.
func (cs *captures) Known(ctx context.Context, names []string) (map[string]bool, error) {
	list, err := json.Marshal(names)
	if err != nil {
		return nil, fmt.Errorf("encode names: %w", err)
	}
	const query = `SELECT picture_name FROM captures WHERE picture_name IN (SELECT value FROM json_each(?))`
	found, err := collect(ctx, cs.read, scanText, query, string(list))
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
