package records

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/ledger"
)

// stores is the buckets that accounts have of their own.
type stores struct{ *db }

const (
	storeColumns = `account, name, place, keys, created_at, updated_at`
	storeQuery   = `SELECT ` + storeColumns + ` FROM stores WHERE account = ? AND name = ?`
)

// keptStore is a store as it lies in the table, and whose it is.
type keptStore struct {
	savepage.Store

	account, sealed string
}

func scanStore(scan func(dest ...any) error) (s keptStore, err error) {
	var (
		name, place      string
		created, updated sql.NullInt64
	)
	if err := scan(&s.account, &name, &place, &s.sealed, &created, &updated); err != nil {
		return s, err
	}
	if err := json.Unmarshal([]byte(place), &s.Store); err != nil {
		return s, fmt.Errorf("decode store %s: %w", name, err)
	}
	s.Name, s.CreatedAt, s.UpdatedAt = name, moment(created), moment(updated)
	return s, nil
}

// Stores returns the stores of an account without their credentials, by name.
func (st *stores) Stores(ctx context.Context, account string) ([]savepage.Store, error) {
	kept, err := collect(ctx, st.read, scanStore, `SELECT `+storeColumns+` FROM stores WHERE account = ? ORDER BY name`, account)
	if err != nil {
		return nil, fmt.Errorf("list stores: %w", err)
	}
	list := make([]savepage.Store, len(kept))
	for i, one := range kept {
		list[i] = one.Store
	}
	return list, nil
}

// OpenStore returns one with its credentials, or *savepage.Error of CodeNotFound.
func (st *stores) OpenStore(ctx context.Context, account, name string) (savepage.Store, error) {
	s, err := openStore(ctx, st.read, st.vault, account, name)
	if errors.Is(err, sql.ErrNoRows) {
		return savepage.Store{}, ledger.ErrNoStore(name)
	}
	return s, err
}

// HasStore reports whether an account has a store of this name.
func (st *stores) HasStore(ctx context.Context, account, name string) (has bool, err error) {
	const query = `SELECT EXISTS (SELECT 1 FROM stores WHERE account = ? AND name = ?)`
	if err := st.read.QueryRowContext(ctx, query, account, name).Scan(&has); err != nil {
		return false, fmt.Errorf("look for store %s: %w", name, err)
	}
	return has, nil
}

// openStore reads a store with its credentials, or sql.ErrNoRows.
func openStore(ctx context.Context, q Queries, v ledger.Vault, account, name string) (savepage.Store, error) {
	kept, err := scanStore(q.QueryRowContext(ctx, storeQuery, account, name).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return savepage.Store{}, err
	}
	if err != nil {
		return savepage.Store{}, fmt.Errorf("read store %s: %w", name, err)
	}
	text, err := v.Open(kept.sealed, ledger.StoreLabel(account, name))
	if err != nil {
		return savepage.Store{}, fmt.Errorf("open the credentials of store %s: %w", name, err)
	}
	if err := json.Unmarshal([]byte(text), &kept.Keys); err != nil {
		return savepage.Store{}, fmt.Errorf("decode the credentials of store %s: %w", name, err)
	}
	return kept.Store, nil
}

// KeepStore sets a store up, anew if there is one of its name. It reports whether there was none. More than savepage.MaxStores
// are *savepage.Error of CodeConflict, an unknown or closed account is CodeNotFound.
func (st *stores) KeepStore(ctx context.Context, account string, s savepage.Store) (kept savepage.Store, created bool, err error) {
	s.UpdatedAt = st.clock.Now().UTC().Truncate(time.Microsecond)
	s.CreatedAt = s.UpdatedAt
	err = st.alone(ctx, func(ctx context.Context, tx *sql.Tx) (err error) {
		created, err = keepStore(ctx, tx, st.vault, account, &s)
		return err
	})
	if err != nil {
		return savepage.Store{}, false, fmt.Errorf("set up store %s: %w", s.Name, err)
	}
	s.Keys = savepage.StoreKeys{}
	return s, created, nil
}

func keepStore(ctx context.Context, tx *sql.Tx, v ledger.Vault, account string, s *savepage.Store) (created bool, err error) {
	if err := openAccount(ctx, tx, account); err != nil {
		return false, err
	}
	before, err := scanStore(tx.QueryRowContext(ctx, storeQuery, account, s.Name).Scan)
	if created = errors.Is(err, sql.ErrNoRows); err != nil && !created {
		return false, err
	}
	if created {
		var there int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM stores WHERE account = ?`, account).Scan(&there); err != nil {
			return false, err
		}
		if there >= savepage.MaxStores {
			return false, savepage.Errorf(savepage.CodeConflict, "the account has %d stores, the most that it may have; remove one", there)
		}
	} else {
		s.CreatedAt = before.CreatedAt
	}
	place, err1 := json.Marshal(s)
	keys, err2 := json.Marshal(s.Keys)
	if err := errors.Join(err1, err2); err != nil {
		return false, fmt.Errorf("encode store: %w", err)
	}
	sealed, err := v.Seal(string(keys), ledger.StoreLabel(account, s.Name))
	if err != nil {
		return false, err
	}
	const keep = `INSERT INTO stores (account, name, place, keys, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (account, name) DO UPDATE SET place = excluded.place, keys = excluded.keys, updated_at = excluded.updated_at`
	_, err = tx.ExecContext(ctx, keep, account, s.Name, string(place), sealed, stamp(s.CreatedAt), stamp(s.UpdatedAt))
	return created, err
}

// RemoveStore removes a store. What is in the bucket stays there. An unknown one is *savepage.Error of CodeNotFound.
func (st *stores) RemoveStore(ctx context.Context, account, name string) error {
	err := st.alone(ctx, func(ctx context.Context, tx *sql.Tx) error {
		none, err := missed(tx.ExecContext(ctx, `DELETE FROM stores WHERE account = ? AND name = ?`, account, name))
		if err == nil && none {
			return ledger.ErrNoStore(name)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("remove store: %w", err)
	}
	return nil
}
