package records

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/clock"
	"github.com/savepage/savepage/internal/ledger"
)

// Lives of what is remembered of keys.
const (
	keyCacheLife = 2 * time.Second // until a revocation by another process is seen
	lastUsedStep = time.Minute     // how exact last_used_at is
)

// Keys manages accounts and keys. It may be open beside a running server.
type Keys struct {
	db     Writer
	vault  ledger.Vault
	clock  *clock.Clock
	served bool // by another process
}

// OpenKeys manages the keys of a database that is up to date. The keys close it. served says that another process serves it.
func OpenKeys(db Writer, vault ledger.Vault, c *clock.Clock, served bool) *Keys {
	return &Keys{db: db, vault: vault, clock: c, served: served}
}

// mayWrite returns nil when secrets can be written as the server writes them: the vault opens what is there, and a server
// that runs without a master key gets nothing that it could not read.
func (k *Keys) mayWrite(ctx context.Context, tx *sql.Tx) error {
	plain, err := Openable(ctx, tx, k.vault)
	if err != nil {
		return err
	}
	return k.vault.MaySeal(plain, k.served)
}

// Close closes the database.
func (k *Keys) Close() error { return k.db.Close() }

// issue makes a key with the terms, not recorded yet.
func issue(account string, terms savepage.KeyTerms) savepage.Issued {
	return savepage.Issued{
		Account: account, Key: ledger.NewKey(), Name: terms.Name, Scopes: terms.Granted(),
		ExpiresAt: terms.ExpiresAt.UTC().Truncate(time.Microsecond),
	}
}

// Create makes a key for an account. An empty account is a new one, with a webhook secret that this answer alone tells; an
// unknown one is *savepage.Error of CodeNotFound.
func (k *Keys) Create(ctx context.Context, account string, terms savepage.KeyTerms) (savepage.Issued, error) {
	issued := issue(account, terms)
	err := k.db.InTx(ctx, func(tx *sql.Tx) error {
		if account == "" {
			return k.createAccount(ctx, tx, &issued)
		}
		if err := openAccount(ctx, tx, account); err != nil {
			return err
		}
		return insertKey(ctx, tx, issued, k.clock.Now())
	})
	if err != nil {
		return savepage.Issued{}, fmt.Errorf("create key: %w", err)
	}
	return issued, nil
}

