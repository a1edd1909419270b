package records

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/savepage/savepage"
)

// closed is the record of accounts that are being removed.
type closed struct{ captures *captures }

// ClosedAccounts returns the ids of the accounts that are closed.
func (cl *closed) ClosedAccounts(ctx context.Context) ([]string, error) {
	return collect(ctx, cl.captures.read, scanText, `SELECT id FROM accounts WHERE closed_at IS NOT NULL ORDER BY id`)
}

// doomed is a capture of a closed account.
type doomed struct {
	id, picture string
	state       savepage.State
}

func scanDoomed(scan func(dest ...any) error) (doomed, error) {
	var (
		d    doomed
		name sql.NullString
	)
	err := scan(&d.id, &d.state, &name)
	d.picture = name.String
	return d, err
}

// doomedQuery selects what waits or runs first: no page should be rendered for nobody.
const doomedQuery = `SELECT * FROM (SELECT id, state, picture_name FROM captures
		WHERE account = ?1 AND state IN ('queued', 'running', '` + stateStoring + `') LIMIT ?2) AS open
	UNION ALL SELECT * FROM (SELECT id, state, picture_name FROM captures
		WHERE account = ?1 AND state IN ('success', 'failed', 'canceled') LIMIT ?2) AS ended
	LIMIT ?2`

// RemoveSome removes a share of a closed account: captures first, then what else there is, at last the account.
func (cl *closed) RemoveSome(ctx context.Context, account string, limit int, drop func(names []string) error) (int, bool, error) {
	list, err := collect(ctx, cl.captures.read, scanDoomed, doomedQuery, account, limit)
	if err != nil {
		return 0, false, fmt.Errorf("read its captures: %w", err)
	}
	if len(list) == 0 {
		done, err := cl.removeRest(ctx, account, limit)
		return 0, done, err
	}
	if err := cl.end(ctx, list); err != nil {
		return 0, false, fmt.Errorf("end its captures: %w", err)
	}
	var ids, names []string
	for _, d := range list {
		ids = append(ids, d.id)
		if d.picture != "" {
			names = append(names, d.picture)
		}
	}
	// Its records are hidden already, so the pictures may go first: whatever ends the service, nothing is left over.
	if err := drop(names); err != nil {
		return 0, false, fmt.Errorf("remove its pictures: %w", err)
	}
	return len(list), false, cl.captures.do(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if err := forget(ctx, tx, ids); err != nil {
			return fmt.Errorf("remove its captures: %w", err)
		}
		return nil
	}, nil)
}

// end cancels those that have not ended. Nothing is owed for them.
func (cl *closed) end(ctx context.Context, list []doomed) error {
	var ended []reuseResult
	return cl.captures.do(ctx, func(ctx context.Context, tx *sql.Tx) error {
		ended = nil
		for _, d := range list {
			var state savepage.State
			if err := tx.QueryRowContext(ctx, `SELECT state FROM captures WHERE id = ?`, d.id).Scan(&state); err != nil {
				return err
			}
			if state.Final() {
				continue
			}
			canceled, err := cl.captures.cancel(ctx, tx, d.id)
			if err != nil {
				return err
			}
			ended = append(ended, reuseResult{capture: canceled})
		}
		return nil
	}, func(err error) {
		if err != nil {
			return
		}
		cl.captures.ended(ended...)
		for _, one := range ended {
			cl.captures.queue.running.Stop(one.capture.ID)
		}
		cl.captures.queue.due(0)
	})
}

// removeRest removes what an account has beside captures, some of each kind.
func (cl *closed) removeRest(ctx context.Context, account string, limit int) (done bool, err error) {
	err = cl.captures.do(ctx, func(ctx context.Context, tx *sql.Tx) error {
		var removed int64
		for _, statement := range []string{
			`DELETE FROM attempts WHERE delivery IN (SELECT id FROM deliveries WHERE account = ?1 ORDER BY created_at, id LIMIT ?2)`,
			`DELETE FROM deliveries WHERE id IN (SELECT id FROM deliveries WHERE account = ?1 ORDER BY created_at, id LIMIT ?2)`,
			`DELETE FROM batches WHERE id IN (SELECT id FROM batches WHERE account = ?1 ORDER BY created_at, id LIMIT ?2)`,
			`DELETE FROM idempotency WHERE account = ?1 AND key IN (SELECT key FROM idempotency WHERE account = ?1 ORDER BY key LIMIT ?2)`,
			`DELETE FROM receivers WHERE account = ?1 AND receiver IN
				(SELECT receiver FROM receivers WHERE account = ?1 ORDER BY receiver LIMIT ?2)`,
			`DELETE FROM turns WHERE account = ?1 AND class IN (SELECT class FROM turns WHERE account = ?1 ORDER BY class LIMIT ?2)`,
			`DELETE FROM hours WHERE account = ?1 AND hour IN (SELECT hour FROM hours WHERE account = ?1 ORDER BY hour LIMIT ?2)`,
			`DELETE FROM render_times WHERE account = ?1 AND hour IN
				(SELECT hour FROM render_times WHERE account = ?1 ORDER BY hour LIMIT ?2)`,
			`DELETE FROM keys WHERE hash IN (SELECT hash FROM keys WHERE account = ?1 ORDER BY created_at LIMIT ?2)`,
		} {
			gone, err := tx.ExecContext(ctx, statement, account, limit)
			if err != nil {
				return err
			}
			n, err := gone.RowsAffected()
			if err != nil {
				return err
			}
			removed += n
		}
		if done = removed == 0; !done {
			return nil
		}
		for _, statement := range []string{
			`DELETE FROM old_secrets WHERE account = ?`, `DELETE FROM stores WHERE account = ?`,
			`DELETE FROM link_secrets WHERE account = ?`,
			`DELETE FROM usage WHERE account = ?`, `DELETE FROM turns WHERE account = ?`,
			`DELETE FROM inbox_events WHERE account = ?`, `DELETE FROM inboxes WHERE account = ?`,
			`DELETE FROM hours WHERE account = ?`, `DELETE FROM render_times WHERE account = ?`,
			`DELETE FROM accounts WHERE id = ? AND closed_at IS NOT NULL`,
		} {
			if _, err := tx.ExecContext(ctx, statement, account); err != nil {
				return err
			}
		}
		return nil
	}, nil)
	if err != nil {
		return false, fmt.Errorf("remove what else it has: %w", err)
	}
	return done, nil
}
