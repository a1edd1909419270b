package records

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/ledger"
)

const accountColumns = `id, name, created_at, closed_at, pending, running, ` + limitColumns

func scanAccount(scan func(dest ...any) error) (savepage.AccountInfo, error) {
	var (
		a               savepage.AccountInfo
		created, closed sql.NullInt64
		own             scannedLimits
	)
	err := scan(append([]any{&a.ID, &a.Name, &created, &closed, &a.Pending, &a.Running}, own.into()...)...)
	a.CreatedAt, a.ClosedAt, a.Limits = moment(created), moment(closed), map[string]int{}
	for i, row := range savepage.LimitTable() {
		if own[i].Valid {
			a.Limits[row.Name] = int(own[i].Int64)
		}
	}
	return a, err
}

const listAccounts = `SELECT ` + accountColumns + ` FROM accounts WHERE (created_at, id) < (?, ?) ORDER BY created_at DESC, id DESC LIMIT ?`

// ListAccounts returns a page of the accounts, newest first, and the cursor of the next page, empty on the last one.
func (k *Keys) ListAccounts(ctx context.Context, limit int, cursor string) (page []savepage.AccountInfo, next string, err error) {
	limit = ledger.PageLimit(limit)
	after := ledger.Cursor{CreatedAt: 1 << 62}
	if cursor != "" {
		if after, err = ledger.ReadCursor(cursor); err != nil {
			return nil, "", err
		}
	}
	page, err = collect(ctx, k.db, scanAccount, listAccounts, after.CreatedAt, after.ID, limit+1)
	if err != nil {
		return nil, "", fmt.Errorf("read accounts: %w", err)
	}
	page, next = ledger.CutPage(page, limit, func(a savepage.AccountInfo) ledger.Cursor { return ledger.CursorAt(a.CreatedAt, a.ID) })
	return page, next, nil
}

// Account returns an account, also a closed one, or *savepage.Error of CodeNotFound.
func (k *Keys) Account(ctx context.Context, id string) (savepage.AccountInfo, error) {
	a, err := scanAccount(k.db.QueryRowContext(ctx, `SELECT `+accountColumns+` FROM accounts WHERE id = ?`, id).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return savepage.AccountInfo{}, ledger.ErrNoAccount(id)
	}
	if err != nil {
		return savepage.AccountInfo{}, fmt.Errorf("read account %s: %w", id, err)
	}
	return a, nil
}

// CreateAccount makes an account with a first key and a webhook secret.
func (k *Keys) CreateAccount(ctx context.Context, a savepage.AccountTerms, terms savepage.KeyTerms) (savepage.Issued, error) {
	issued := issue("", terms)
	err := k.db.InTx(ctx, func(tx *sql.Tx) error {
		if err := k.createAccount(ctx, tx, &issued); err != nil {
			return err
		}
		return setAccount(ctx, tx, issued.Account, a)
	})
	if err != nil {
		return savepage.Issued{}, fmt.Errorf("create account: %w", err)
	}
	return issued, nil
}

// createAccount makes an account for a key that is issued, and its webhook secret.
func (k *Keys) createAccount(ctx context.Context, tx *sql.Tx, issued *savepage.Issued) error {
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

// SetAccount changes an account that is not closed. An unknown one is *savepage.Error of CodeNotFound.
func (k *Keys) SetAccount(ctx context.Context, id string, change savepage.AccountTerms) (savepage.AccountInfo, error) {
	err := k.db.InTx(ctx, func(tx *sql.Tx) error {
		if err := openAccount(ctx, tx, id); err != nil {
			return err
		}
		return setAccount(ctx, tx, id, change)
	})
	if err != nil {
		return savepage.AccountInfo{}, fmt.Errorf("change account: %w", err)
	}
	return k.Account(ctx, id)
}

func setAccount(ctx context.Context, tx *sql.Tx, id string, change savepage.AccountTerms) error {
	if change.Name != nil {
		if _, err := tx.ExecContext(ctx, `UPDATE accounts SET name = ? WHERE id = ?`, *change.Name, id); err != nil {
			return err
		}
	}
	for _, row := range savepage.LimitTable() {
		limit, given := change.Limits[row.Name]
		if !given {
			continue
		}
		var value any
		if limit != nil {
			value = *limit
		}
		set := `UPDATE accounts SET limit_` + row.Name + ` = ? WHERE id = ?` //nolint:gosec // a name of the table in the code
		if _, err := tx.ExecContext(ctx, set, value, id); err != nil {
			return err
		}
	}
	return nil
}

// openAccount returns nil for an account that is there and not closed.
func openAccount(ctx context.Context, tx *sql.Tx, id string) error {
	var one int
	err := tx.QueryRowContext(ctx, `SELECT 1 FROM accounts WHERE id = ? AND closed_at IS NULL`, id).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return ledger.ErrNoAccount(id)
	}
	return err
}

// CloseAccount ends the keys of an account and marks it, so that nothing more is accepted for it and its records are
// removed. One that is unknown or closed is *savepage.Error of CodeNotFound.
func (k *Keys) CloseAccount(ctx context.Context, id string) error {
	err := k.db.InTx(ctx, func(tx *sql.Tx) error {
		if err := openAccount(ctx, tx, id); err != nil {
			return err
		}
		now := stamp(k.clock.Now())
		if _, err := tx.ExecContext(ctx, `UPDATE accounts SET closed_at = ? WHERE id = ?`, now, id); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `UPDATE keys SET revoked_at = ? WHERE account = ? AND revoked_at IS NULL`, now, id)
		return err
	})
	if err != nil {
		return fmt.Errorf("close account: %w", err)
	}
	return nil
}
