package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/ledger"
)

// accounts is the record of accounts, as a server needs it.
type accounts struct {
	*db

	limits   savepage.Limits
	keyCache *ledger.KeyCache
}

// Bootstrap makes the first account and key when there is no account yet; it reports whether it did.
func (ac *accounts) Bootstrap(ctx context.Context) (issued ledger.Issued, created bool, err error) {
	keys := Keys{db: ac.write, vault: ac.vault, clock: ac.clock}
	return keys.Bootstrap(ctx)
}

// Authenticate returns who a key belongs to, or *savepage.Error of CodeUnauthorized. It remembers valid keys for two
// seconds.
func (ac *accounts) Authenticate(ctx context.Context, key string) (savepage.Principal, error) {
	hash, now := ledger.HashKey(key), ac.clock.Now()
	if known, found := ac.keyCache.Get(hash, now); found {
		return known, nil
	}
	const query = `SELECT a.id, a.api_secret, k.prefix, k.last_used_at FROM keys k JOIN accounts a ON a.id = k.account
		WHERE k.hash = ? AND k.revoked_at IS NULL`
	who, used := savepage.Principal{Scopes: savepage.Scopes(), Limits: ac.limits}, sql.NullInt64{}
	account := &who.Account
	err := ac.read.QueryRowContext(ctx, query, hash[:]).Scan(&account.ID, &account.APISecret, &who.KeyID, &used)
	if errors.Is(err, sql.ErrNoRows) {
		return savepage.Principal{}, savepage.Errorf(savepage.CodeUnauthorized, "the key is not valid")
	}
	if err != nil {
		return savepage.Principal{}, fmt.Errorf("look up key: %w", err)
	}
	if account.APISecret, err = ac.vault.Open(account.APISecret, ledger.APILabel(account.ID)); err != nil {
		return savepage.Principal{}, fmt.Errorf("open API secret of account %s: %w", account.ID, err)
	}
	ac.keyCache.Put(hash, who, now)
	if now.Sub(moment(used)) < lastUsedStep {
		return who, nil
	}
	if err := ac.keyUsed(ctx, hash[:], now); err != nil {
		ac.log.WarnContext(ctx, "last use of a key not recorded", "error", err)
	}
	return who, nil
}

func (ac *accounts) keyUsed(ctx context.Context, hash []byte, now time.Time) error {
	return ac.do(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE keys SET last_used_at = ? WHERE hash = ?`, stamp(now), hash)
		return err
	}, nil)
}
