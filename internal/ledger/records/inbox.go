package records

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/ledger"
)

// inboxes is what has arrived in the inboxes of accounts.
type inboxes struct{ *db }

// trimInbox removes what is beyond the bounds of an inbox, the oldest first.
const trimInbox = `DELETE FROM inbox_events WHERE id IN (SELECT id FROM (
		SELECT id, row_number() OVER newest AS place, sum(size) OVER newest AS total FROM inbox_events WHERE account = ?1
			WINDOW newest AS (ORDER BY received_at DESC, id DESC)) AS kept
	WHERE place > ?2 OR total > ?3)`

// Receive keeps an event, with the answer of its inbox, and removes what is too much. An unknown or closed account is
// *savepage.Error of CodeNotFound.
func (in *inboxes) Receive(ctx context.Context, e savepage.InboxEvent) (savepage.InboxAnswer, error) {
	gone := false
	err := in.do(ctx, func(ctx context.Context, tx *sql.Tx) error {
		const answers = `SELECT coalesce(i.answer, '') FROM accounts a LEFT JOIN inboxes i ON i.account = a.id
			WHERE a.id = ? AND a.closed_at IS NULL`
		err := tx.QueryRowContext(ctx, answers, e.Account).Scan(&e.Answer)
		if gone = errors.Is(err, sql.ErrNoRows); gone {
			return nil
		}
		if err != nil {
			return err
		}
		e.Answer = cmp.Or(e.Answer, savepage.InboxOK)
		return insertInboxEvent(ctx, tx, e)
	}, nil)
	if err != nil {
		return "", fmt.Errorf("keep an event of the inbox: %w", err)
	}
	if gone {
		return "", ledger.ErrNoAccount(e.Account)
	}
	return e.Answer, nil
}

func insertInboxEvent(ctx context.Context, tx *sql.Tx, e savepage.InboxEvent) error {
	event, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("encode event: %w", err)
	}
	const insert = `INSERT INTO inbox_events (id, account, capture, batch, received_at, size, event) VALUES (?, ?, ?, ?, ?, ?, ?)`
	_, err = tx.ExecContext(ctx, insert, e.ID, e.Account, text(e.CaptureID), text(e.BatchID), stamp(e.ReceivedAt), e.Size(), string(event))
	if err == nil {
		_, err = tx.ExecContext(ctx, trimInbox, e.Account, savepage.MaxInboxEvents, savepage.MaxInboxBytes)
	}
	return err
}

// Inbox returns how the account's inbox answers and a page of what has arrived there, newest first. A cursor that did not
// come from it is *savepage.Error of CodeInvalidRequest.
func (in *inboxes) Inbox(ctx context.Context, account string, limit int, cursor string) (savepage.Inbox, error) {
	limit = ledger.PageLimit(limit)
	found := savepage.Inbox{URL: savepage.InboxURL, Answer: savepage.InboxOK}
	after := ledger.Cursor{CreatedAt: math.MaxInt64}
	if cursor != "" {
		var err error
		if after, err = ledger.ReadCursor(cursor); err != nil {
			return found, err
		}
	}
	err := in.read.QueryRowContext(ctx, `SELECT answer FROM inboxes WHERE account = ?`, account).Scan(&found.Answer)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return found, fmt.Errorf("read how the inbox answers: %w", err)
	}
	const page = `SELECT event FROM inbox_events WHERE account = ? AND (received_at, id) < (?, ?)
		ORDER BY received_at DESC, id DESC LIMIT ?`
	found.Events, err = collect(ctx, in.search, scanInboxEvent, page, account, after.CreatedAt, after.ID, limit+1)
	if err != nil {
		return found, fmt.Errorf("read the inbox: %w", err)
	}
	found.Events, found.NextCursor = ledger.CutPage(found.Events, limit, func(e savepage.InboxEvent) ledger.Cursor {
		return ledger.CursorAt(e.ReceivedAt, e.ID)
	})
	return found, nil
}

// InboxEvent returns one event of the account's inbox, or *savepage.Error of CodeNotFound.
func (in *inboxes) InboxEvent(ctx context.Context, account, id string) (savepage.InboxEvent, error) {
	const query = `SELECT event FROM inbox_events WHERE id = ? AND account = ?`
	e, err := scanInboxEvent(in.read.QueryRowContext(ctx, query, id, account).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return e, ledger.ErrNoInboxEvent(id)
	}
	if err != nil {
		return e, fmt.Errorf("read event %s of the inbox: %w", id, err)
	}
	return e, nil
}

func scanInboxEvent(scan func(dest ...any) error) (e savepage.InboxEvent, err error) {
	var event string
	if err := scan(&event); err != nil {
		return e, err
	}
	if err := json.Unmarshal([]byte(event), &e); err != nil {
		return e, fmt.Errorf("decode event: %w", err)
	}
	return e, nil
}

// AnswerInbox sets how the account's inbox answers from now on. An unknown or closed account is *savepage.Error of CodeNotFound.
func (in *inboxes) AnswerInbox(ctx context.Context, account string, answer savepage.InboxAnswer) error {
	var set int64
	err := in.do(ctx, func(ctx context.Context, tx *sql.Tx) error {
		const save = `INSERT INTO inboxes (account, answer) SELECT id, ?2 FROM accounts WHERE id = ?1 AND closed_at IS NULL
			ON CONFLICT (account) DO UPDATE SET answer = excluded.answer`
		done, err := tx.ExecContext(ctx, save, account, string(answer))
		if err == nil {
			set, err = done.RowsAffected()
		}
		return err
	}, nil)
	if err != nil {
		return fmt.Errorf("set how the inbox answers: %w", err)
	}
	if set == 0 {
		return ledger.ErrNoAccount(account)
	}
	return nil
}

// EmptyInbox removes all events of the account's inbox.
func (in *inboxes) EmptyInbox(ctx context.Context, account string) error {
	err := in.do(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM inbox_events WHERE account = ?`, account)
		return err
	}, nil)
	if err != nil {
		return fmt.Errorf("empty the inbox: %w", err)
	}
	return nil
}

// dropOldInboxEvents removes some of what has been in inboxes for too long.
func dropOldInboxEvents(ctx context.Context, tx *sql.Tx, now time.Time) error {
	const old = `DELETE FROM inbox_events WHERE id IN
		(SELECT id FROM inbox_events WHERE received_at <= ? ORDER BY received_at LIMIT ?)`
	_, err := tx.ExecContext(ctx, old, stamp(now.Add(-savepage.InboxRetention)), purgeRows)
	return err
}
