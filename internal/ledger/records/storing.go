package records

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/ledger"
)

// A capture with a store has the state storing between its picture and its end: it has no job and holds no page. A delivery to
// the store is owed for it, in the commit that brings the picture, and the commit that ends the delivery ends the capture.

// stateStoring is the state of such a capture in its table. Everybody else is told that it runs.
const stateStoring = "storing"

// uploads is the record of captures as those see it who put pictures into stores.
type uploads struct{ *captures }

// shownState is the state that a capture has for others.
func shownState(kept savepage.State) savepage.State {
	if kept == stateStoring {
		return savepage.Running
	}
	return kept
}

// keptStates are the states that captures of these states have in the table.
func keptStates(shown []savepage.State) []savepage.State {
	if slices.Contains(shown, savepage.Running) {
		return append(slices.Clone(shown), stateStoring)
	}
	return shown
}

// keptEnd is how a capture that has got a result is kept: as it has ended, or as one that waits for its store.
func keptEnd(c savepage.Capture) (state string, finished any) {
	if capture.Stores(c) {
		return stateStoring, nil
	}
	return string(c.State), stamp(c.FinishedAt)
}

// oweEnd records what is owed for a capture that has got its result: to its store, and when it has none, that it has ended.
func (up *uploads) oweEnd(ctx context.Context, tx *sql.Tx, c savepage.Capture, owed []savepage.Delivery) ([]savepage.Delivery, error) {
	if capture.Stores(c) {
		return up.oweStore(ctx, tx, c)
	}
	up.tell.ended(c.Account, c.ID)
	last, err := leaveBatch(ctx, tx, up.clock.Now(), batchEnds{c.BatchID, c.State, 1})
	if err != nil {
		return nil, err
	}
	owed = slices.Concat(owed, last)
	return owed, up.deliveries.owe(ctx, tx, owed)
}

// oweStore owes the picture of a capture to its store.
func (up *uploads) oweStore(ctx context.Context, tx *sql.Tx, c savepage.Capture) ([]savepage.Delivery, error) {
	address := ""
	switch s, err := scanStore(tx.QueryRowContext(ctx, storeQuery, c.Account, c.Options.Store.Name).Scan); {
	case err == nil:
		address = s.ObjectURL(s.Prefix + c.StoreKey())
	case !errors.Is(err, sql.ErrNoRows): // of one that was removed meanwhile, the first attempt tells
		return nil, fmt.Errorf("read store %s: %w", c.Options.Store.Name, err)
	}
	owed := []savepage.Delivery{ledger.UploadOf(c, address, up.clock.Now())}
	return owed, up.deliveries.owe(ctx, tx, owed)
}

// dropUpload removes what is owed to the store of a capture that is canceled. captures selects which.
func dropUpload(ctx context.Context, tx *sql.Tx, captures string, args ...any) error {
	uploads := `(SELECT id FROM deliveries WHERE capture IN (` + captures + `) AND state = 'pending' AND store <> '')`
	for _, statement := range []string{`DELETE FROM attempts WHERE delivery IN %s`, `DELETE FROM deliveries WHERE id IN %s`} {
		if _, err := tx.ExecContext(ctx, fmt.Sprintf(statement, uploads), args...); err != nil {
			return fmt.Errorf("drop what is owed to a store: %w", err)
		}
	}
	return nil
}

// upload completes a delivery to a store by what is needed to make an attempt. Without a store of the name there is no Upload.
func (o *outbox) upload(ctx context.Context, d savepage.Delivery) (savepage.Delivery, error) {
	c, err := getCapture(ctx, o.read, `id = ? AND account = ?`, d.CaptureID, d.Account)
	if errors.Is(err, sql.ErrNoRows) {
		return d, ledger.ErrNothingOwed
	}
	if err != nil {
		return d, err
	}
	d.Picture = c.Picture
	s, err := openStore(ctx, o.read, o.vault, d.Account, d.Store)
	if errors.Is(err, sql.ErrNoRows) || c.Options.Store == nil {
		return d, nil
	}
	if err != nil {
		return d, err
	}
	d.Upload = &savepage.Upload{Store: s, Key: s.Prefix + c.StoreKey(), Overwrite: c.Options.Store.Overwrite}
	return d, nil
}

