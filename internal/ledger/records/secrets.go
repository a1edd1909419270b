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

// insertPrivate keeps what submissions have that nobody may read back.
func insertPrivate(ctx context.Context, tx *sql.Tx, vault ledger.Vault, rows []*row) error {
	for _, r := range rows {
		if r.private == "" {
			continue
		}
		id, account := r.Capture.ID, r.Capture.Account
		sealed, err := vault.Seal(r.private, ledger.PrivateLabel(account, id))
		if err != nil {
			return fmt.Errorf("seal what is private of capture %s: %w", id, err)
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO private (capture, account, sealed) VALUES (?, ?, ?)`, id, account,
			sealed); err != nil {
			return fmt.Errorf("insert what is private: %w", err)
		}
	}
	return nil
}

// addPrivate gives a delivery what is private of its capture, and its picture if it is a file. It returns the secret of its own
// that it is signed with, if it has one.
func (ac *accounts) addPrivate(ctx context.Context, d *savepage.Delivery, sealed string) (secret string, err error) {
	if sealed == "" {
		return "", nil
	}
	text, err := ac.vault.Open(sealed, ledger.PrivateLabel(d.Account, d.CaptureID))
	if err != nil {
		return "", fmt.Errorf("open what is private of capture %s: %w", d.CaptureID, err)
	}
	var own ledger.Private
	if err := json.Unmarshal([]byte(text), &own); err != nil {
		return "", fmt.Errorf("decode what is private of capture %s: %w", d.CaptureID, err)
	}
	d.Headers, d.Format, d.Method, d.Filename = own.Headers, own.Format, own.Method, own.Filename
	return own.Secret, ac.addPicture(ctx, d)
}

// addPicture gives a delivery that is a file its picture: none of a capture that failed.
func (ac *accounts) addPicture(ctx context.Context, d *savepage.Delivery) error {
	if !d.Format.IsFile() {
		return nil
	}
	var picture sql.NullString
	err := ac.read.QueryRowContext(ctx, `SELECT CASE state WHEN 'success' THEN picture END FROM captures WHERE id = ? AND account = ?`,
		d.CaptureID, d.Account).Scan(&picture)
	if err != nil {
		return fmt.Errorf("read the picture of capture %s: %w", d.CaptureID, err)
	}
	return decode(picture, &d.Picture)
}

// Signing returns the webhook secrets that sign for an account now, newest first and never none.
func (ac *accounts) Signing(ctx context.Context, account string) ([]string, error) {
	list, err := readSecrets(ctx, ac.read, ac.vault, account, ac.clock.Date())
	secrets := make([]string, len(list))
	for i, one := range list {
		secrets[i] = one.Text
	}
	return secrets, err
}

// Secrets describes the account's webhook secrets without their texts, or returns *savepage.Error of CodeNotFound.
func (ac *accounts) Secrets(ctx context.Context, account string) (savepage.WebhookSecrets, error) {
	list, err := readSecrets(ctx, ac.read, ac.vault, account, ac.clock.Date())
	if err != nil {
		return savepage.WebhookSecrets{}, err
	}
	return ledger.DescribeSecrets(list), nil
}

// RotateSecret gives the account a new webhook secret. The answer alone holds it whole. Those before it go on signing beside
// it for the overlap at most. More than ledger.MaxOldSecrets at once are *savepage.Error of CodeConflict.
func (ac *accounts) RotateSecret(ctx context.Context, account string, overlap time.Duration) (savepage.WebhookSecrets, error) {
	var made savepage.WebhookSecrets
	var refused *savepage.Error
	err := ac.do(ctx, func(ctx context.Context, tx *sql.Tx) error {
		var err error
		made, err = rotate(ctx, tx, ac.vault, rotation{account: account, overlap: overlap, now: ac.clock.Now()})
		if fault, known := errors.AsType[*savepage.Error](err); known {
			refused, err = fault, nil // nothing was written; the others of the commit go on
		}
		return err
	}, nil)
	if err != nil {
		return savepage.WebhookSecrets{}, fmt.Errorf("rotate webhook secret: %w", err)
	}
	if refused != nil {
		return savepage.WebhookSecrets{}, refused
	}
	return made, nil
}

// RotateSecret is the ledger's, for the command line. A server that runs signs with the new secret from then on.
func (k *Keys) RotateSecret(ctx context.Context, account string, overlap time.Duration) (made savepage.WebhookSecrets, err error) {
	err = k.db.InTx(ctx, func(tx *sql.Tx) error {
		if err := k.mayWrite(ctx, tx); err != nil {
			return err
		}
		made, err = rotate(ctx, tx, k.vault, rotation{account: account, overlap: overlap, now: k.clock.Now()})
		return err
	})
	if err != nil {
		return savepage.WebhookSecrets{}, fmt.Errorf("rotate webhook secret: %w", err)
	}
	return made, nil
}

// readSecrets returns the account's secrets that sign at a time: the current one, then replaced ones, newest first.
func readSecrets(ctx context.Context, q Queries, v ledger.Vault, account string, now time.Time) ([]ledger.WebhookSecret, error) {
	const query = `SELECT webhook_secret, coalesce(webhook_secret_at, created_at) AS made, NULL FROM accounts WHERE id = ?1
		UNION ALL SELECT secret, created_at, expires_at FROM old_secrets WHERE account = ?1 AND expires_at > ?2
		ORDER BY made DESC`
	list, err := collect(ctx, q, scanSecret, query, account, stamp(now))
	if err != nil {
		return nil, fmt.Errorf("read webhook secrets: %w", err)
	}
	if len(list) == 0 {
		return nil, ledger.ErrNoAccount(account)
	}
	for i := range list {
		if list[i].Text, err = v.Open(list[i].Text, ledger.WebhookLabel(account)); err != nil {
			return nil, fmt.Errorf("open webhook secret of account %s: %w", account, err)
		}
	}
	return list, nil
}

func scanSecret(scan func(dest ...any) error) (ledger.WebhookSecret, error) {
	var (
		s              ledger.WebhookSecret
		created, until sql.NullInt64
	)
	err := scan(&s.Text, &created, &until)
	s.Created, s.Until = moment(created), moment(until)
	return s, err
}

// rotation says whose secret is replaced and for how long the one before still signs.
type rotation struct {
	account string
	overlap time.Duration
	now     time.Time
}

// rotate replaces the account's secret in the transaction. Of errors that are *savepage.Error nothing was written.
func rotate(ctx context.Context, tx *sql.Tx, v ledger.Vault, r rotation) (savepage.WebhookSecrets, error) {
	var none savepage.WebhookSecrets
	before, err := readSecrets(ctx, tx, v, r.account, r.now)
	if err != nil {
		return none, err
	}
	plan, err := ledger.Rotate(before, r.overlap, r.now)
	if err != nil {
		return none, err
	}
	if err := retire(ctx, tx, v, r, before[0]); err != nil {
		return none, err
	}
	sealed, err := v.Seal(plan.Fresh, ledger.WebhookLabel(r.account))
	if err != nil {
		return none, err
	}
	const replace = `UPDATE accounts SET webhook_secret = ?, webhook_secret_at = ? WHERE id = ?`
	if _, err := tx.ExecContext(ctx, replace, sealed, stamp(plan.Made), r.account); err != nil {
		return none, fmt.Errorf("replace webhook secret: %w", err)
	}
	after, err := readSecrets(ctx, tx, v, r.account, r.now)
	if err != nil {
		return none, err
	}
	answer := ledger.DescribeSecrets(after)
	answer.Secret = plan.Fresh
	return answer, nil
}

// retire lets the secret, and those before it, sign until the rotation ends at most.
func retire(ctx context.Context, tx *sql.Tx, v ledger.Vault, r rotation, s ledger.WebhookSecret) error {
	end := stamp(r.now.Add(r.overlap))
	const older = `UPDATE old_secrets SET expires_at = CASE WHEN expires_at < ?1 THEN expires_at ELSE ?1 END WHERE account = ?2`
	if _, err := tx.ExecContext(ctx, older, end, r.account); err != nil {
		return fmt.Errorf("end older secrets: %w", err)
	}
	sealed, err := v.Seal(s.Text, ledger.WebhookLabel(r.account))
	if err != nil {
		return err
	}
	const insert = `INSERT INTO old_secrets (account, secret, created_at, expires_at) VALUES (?, ?, ?, ?)`
	if _, err := tx.ExecContext(ctx, insert, r.account, sealed, stamp(s.Created), end); err != nil {
		return fmt.Errorf("keep the older secret: %w", err)
	}
	return dropExpired(ctx, tx, r.now)
}

// dropExpired removes secrets that sign no more.
func dropExpired(ctx context.Context, tx *sql.Tx, now time.Time) error {
	if _, err := tx.ExecContext(ctx, `DELETE FROM old_secrets WHERE expires_at <= ?`, stamp(now)); err != nil {
		return fmt.Errorf("drop expired secrets: %w", err)
	}
	return nil
}
