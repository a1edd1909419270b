package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/clock"
	"github.com/savepage/savepage/internal/ledger"
)

// Lives of what is remembered of keys.
const (
	keyCacheLife = 2 * time.Second // until a revocation by another process is seen
	lastUsedStep = time.Minute     // how exact last_used_at is
)

// Keys makes, lists and revokes keys. It may be open beside a running server.
type Keys struct {
	db     *sql.DB
	vault  ledger.Vault
	clock  *clock.Clock
	served bool // by another process
}

func openKeys(ctx context.Context, dir string, vault ledger.Vault, now *clock.Clock) (*Keys, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make data folder: %w", err)
	}
	db, err := openWriter(dir)
	if err != nil {
		return nil, err
	}
	served, err := migrateUnlessServed(ctx, db, dir)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &Keys{db: db, vault: vault, clock: now, served: served}, nil
}

func migrateUnlessServed(ctx context.Context, db *sql.DB, dir string) (served bool, err error) {
	lock, err := lockDir(dir)
	if errors.Is(err, errServed) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	return false, errors.Join(migrate(ctx, db, slog.New(slog.DiscardHandler)), lock.Close())
}

// mayWrite returns nil when secrets can be written as the server writes them: the vault opens what is there, and a server
// that runs without a master key gets nothing that it could not read.
func (k *Keys) mayWrite(ctx context.Context, tx *sql.Tx) error {
	plain, err := mustOpen(ctx, tx, k.vault)
	if err != nil {
		return err
	}
	return k.vault.MaySeal(plain, k.served)
}

// Close closes the database.
func (k *Keys) Close() error { return k.db.Close() }

// Create makes a key for an account. An empty account is a new one, with a webhook secret that this answer alone tells; an
// unknown one is *savepage.Error of CodeNotFound.
func (k *Keys) Create(ctx context.Context, account string) (ledger.Issued, error) {
	issued := ledger.Issued{Account: account, Key: ledger.NewKey()}
	err := inTx(ctx, k.db, func(tx *sql.Tx) error {
		now := k.clock.Now()
		if account == "" {
			return k.createAccount(ctx, tx, &issued)
		}
		var one int
		err := tx.QueryRowContext(ctx, `SELECT 1 FROM accounts WHERE id = ?`, account).Scan(&one)
		if errors.Is(err, sql.ErrNoRows) {
			return ledger.ErrNoAccount(account)
		}
		if err != nil {
			return err
		}
		return insertKey(ctx, tx, issued, now)
	})
	if err != nil {
		return ledger.Issued{}, fmt.Errorf("create key: %w", err)
	}
	return issued, nil
}

// Bootstrap makes the first account and key when there is no account yet; it reports whether it did.
func (k *Keys) Bootstrap(ctx context.Context) (issued ledger.Issued, created bool, err error) {
	issued.Key = ledger.NewKey()
	err = inTx(ctx, k.db, func(tx *sql.Tx) error {
		var accounts int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM accounts`).Scan(&accounts); err != nil || accounts > 0 {
			return err
		}
		created = true
		return k.createAccount(ctx, tx, &issued)
	})
	if err != nil {
		return ledger.Issued{}, false, fmt.Errorf("make first key: %w", err)
	}
	if !created {
		return ledger.Issued{}, false, nil
	}
	return issued, true, nil
}

func (k *Keys) createAccount(ctx context.Context, tx *sql.Tx, issued *ledger.Issued) error {
	if err := k.mayWrite(ctx, tx); err != nil {
		return err
	}
	now := k.clock.Now()
	issued.Account, issued.WebhookSecret = capture.NewID("acc_", now), ledger.NewSecret()
	sealed, err := k.vault.Seal(issued.WebhookSecret, ledger.WebhookLabel(issued.Account))
	if err != nil {
		return err
	}
	const insert = `INSERT INTO accounts (id, created_at, webhook_secret) VALUES (?, ?, ?)`
	if _, err := tx.ExecContext(ctx, insert, issued.Account, stamp(now), sealed); err != nil {
		return err
	}
	return insertKey(ctx, tx, *issued, now)
}

func insertKey(ctx context.Context, tx *sql.Tx, issued ledger.Issued, now time.Time) error {
	const insert = `INSERT INTO keys (hash, account, prefix, created_at) VALUES (?, ?, ?, ?)`
	hash := ledger.HashKey(issued.Key)
	_, err := tx.ExecContext(ctx, insert, hash[:], issued.Account, ledger.KeyPrefix(issued.Key), stamp(now))
	return err
}

// List returns the keys of an account, or of all when it is empty, oldest first, revoked ones included.
func (k *Keys) List(ctx context.Context, account string) ([]ledger.Key, error) {
	const query = `SELECT account, prefix, created_at, last_used_at, revoked_at FROM keys
		WHERE ?1 = '' OR account = ?1 ORDER BY created_at, prefix`
	list, err := collect(ctx, k.db, scanKey, query, account)
	if err != nil {
		return nil, fmt.Errorf("list keys: %w", err)
	}
	return list, nil
}

func scanKey(scan func(dest ...any) error) (ledger.Key, error) {
	var (
		key                    ledger.Key
		created, used, revoked sql.NullInt64
	)
	err := scan(&key.Account, &key.Prefix, &created, &used, &revoked)
	key.CreatedAt, key.LastUsed, key.RevokedAt = moment(created), moment(used), moment(revoked)
	return key, err
}

// Revoke ends a key that is named by itself or by the prefix that List shows. A running server refuses it within two
// seconds. An unknown or revoked key is *savepage.Error of CodeNotFound; a prefix of several is CodeConflict.
func (k *Keys) Revoke(ctx context.Context, key string) error {
	err := inTx(ctx, k.db, func(tx *sql.Tx) error {
		hash := ledger.HashKey(key)
		const revoke = `UPDATE keys SET revoked_at = ? WHERE (hash = ? OR prefix = ?) AND revoked_at IS NULL`
		done, err := tx.ExecContext(ctx, revoke, stamp(k.clock.Now()), hash[:], key)
		if err != nil {
			return err
		}
		switch revoked, err := done.RowsAffected(); {
		case err != nil:
			return err
		case revoked == 0:
			return savepage.Errorf(savepage.CodeNotFound, "there is no valid key %s", ledger.KeyPrefix(key))
		case revoked > 1:
			return savepage.Errorf(savepage.CodeConflict, "several keys begin with %s; give the whole key", key)
		default:
			return nil
		}
	})
	if err != nil {
		return fmt.Errorf("revoke key: %w", err)
	}
	return nil
}

// SetAPISecret sets the secret that the older API's hash is made with; empty for none.
func (k *Keys) SetAPISecret(ctx context.Context, account, secret string) error {
	err := inTx(ctx, k.db, func(tx *sql.Tx) error {
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
