package records

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/ledger"
)

// Linked returns the link secret with an id and whose links it signs, or *savepage.Error of CodeNotFound.
func (ac *accounts) Linked(ctx context.Context, id string) (secret string, who savepage.Principal, err error) {
	const query = `SELECT a.id, l.secret, ` + limitColumns + ` FROM link_secrets l JOIN accounts a ON a.id = l.account
		WHERE l.id = ? AND a.closed_at IS NULL`
	var own scannedLimits
	dest := append([]any{&who.Account.ID, &secret}, own.into()...)
	err = ac.read.QueryRowContext(ctx, query, id).Scan(dest...)
	if errors.Is(err, sql.ErrNoRows) {
		return "", savepage.Principal{}, ledger.ErrNoLinkSecret(id)
	}
	if err != nil {
		return "", savepage.Principal{}, fmt.Errorf("look up link secret: %w", err)
	}
	if secret, err = ac.vault.Open(secret, ledger.LinkLabel(who.Account.ID, id)); err != nil {
		return "", savepage.Principal{}, fmt.Errorf("open link secret %s: %w", id, err)
	}
	who.KeyID, who.Scopes, who.Limits = id, []savepage.Scope{savepage.ScopeCapture}, own.over(ac.limits)
	return secret, who, nil
}

// LinkSecrets returns the link secrets of an account without their texts, newest first.
func (ac *accounts) LinkSecrets(ctx context.Context, account string) ([]savepage.LinkSecret, error) {
	return linkSecrets(ctx, ac.read, account)
}

// CreateLinkSecret makes a link secret, which the answer alone holds whole.
func (ac *accounts) CreateLinkSecret(ctx context.Context, account string) (savepage.LinkSecret, error) {
	made := ledger.NewLinkSecret(ac.clock.Now())
	err := ac.alone(ctx, func(ctx context.Context, tx *sql.Tx) error { return insertLinkSecret(ctx, tx, ac.vault, account, made) })
	if err != nil {
		return savepage.LinkSecret{}, fmt.Errorf("create link secret: %w", err)
	}
	return made, nil
}

// RemoveLinkSecret ends a link secret of the account and every link that it has signed.
func (ac *accounts) RemoveLinkSecret(ctx context.Context, account, id string) error {
	err := ac.alone(ctx, func(ctx context.Context, tx *sql.Tx) error { return removeLinkSecret(ctx, tx, account, id) })
	if err != nil {
		return fmt.Errorf("remove link secret: %w", err)
	}
	return nil
}

// LinkSecrets is the ledger's, for the command line.
func (k *Keys) LinkSecrets(ctx context.Context, account string) (found []savepage.LinkSecret, err error) {
	err = k.db.InTx(ctx, func(tx *sql.Tx) error {
		found, err = linkSecrets(ctx, tx, account)
		return err
	})
	return found, err
}

// CreateLinkSecret is the ledger's, for the command line.
func (k *Keys) CreateLinkSecret(ctx context.Context, account string) (savepage.LinkSecret, error) {
	made := ledger.NewLinkSecret(k.clock.Now())
	err := k.db.InTx(ctx, func(tx *sql.Tx) error {
		if err := k.mayWrite(ctx, tx); err != nil {
			return err
		}
		return insertLinkSecret(ctx, tx, k.vault, account, made)
	})
	if err != nil {
		return savepage.LinkSecret{}, fmt.Errorf("create link secret: %w", err)
	}
	return made, nil
}

// RemoveLinkSecret is the ledger's, for the command line.
func (k *Keys) RemoveLinkSecret(ctx context.Context, account, id string) error {
	if err := k.db.InTx(ctx, func(tx *sql.Tx) error { return removeLinkSecret(ctx, tx, account, id) }); err != nil {
		return fmt.Errorf("remove link secret: %w", err)
	}
	return nil
}

func linkSecrets(ctx context.Context, q Queries, account string) ([]savepage.LinkSecret, error) {
	const query = `SELECT id, created_at FROM link_secrets WHERE account = ? ORDER BY created_at DESC, id DESC`
	found, err := collect(ctx, q, scanLinkSecret, query, account)
	if err != nil {
		return nil, fmt.Errorf("list link secrets: %w", err)
	}
	return found, nil
}

func scanLinkSecret(scan func(dest ...any) error) (savepage.LinkSecret, error) {
	var s savepage.LinkSecret
	var created sql.NullInt64
	err := scan(&s.ID, &created)
	s.CreatedAt = moment(created)
	return s, err
}

func insertLinkSecret(ctx context.Context, tx *sql.Tx, v ledger.Vault, account string, made savepage.LinkSecret) error {
	const count = `SELECT (SELECT count(*) FROM link_secrets WHERE account = a.id) FROM accounts a WHERE id = ? AND closed_at IS NULL`
	var there int
	err := tx.QueryRowContext(ctx, count, account).Scan(&there)
	if errors.Is(err, sql.ErrNoRows) {
		return ledger.ErrNoAccount(account)
	}
	if err != nil {
		return err
	}
	if there >= savepage.MaxLinkSecrets {
		return savepage.Errorf(savepage.CodeConflict, "the account has %d link secrets, the most that it may have; remove one", there)
	}
	sealed, err := v.Seal(made.Secret, ledger.LinkLabel(account, made.ID))
	if err != nil {
		return err
	}
	const insert = `INSERT INTO link_secrets (id, account, secret, created_at) VALUES (?, ?, ?, ?)`
	_, err = tx.ExecContext(ctx, insert, made.ID, account, sealed, stamp(made.CreatedAt))
	return err
}

func removeLinkSecret(ctx context.Context, tx *sql.Tx, account, id string) error {
	none, err := missed(tx.ExecContext(ctx, `DELETE FROM link_secrets WHERE id = ? AND account = ?`, id, account))
	if err == nil && none {
		return ledger.ErrNoLinkSecret(id)
	}
	return err
}