// Bootstrap makes the first account and key when there is no account yet; it reports whether it did. The key may do
// everything.
func (k *Keys) Bootstrap(ctx context.Context) (issued savepage.Issued, created bool, err error) {
	issued = issue("", savepage.KeyTerms{Name: ledger.FirstKeyName, Scopes: savepage.Scopes()})
	err = k.db.InTx(ctx, func(tx *sql.Tx) error {
		var some bool
		if err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM accounts)`).Scan(&some); err != nil || some {
			return err
		}
		created = true
		return k.createAccount(ctx, tx, &issued)
	})
	if err != nil {
		return savepage.Issued{}, false, fmt.Errorf("make first key: %w", err)
	}
	if !created {
		return savepage.Issued{}, false, nil
	}
	return issued, true, nil
}

func insertKey(ctx context.Context, tx *sql.Tx, issued savepage.Issued, now time.Time) error {
	const insert = `INSERT INTO keys (hash, account, prefix, created_at, name, scopes, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)`
	hash := ledger.HashKey(issued.Key)
	_, err := tx.ExecContext(ctx, insert, hash[:], issued.Account, ledger.KeyPrefix(issued.Key), stamp(now), issued.Name,
		joinScopes(issued.Scopes), stamp(issued.ExpiresAt))
	return err
}

func joinScopes(scopes []savepage.Scope) string {
	names := make([]string, len(scopes))
	for i, s := range scopes {
		names[i] = string(s)
	}
	return strings.Join(names, ",")
}

func splitScopes(text string) []savepage.Scope {
	var scopes []savepage.Scope
	for name := range strings.SplitSeq(text, ",") {
		scopes = append(scopes, savepage.Scope(name))
	}
	return scopes
}

const keyColumns = `account, prefix, name, scopes, created_at, last_used_at, expires_at, revoked_at`

// List returns the keys of an account, or of all when it is empty, oldest first, revoked and expired ones included.
func (k *Keys) List(ctx context.Context, account string) ([]savepage.Key, error) {
	query, of := `SELECT `+keyColumns+` FROM keys WHERE account = ? ORDER BY created_at, prefix`, []any{account}
	if account == "" {
		query, of = `SELECT `+keyColumns+` FROM keys ORDER BY created_at, prefix`, nil
	}
	list, err := collect(ctx, k.db, scanKey, query, of...)
	if err != nil {
		return nil, fmt.Errorf("list keys: %w", err)
	}
	return list, nil
}

func scanKey(scan func(dest ...any) error) (savepage.Key, error) {
	var (
		key                             savepage.Key
		scopes                          string
		created, used, expires, revoked sql.NullInt64
	)
	err := scan(&key.Account, &key.Prefix, &key.Name, &scopes, &created, &used, &expires, &revoked)
	key.CreatedAt, key.LastUsed, key.ExpiresAt, key.RevokedAt = moment(created), moment(used), moment(expires), moment(revoked)
	key.Scopes = splitScopes(scopes)
	return key, err
}

// find returns the one key of the account, or of any when that is empty, that is named by itself or by its prefix and not
// revoked.
func (k *Keys) find(ctx context.Context, tx *sql.Tx, account, name string) (savepage.Key, error) {
	hash := ledger.HashKey(name)
	const query = `SELECT ` + keyColumns + ` FROM keys WHERE (hash = ?1 OR prefix = ?2) AND (?3 = '' OR account = ?3) AND revoked_at IS NULL`
	found, err := collect(ctx, tx, scanKey, query, hash[:], name, account)
	switch {
	case err != nil:
		return savepage.Key{}, err
	case len(found) == 0:
		return savepage.Key{}, savepage.Errorf(savepage.CodeNotFound, "there is no valid key %s", ledger.KeyPrefix(name))
	case len(found) > 1:
		return savepage.Key{}, savepage.Errorf(savepage.CodeConflict, "several keys begin with %s; give the whole key", name)
	default:
		return found[0], nil
	}
}

// Revoke ends a key of an account, or of any when that is empty, that is named by itself or by the prefix that List shows.
// A running server refuses it within two seconds. An unknown or revoked key is *savepage.Error of CodeNotFound; a prefix of
// several is CodeConflict.
func (k *Keys) Revoke(ctx context.Context, account, name string) error {
	err := k.db.InTx(ctx, func(tx *sql.Tx) error {
		key, err := k.find(ctx, tx, account, name)
		if err != nil {
			return err
		}
		hash := ledger.HashKey(name)
		const revoke = `UPDATE keys SET revoked_at = ? WHERE (hash = ? OR prefix = ?) AND account = ? AND revoked_at IS NULL`
		_, err = tx.ExecContext(ctx, revoke, stamp(k.clock.Now()), hash[:], name, key.Account)
		return err
	})
	if err != nil {
		return fmt.Errorf("revoke key: %w", err)
	}
	return nil
}

// Rotate makes a key with the name, the scopes and the expiry of another, which ends after the overlap. The other is named
// as for Revoke; one that has expired is *savepage.Error of CodeConflict.
func (k *Keys) Rotate(ctx context.Context, account, name string, overlap time.Duration) (savepage.Issued, error) {
	var issued savepage.Issued
	err := k.db.InTx(ctx, func(tx *sql.Tx) error {
		key, err := k.find(ctx, tx, account, name)
		if err != nil {
			return err
		}
		now := k.clock.Now()
		if !key.ExpiresAt.IsZero() && !key.ExpiresAt.After(now) {
			return savepage.Errorf(savepage.CodeConflict, "key %s expired at %s; create another", key.Prefix, key.ExpiresAt.Format(time.RFC3339))
		}
		issued = issue(key.Account, savepage.KeyTerms{Name: key.Name, Scopes: key.Scopes, ExpiresAt: key.ExpiresAt})
		hash := ledger.HashKey(name)
		const end = `UPDATE keys SET expires_at = CASE WHEN expires_at < ?1 THEN expires_at ELSE ?1 END
			WHERE (hash = ?2 OR prefix = ?3) AND account = ?4 AND revoked_at IS NULL`
		if _, err := tx.ExecContext(ctx, end, stamp(now.Add(overlap)), hash[:], name, key.Account); err != nil {
			return err
		}
		return insertKey(ctx, tx, issued, now)
	})
	if err != nil {
		return savepage.Issued{}, fmt.Errorf("rotate key: %w", err)
	}
	return issued, nil
}

// SetAPISecret sets the secret that the older API's hash is made with; empty for none.
func (k *Keys) SetAPISecret(ctx context.Context, account, secret string) error {
	err := k.db.InTx(ctx, func(tx *sql.Tx) error {
		if err := k.mayWrite(ctx, tx); err != nil {
			return err
		}
		sealed, err := k.vault.Seal(secret, ledger.APILabel(account))
		if err != nil {
			return err
		}
		none, err := missed(tx.ExecContext(ctx, `UPDATE accounts SET api_secret = ? WHERE id = ?`, sealed, account))
		if err == nil && none {
			return ledger.ErrNoAccount(account)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("set API secret: %w", err)
	}
	return nil
}
