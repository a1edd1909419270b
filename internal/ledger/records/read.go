package records

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
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
	rest, args, err := listQuery(account, f, limit+1)
	if err != nil {
		return nil, "", err
	}
	if page, err = listCaptures(ctx, cs.search, rest, args...); err != nil {
		return nil, "", err
	}
	short := len(page) <= limit
	page, next = ledger.CutPage(page, limit, func(c savepage.Capture) ledger.Cursor { return ledger.CursorAt(c.CreatedAt, c.ID) })
	if short && f.URLContains != "" && f.BatchID == "" {
		next, err = cs.scannedTo(ctx, account, f)
	}
	return page, next, err
}

// scannedTo is the cursor at which a search for a part of the URL ends; empty when it has seen everything.
func (cs *captures) scannedTo(ctx context.Context, account string, f capture.Filter) (string, error) {
	newest, args, err := newestQuery(account, f, capture.ScannedAtOnce)
	if err != nil {
		return "", err
	}
	var at, count sql.NullInt64
	var id sql.NullString
	err = cs.search.QueryRowContext(ctx, `SELECT created_at, id, count(*) OVER () FROM (`+newest+`) AS newest
		ORDER BY created_at, id LIMIT 1`, args...).Scan(&at, &id, &count)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return "", nil
	case err != nil:
		return "", fmt.Errorf("find the end of a search: %w", err)
	case count.Int64 < capture.ScannedAtOnce:
		return "", nil
	}
	return ledger.CursorAt(moment(at), id.String).String(), nil
}

// Count returns how many captures of the account match, at most capture.CountedAtMost.
func (cs *captures) Count(ctx context.Context, account string, f capture.Filter) (n int, err error) {
	f.Cursor = ""
	newest, args, err := newestQuery(account, f, capture.CountedAtMost)
	if err != nil {
		return 0, err
	}
	if err := cs.search.QueryRowContext(ctx, `SELECT count(*) FROM (`+newest+`) AS newest`, args...).Scan(&n); err != nil {
		return 0, fmt.Errorf("count captures: %w", err)
	}
	return n, nil
}

const newestFirst = ` ORDER BY created_at DESC, id DESC LIMIT ?`

// listQuery makes the rest of a query for at most limit captures.
func listQuery(account string, f capture.Filter, limit int) (rest string, args []any, err error) {
	among, contains, values := limit, "", []any{}
	if f.URLContains != "" {
		among, contains, values = capture.ScannedAtOnce, ` AND lower(url) LIKE ? ESCAPE '\'`, []any{containing(f.URLContains)}
	}
	if f.BatchID != "" {
		window, bounds, err := window(f)
		where, of := batchQuery(account, f)
		return `WHERE batch = ?` + where + window + contains + newestFirst, slices.Concat(of, bounds, values, []any{limit}), err
	}
	newest, args, err := newestQuery(account, f, among)
	if err != nil {
		return "", nil, err
	}
	rest = `WHERE id IN (SELECT id FROM (` + newest + `) AS newest)` + contains + newestFirst
	return rest, slices.Concat(args, values, []any{limit}), nil
}

// containing is the pattern of texts that contain another.
func containing(text string) string {
	return "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(strings.ToLower(text)) + "%"
}

// newestQuery selects id and created_at of at most so many captures that match in all but URLContains, newest first. Each way to
// ask has an index that begins with what is equal and goes on with the order, so that no more is read than is shown. What is asked
// of several states is merged from the lists of each; PostgreSQL, which merges no such lists, is told in comments to cut each.
func newestQuery(account string, f capture.Filter, limit int) (query string, args []any, err error) {
	window, values, err := window(f)
	if err != nil {
		return "", nil, err
	}
	if f.BatchID != "" {
		where, args := batchQuery(account, f)
		query = `SELECT id, created_at FROM captures WHERE batch = ?` + where + window + newestFirst
		return query, slices.Concat(args, values, []any{limit}), nil
	}
	states := slices.Compact(slices.Sorted(slices.Values(f.States)))
	if len(states) == 0 {
		states = savepage.States()
	}
	states = keptStates(states)
	parts := make([]string, len(states))
	begin, cut := "", ""
	if len(states) > 1 {
		begin, cut = `/* ( */ `, fmt.Sprintf(` /* ORDER BY created_at DESC, id DESC LIMIT %d) */`, limit)
	}
	for i, state := range states {
		index, by := "captures_state", ""
		args = append(args, account, string(state))
		if f.URL != "" {
			index, by, args = "captures_url", ` AND url = ?`, append(args, f.URL)
		}
		parts[i] = begin + `SELECT id, created_at FROM captures INDEXED BY ` + index + ` WHERE account = ? AND state = ?` + by + window + cut
		args = append(args, values...)
	}
	return strings.Join(parts, ` UNION ALL `) + newestFirst, append(args, limit), nil
}

// batchQuery goes on after "batch = ?". A batch has few captures; + keeps SQLite from going through all of the account's.
func batchQuery(account string, f capture.Filter) (where string, args []any) {
	where, args = ` AND +account = ?`, []any{f.BatchID, account}
	if states := keptStates(f.States); len(states) > 0 {
		where += ` AND state IN (` + strings.Repeat(`?,`, len(states)-1) + `?)`
		args = append(args, texts(states)...)
	}
	if f.URL != "" {
		where, args = where+` AND +url = ?`, append(args, f.URL)
	}
	return where, args
}

// window is the part of the condition that bounds the time.
func window(f capture.Filter) (condition string, args []any, err error) {
	if !f.CreatedAfter.IsZero() {
		condition, args = condition+` AND created_at > ?`, append(args, stamp(f.CreatedAfter))
	}
	if !f.CreatedBefore.IsZero() {
		condition, args = condition+` AND created_at < ?`, append(args, stamp(f.CreatedBefore))
	}
	if f.Cursor != "" {
		after, err := ledger.ReadCursor(f.Cursor)
		if err != nil {
			return "", nil, err
		}
		condition, args = condition+` AND (created_at, id) < (?, ?)`, append(args, after.CreatedAt, after.ID)
	}
	return condition, args, nil
}

func texts(states []savepage.State) []any {
	list := make([]any, len(states))
	for i, state := range states {
		list[i] = string(state)
	}
	return list
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
	return knownPictures(ctx, cs.read, names)
}

func knownPictures(ctx context.Context, q Queries, names []string) (map[string]bool, error) {
	list, err := textList(names)
	if err != nil {
		return nil, err
	}
	const query = `SELECT picture_name FROM captures WHERE picture_name IN (SELECT value FROM json_each(?))`
	found, err := collect(ctx, q, scanText, query, list)
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
