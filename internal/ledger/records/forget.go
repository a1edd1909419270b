package records

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/ledger"
)

// removal is an ended capture on its way out of the database.
type removal struct {
	account, id string

	// The answer, set by forgetAll.
	refused *savepage.Error
	picture string // that no other capture has
}

// Forget removes an ended capture with its deliveries and its Idempotency-Key, and returns the name of its picture when
// that no other capture has. An unknown or foreign id is no error; one that has not ended is *savepage.Error of CodeConflict.
// Those that are removed at the same time share statements.
func (cs *captures) Forget(ctx context.Context, account, id string) (string, error) {
	r := &removal{account: account, id: id}
	if err := cs.submit(ctx, &write{gone: r}); err != nil {
		return "", fmt.Errorf("forget capture %s: %w", id, err)
	}
	if r.refused != nil {
		return "", r.refused
	}
	return r.picture, nil
}

// forgetAll removes captures, all or none: an error means that the transaction must be rolled back.
func forgetAll(ctx context.Context, tx *sql.Tx, list []*removal) error {
	if len(list) == 0 {
		return nil
	}
	wanted := make([]string, len(list))
	for i, r := range list {
		wanted[i] = r.id
	}
	records, err := readForgettable(ctx, tx, wanted)
	if err != nil {
		return err
	}
	var ids, pictures []string
	for _, r := range list {
		r.refused, r.picture = nil, ""
		of, is := records[r.id]
		if !is || of.account != r.account {
			continue
		}
		if r.refused = ledger.MayForget(r.id, of.state); r.refused != nil {
			continue
		}
		delete(records, r.id)
		ids = append(ids, r.id)
		if r.picture = of.picture; r.picture != "" {
			pictures = append(pictures, r.picture)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	if err := forget(ctx, tx, ids); err != nil {
		return err
	}
	// No later capture can get a picture: it would have to find it in a record.
	others := map[string]bool{}
	if len(pictures) > 0 {
		others, err = knownPictures(ctx, tx, pictures)
	}
	if err != nil {
		return err
	}
	for _, r := range list {
		if others[r.picture] {
			r.picture = ""
		}
		others[r.picture] = true // one tells the name
	}
	return nil
}

// forgettable is what is asked of a capture before it is removed.
type forgettable struct {
	account, picture string
	state            savepage.State
}

func readForgettable(ctx context.Context, tx *sql.Tx, ids []string) (map[string]forgettable, error) {
	list, err := textList(ids)
	if err != nil {
		return nil, err
	}
	const query = `SELECT id, account, state, coalesce(picture_name, '') FROM captures WHERE id IN (SELECT value FROM json_each(?))`
	records := map[string]forgettable{}
	_, err = collect(ctx, tx, func(scan func(dest ...any) error) (id string, err error) {
		var one forgettable
		err = scan(&id, &one.account, &one.state, &one.picture)
		records[id] = one
		return id, err
	}, query, list)
	if err != nil {
		return nil, fmt.Errorf("read captures: %w", err)
	}
	return records, nil
}

// forget removes captures with what belongs to them.
func forget(ctx context.Context, tx *sql.Tx, ids []string) error {
	list, err := textList(ids)
	if err != nil || len(ids) == 0 {
		return err
	}
	const chosen = `(SELECT value FROM json_each(?))`
	deliveries, err := collect(ctx, tx, scanText, `SELECT id FROM deliveries WHERE capture IN `+chosen, list)
	if err != nil {
		return fmt.Errorf("look for deliveries: %w", err)
	}
	if err := execList(ctx, tx, deliveries, `DELETE FROM attempts WHERE delivery IN `+chosen); err != nil {
		return err
	}
	return execList(ctx, tx, ids,
		`DELETE FROM deliveries WHERE capture IN `+chosen,
		`DELETE FROM idempotency WHERE capture IN `+chosen,
		`DELETE FROM private WHERE capture IN `+chosen,
		`DELETE FROM inbox_events WHERE capture IN `+chosen,
		`DELETE FROM captures WHERE id IN `+chosen)
}
