package records

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/ledger"
)

// columns of a capture, in the order that scanCapture reads.
const columns = `id, account, state, interactive, options, attempt, created_at, started_at, finished_at, picture, report, error, timing,
	coalesce(batch, ''), captured_at, coalesce(source, ''),
	coalesce(key_prefix, ''), coalesce(trace, ''), (SELECT shared FROM batches WHERE batches.id = captures.batch),
	stored`

// listed are the same columns, but for the document of the html option and its files, and without what a batch keeps for all its captures:
// a page of captures could be hundreds of megabytes.
const listed = `id, account, state, interactive, CASE url WHEN '' THEN json_remove(options, '$.html', '$.assets') ELSE options END,
	attempt, created_at, started_at, finished_at, picture, report, error, timing, coalesce(batch, ''), captured_at, coalesce(source, ''),
	coalesce(key_prefix, ''), coalesce(trace, ''), NULL,
	stored`

// sharedQuery reads what batches keep for all their captures, but for large texts.
const sharedQuery = `SELECT id, json_remove(shared, '$.html', '$.assets', '$.css', '$.js') FROM batches
	WHERE id IN (SELECT value FROM json_each(?)) AND shared IS NOT NULL`

// timing is savepage.Timing with its phases, which its own JSON leaves out.
type timing struct {
	savepage.Timing
	Phases savepage.Phases `json:"phases"`
}

// Queries is what reads: a transaction or a pool.
type Queries interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// getCapture reads the one capture that the condition selects, or sql.ErrNoRows.
func getCapture(ctx context.Context, q Queries, condition string, args ...any) (savepage.Capture, error) {
	return scanCapture(q.QueryRowContext(ctx, `SELECT `+columns+` FROM captures WHERE `+condition, args...).Scan)
}

// listCaptures reads captures without Options.HTML; the rest of the query begins with WHERE.
func listCaptures(ctx context.Context, q Queries, rest string, args ...any) ([]savepage.Capture, error) {
	list, err := collect(ctx, q, scanCapture, `SELECT `+listed+` FROM captures `+rest, args...)
	if err != nil {
		return nil, fmt.Errorf("read captures: %w", err)
	}
	return list, addShared(ctx, q, list)
}

// addShared completes the options of captures by those that their batches keep for them.
func addShared(ctx context.Context, q Queries, list []savepage.Capture) error {
	batches := map[string]savepage.Options{}
	for _, c := range list {
		if c.BatchID != "" {
			batches[c.BatchID] = savepage.Options{}
		}
	}
	if len(batches) == 0 {
		return nil
	}
	ids, err := json.Marshal(slices.Collect(maps.Keys(batches)))
	if err != nil {
		return fmt.Errorf("encode ids: %w", err)
	}
	_, err = collect(ctx, q, func(scan func(dest ...any) error) (id string, err error) {
		var text sql.NullString
		var shared savepage.Options
		err = errors.Join(scan(&id, &text), decode(text, &shared))
		batches[id] = shared
		return id, err
	}, sharedQuery, string(ids))
	if err != nil {
		return fmt.Errorf("read shared options: %w", err)
	}
	for i := range list {
		list[i].Options = ledger.Together(list[i].Options, batches[list[i].BatchID])
	}
	return nil
}

func scanCapture(scan func(dest ...any) error) (savepage.Capture, error) {
	var (
		c                                               savepage.Capture
		created, started, finished, captured            sql.NullInt64
		options, shared, picture, report, failure, took sql.NullString
		stored                                          sql.NullString
	)
	err := scan(&c.ID, &c.Account, &c.State, &c.Interactive, &options, &c.Attempt, &created, &started, &finished,
		&picture, &report, &failure, &took, &c.BatchID, &captured, &c.Source, &c.KeyID, &c.Trace, &shared, &stored)
	if errors.Is(err, sql.ErrNoRows) {
		return savepage.Capture{}, err
	}
	if err != nil {
		return savepage.Capture{}, fmt.Errorf("scan capture: %w", err)
	}
	c.CreatedAt, c.StartedAt, c.FinishedAt = moment(created), moment(started), moment(finished)
	if c.CapturedAt = moment(captured); c.State == savepage.Success && !captured.Valid {
		c.CapturedAt = c.FinishedAt
	}
	c.State = shownState(c.State)
	var t timing
	err = errors.Join(decode(stored, &c.Stored), decode(options, &c.Options), decode(shared, &c.Options), decode(picture, &c.Picture),
		decode(report, &c.Report), decode(failure, &c.Error), decode(took, &t))
	if err != nil {
		return savepage.Capture{}, fmt.Errorf("decode capture %s: %w", c.ID, err)
	}
	c.Timing = t.Timing
	c.Timing.Phases = t.Phases
	return c, nil
}

func decode(text sql.NullString, into any) error {
	if !text.Valid {
		return nil
	}
	return json.Unmarshal([]byte(text.String), into)
}

// encode writes JSON with <, > and & as they are: what a client sent is given back unchanged.
func encode(v any) ([]byte, error) {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(buffer.Bytes(), []byte("\n")), nil
}

// column encodes a part of a capture that may be absent, as text or NULL.
func column[T any](part *T) (any, error) {
	if part == nil {
		return nil, nil //nolint:nilnil // NULL is the value of an absent part
	}
	text, err := encode(part)
	return string(text), err
}

// collect reads all rows of a query.
func collect[T any](ctx context.Context, q Queries, scan func(func(dest ...any) error) (T, error), query string, args ...any) ([]T, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var list []T
	for rows.Next() {
		one, err := scan(rows.Scan)
		if err != nil {
			return nil, err
		}
		list = append(list, one)
	}
	return list, rows.Err()
}

// Texts reads the one column of a query.
func Texts(ctx context.Context, q Queries, query string, args ...any) ([]string, error) {
	return collect(ctx, q, scanText, query, args...)
}

// textList is a list of texts as a statement brings it along, for json_each.
func textList(texts []string) (string, error) {
	list, err := json.Marshal(texts)
	if err != nil {
		return "", fmt.Errorf("encode a list of texts: %w", err)
	}
	return string(list), nil
}

// execList runs statements, each with the list of ids. Without any there is nothing to do.
func execList(ctx context.Context, tx *sql.Tx, ids []string, statements ...string) error {
	if len(ids) == 0 {
		return nil
	}
	list, err := textList(ids)
	if err != nil {
		return err
	}
	for _, statement := range statements {
		if _, err := tx.ExecContext(ctx, statement, list); err != nil {
			return err
		}
	}
	return nil
}
