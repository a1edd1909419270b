package records

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
	shared   bool // other processes may serve the database too
}

// keys manages accounts and keys through the server's own connection.
func (ac *accounts) keys() *Keys { return &Keys{db: ac.others, vault: ac.vault, clock: ac.clock} }

// Bootstrap makes the first account and key when there is no account yet; it reports whether it did.
func (ac *accounts) Bootstrap(ctx context.Context) (issued savepage.Issued, created bool, err error) {
	return ac.keys().Bootstrap(ctx)
}

// Authenticate returns who a key belongs to, or *savepage.Error of CodeUnauthorized. It remembers valid keys for two
// seconds, and none longer than it is valid.
func (ac *accounts) Authenticate(ctx context.Context, key string) (savepage.Principal, error) {
	if ledger.Mistyped(key) {
		return savepage.Principal{}, savepage.Errorf(savepage.CodeUnauthorized, "the key is mistyped: its checksum is wrong")
	}
	hash, now := ledger.HashKey(key), ac.clock.Now()
	if known, found := ac.keyCache.Get(hash, now); found {
		return known, nil
	}
	who, used, expires, err := ac.lookUp(ctx, hash[:], ac.clock.Wall())
	if err != nil {
		return savepage.Principal{}, err
	}
	ac.keyCache.Put(hash, who, now, expires)
	if now.Sub(used) < lastUsedStep {
		return who, nil
	}
	if err := ac.keyUsed(ctx, hash[:], now); err != nil {
		ac.log.WarnContext(ctx, "last use of a key not recorded", "error", err)
	}
	return who, nil
}

// lookUp finds a valid key by its hash, with the time at which it was last used and the one from which it is refused.
func (ac *accounts) lookUp(ctx context.Context, hash []byte, now time.Time) (who savepage.Principal, used, expires time.Time, err error) {
	const query = `SELECT a.id, a.api_secret, k.prefix, k.scopes, k.last_used_at, k.expires_at, ` + limitColumns + `
		FROM keys k JOIN accounts a ON a.id = k.account
		WHERE k.hash = ? AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > ?) AND a.closed_at IS NULL`
	var (
		scopes     string
		last, ends sql.NullInt64
		own        scannedLimits
		account    = &who.Account
	)
	dest := append([]any{&account.ID, &account.APISecret, &who.KeyID, &scopes, &last, &ends}, own.into()...)
	err = ac.read.QueryRowContext(ctx, query, hash, stamp(now)).Scan(dest...)
	if errors.Is(err, sql.ErrNoRows) {
		return who, used, expires, savepage.Errorf(savepage.CodeUnauthorized, "the key is not valid")
	}
	if err != nil {
		return who, used, expires, fmt.Errorf("look up key: %w", err)
	}
	if account.APISecret, err = ac.vault.Open(account.APISecret, ledger.APILabel(account.ID)); err != nil {
		return who, used, expires, fmt.Errorf("open API secret of account %s: %w", account.ID, err)
	}
	who.Scopes, who.Limits = splitScopes(scopes), own.over(ac.limits)
	return who, moment(last), moment(ends), nil
}

func (ac *accounts) keyUsed(ctx context.Context, hash []byte, now time.Time) error {
	return ac.do(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE keys SET last_used_at = ? WHERE hash = ?`, stamp(now), hash)
		return err
	}, nil)
}

// Usage returns what an account uses of its limits now, or *savepage.Error of CodeNotFound.
func (ac *accounts) Usage(ctx context.Context, account string) (savepage.Usage, error) {
	s, err := standing(ctx, ac.read, account, ac.clock.Now(), ac.limits)
	if err != nil {
		return savepage.Usage{}, err
	}
	if s.Closed {
		return savepage.Usage{}, ledger.ErrNoAccount(account)
	}
	return s.Usage(account), nil
}

// Admin manages accounts and keys. What it has changed is not remembered otherwise.
func (ac *accounts) Admin() ledger.Admin { return &admin{Keys: ac.keys(), accounts: ac} }

// admin forgets what is remembered of keys with each change.
type admin struct {
	*Keys

	accounts *accounts
}

// changed forgets what is remembered of keys, here and at other nodes.
func (a *admin) changed(ctx context.Context) {
	a.accounts.keyCache.Clear()
	if !a.accounts.shared {
		return
	}
	tell := func(context.Context, *sql.Tx) error { a.accounts.tell.Keys = true; return nil }
	if err := a.accounts.do(ctx, tell, nil); err != nil {
		a.accounts.log.WarnContext(ctx, "other nodes were not told of a change of keys: they see it within two seconds", "error", err)
	}
}

// Revoke is Keys.Revoke.
func (a *admin) Revoke(ctx context.Context, account, name string) error {
	defer a.changed(ctx)
	return a.Keys.Revoke(ctx, account, name)
}

// Rotate is Keys.Rotate.
func (a *admin) Rotate(ctx context.Context, account, name string, overlap time.Duration) (savepage.Issued, error) {
	defer a.changed(ctx)
	return a.Keys.Rotate(ctx, account, name, overlap)
}

// SetAccount is Keys.SetAccount.
func (a *admin) SetAccount(ctx context.Context, id string, change savepage.AccountTerms) (savepage.AccountInfo, error) {
	defer a.changed(ctx)
	return a.Keys.SetAccount(ctx, id, change)
}

// CloseAccount is Keys.CloseAccount.
func (a *admin) CloseAccount(ctx context.Context, id string) error {
	defer a.changed(ctx)
	return a.Keys.CloseAccount(ctx, id)
}