const endStoring = `UPDATE captures SET state = ?, finished_at = ?, stored = ?, error = ? WHERE id = ? AND state = '` + stateStoring + `'`

// endStoring ends the capture of a delivery to a store that has ended, if it waits for that: it may have ended before, and its
// picture was sent again by hand. It returns the capture with what is owed for it.
func (up *uploads) endStoring(
	ctx context.Context, tx *sql.Tx, d savepage.Delivery, last savepage.Verdict, owe capture.Owe,
) ([]reuseResult, error) {
	if d.Store == "" || d.State == savepage.Pending {
		return nil, nil
	}
	c, err := getCapture(ctx, tx, `id = ? AND state = '`+stateStoring+`'`, d.CaptureID)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	c = ledger.StoreEnded(c, d, last, up.clock.Now())
	stored, err1 := column(c.Stored)
	failure, err2 := column(c.Error)
	if err := errors.Join(err1, err2); err != nil {
		return nil, fmt.Errorf("encode the end of %s: %w", c.ID, err)
	}
	if _, err := tx.ExecContext(ctx, endStoring, string(c.State), stamp(c.FinishedAt), stored, failure, c.ID); err != nil {
		return nil, fmt.Errorf("end %s: %w", c.ID, err)
	}
	up.tell.ended(c.Account, c.ID)
	done := reuseResult{capture: c}
	if done.owed, err = owe(c); err != nil {
		return nil, err
	}
	lastOfBatch, err := leaveBatch(ctx, tx, up.clock.Now(), batchEnds{c.BatchID, c.State, 1})
	if err != nil {
		return nil, err
	}
	done.owed = append(done.owed, lastOfBatch...)
	return []reuseResult{done}, up.deliveries.owe(ctx, tx, done.owed)
}

// overlongQuery selects deliveries to stores that were owed before a time and whose captures wait for them.
const overlongQuery = `SELECT ` + deliveryColumns + ` FROM deliveries d INDEXED BY deliveries_stores
	WHERE d.state = 'pending' AND d.store <> '' AND d.created_at < ?
		AND EXISTS (SELECT 1 FROM captures WHERE captures.id = d.capture AND captures.state = '` + stateStoring + `')
	ORDER BY d.created_at, d.id LIMIT ?`

// EndOverlong ends at most limit captures whose stores have not taken their pictures since before the time, which was the
// patience ago, and returns them.
func (up *uploads) EndOverlong(
	ctx context.Context, before time.Time, patience time.Duration, limit int, owe capture.Owe,
) ([]savepage.Capture, error) {
	var done []reuseResult
	err := up.do(ctx, func(ctx context.Context, tx *sql.Tx) error {
		done = nil
		list, err := collect(ctx, tx, scanDelivery, overlongQuery, stamp(before), limit)
		if err == nil {
			err = addAttempts(ctx, tx, list)
		}
		if err != nil {
			return err
		}
		for _, d := range list {
			verdict, now := ledger.Overlong(d, patience), up.clock.Now()
			d.State, d.NextAt, d.EndedAt = savepage.Dead, nil, &now
			if err := settleAll(ctx, tx, []savepage.Delivery{d}); err != nil {
				return err
			}
			ended, err := up.endStoring(ctx, tx, d, verdict, owe)
			if err != nil {
				return err
			}
			done = append(done, ended...)
		}
		return nil
	}, func(err error) {
		if err == nil && len(done) > 0 {
			up.ended(done...)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("give up stores that take no pictures: %w", err)
	}
	ended := make([]savepage.Capture, len(done))
	for i, one := range done {
		ended[i] = one.capture
	}
	return ended, nil
}
