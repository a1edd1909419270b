package sqlite

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

// The kinds of secrets, as their labels name them.
const (
	kindWebhook = "webhook_secret"
	kindAPI     = "api_secret"
	kindPrivate = "private"
)

func webhookLabel(account string) ledger.Label {
	return ledger.Label{Kind: kindWebhook, Account: account}
}

func apiLabel(account string) ledger.Label { return ledger.Label{Kind: kindAPI, Account: account} }

func privateLabel(account, capture string) ledger.Label {
	return ledger.Label{Kind: kindPrivate, Account: account, Record: capture}
}

// insertPrivate keeps what submissions have that nobody may read back.
func (l *Ledger) insertPrivate(ctx context.Context, tx *sql.Tx, rows []*row) error {
	for _, r := range rows {
		if r.private == "" {
			continue
		}
		id, account := r.Capture.ID, r.Capture.Account
		sealed, err := l.cfg.Vault.Seal(r.private, privateLabel(account, id))
		if err != nil {
			return fmt.Errorf("seal what is private of capture %s: %w", id, err)
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO private (capture, account, sealed) VALUES (?, ?, ?)`, id, account, sealed); err != nil {
			return fmt.Errorf("insert what is private: %w", err)
		}
	}
	return nil
}

// signing returns what a delivery is signed with, newest first, and gives it the headers of its own.
func (l *Ledger) signing(ctx context.Context, d *savepage.Delivery) ([]string, error) {
	var sealed string
	err := l.read.QueryRowContext(ctx, `SELECT sealed FROM private WHERE capture = ? AND account = ?`, d.CaptureID, d.Account).Scan(&sealed)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("read what is private: %w", err)
	}
	if sealed != "" {
		text, err := l.cfg.Vault.Open(sealed, privateLabel(d.Account, d.CaptureID))
		if err != nil {
			return nil, fmt.Errorf("open what is private of capture %s: %w", d.CaptureID, err)
		}
		var own ledger.Private
		if err := json.Unmarshal([]byte(text), &own); err != nil {
			return nil, fmt.Errorf("decode what is private of capture %s: %w", d.CaptureID, err)
		}
		d.Headers = own.Headers
		if own.Secret != "" {
			return []string{own.Secret}, nil
		}
	}
	return l.Signing(ctx, d.Account)
}

// Signing returns the webhook secrets that sign for an account now, newest first and never none.
func (l *Ledger) Signing(ctx context.Context, account string) ([]string, error) {
	list, err := readSecrets(ctx, l.read, l.cfg.Vault, account, l.clock.Now())
	secrets := make([]string, len(list))
	for i, one := range list {
		secrets[i] = one.text
	}
	return secrets, err
}

// Secrets tells what may be told of the account's webhook secrets, or *savepage.Error of CodeNotFound.
func (l *Ledger) Secrets(ctx context.Context, account string) (savepage.WebhookSecrets, error) {
	list, err := readSecrets(ctx, l.read, l.cfg.Vault, account, l.clock.Now())
	if err != nil {
		return savepage.WebhookSecrets{}, err
	}
	return told(list), nil
}

// RotateSecret gives the account a new webhook secret. The answer alone holds it whole. Those before it go on signing beside
// it for the overlap at most. More than ledger.MaxOldSecrets at once are *savepage.Error of CodeConflict.
func (l *Ledger) RotateSecret(ctx context.Context, account string, overlap time.Duration) (savepage.WebhookSecrets, error) {
	var made savepage.WebhookSecrets
	var refused *savepage.Error
	err := l.do(ctx, func(ctx context.Context, tx *sql.Tx) error {
		var err error
		made, err = rotate(ctx, tx, l.cfg.Vault, rotation{account: account, overlap: overlap, now: l.clock.Now()})
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
	err = inTx(ctx, k.db, func(tx *sql.Tx) error {
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

// secret is one webhook secret of an account.
type secret struct {
	text    string
	created time.Time
	until   time.Time // zero for the current one
}

// readSecrets returns the account's secrets that sign at a time: the current one, then replaced ones, newest first.
func readSecrets(ctx context.Context, q queries, v ledger.Vault, account string, now time.Time) ([]secret, error) {
	const query = `SELECT webhook_secret, coalesce(webhook_secret_at, created_at) AS made, NULL FROM accounts WHERE id = ?1
		UNION ALL SELECT secret, created_at, expires_at FROM old_secrets WHERE account = ?1 AND expires_at > ?2
		ORDER BY made DESC`
	list, err := collect(ctx, q, scanSecret, query, account, stamp(now))
	if err != nil {
		return nil, fmt.Errorf("read webhook secrets: %w", err)
	}
	if len(list) == 0 {
		return nil, savepage.Errorf(savepage.CodeNotFound, "there is no account %s", account)
	}
	for i := range list {
		if list[i].text, err = v.Open(list[i].text, webhookLabel(account)); err != nil {
			return nil, fmt.Errorf("open webhook secret of account %s: %w", account, err)
		}
	}
	return list, nil
}

func scanSecret(scan func(dest ...any) error) (secret, error) {
	var (
		s              secret
		created, until sql.NullInt64
	)
	err := scan(&s.text, &created, &until)
	s.created, s.until = moment(created), moment(until)
	return s, err
}

func told(list []secret) savepage.WebhookSecrets {
	t := savepage.WebhookSecrets{Previous: []savepage.SecretInfo{}}
	for i, one := range list {
		info := ledger.Told(one.text, one.created, one.until)
		if i == 0 {
			t.Current = info
			continue
		}
		t.Previous = append(t.Previous, info)
	}
	return t
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
	if len(before) > ledger.MaxOldSecrets && r.overlap > 0 {
		return none, savepage.Errorf(savepage.CodeConflict,
			"%d older secrets are still valid; wait until one has ended, or rotate without an overlap, which ends them all", ledger.MaxOldSecrets)
	}
	if err := retire(ctx, tx, v, r, before[0]); err != nil {
		return none, err
	}
	fresh := ledger.NewSecret()
	sealed, err := v.Seal(fresh, webhookLabel(r.account))
	if err != nil {
		return none, err
	}
	made := r.now
	if oldest := before[0].created.Add(time.Microsecond); made.Before(oldest) {
		made = oldest // a clock that was set back must not change the order
	}
	const replace = `UPDATE accounts SET webhook_secret = ?, webhook_secret_at = ? WHERE id = ?`
	if _, err := tx.ExecContext(ctx, replace, sealed, stamp(made), r.account); err != nil {
		return none, fmt.Errorf("replace webhook secret: %w", err)
	}
	after, err := readSecrets(ctx, tx, v, r.account, r.now)
	if err != nil {
		return none, err
	}
	answer := told(after)
	answer.Secret = fresh
	return answer, nil
}

// retire lets the secret, and those before it, sign for the overlap at most.
func retire(ctx context.Context, tx *sql.Tx, v ledger.Vault, r rotation, s secret) error {
	end := r.now.Add(r.overlap)
	if _, err := tx.ExecContext(ctx, `UPDATE old_secrets SET expires_at = min(expires_at, ?) WHERE account = ?`, stamp(end), r.account); err != nil {
		return fmt.Errorf("end older secrets: %w", err)
	}
	sealed, err := v.Seal(s.text, webhookLabel(r.account))
	if err != nil {
		return err
	}
	const insert = `INSERT INTO old_secrets (account, secret, created_at, expires_at) VALUES (?, ?, ?, ?)`
	if _, err := tx.ExecContext(ctx, insert, r.account, sealed, stamp(s.created), stamp(end)); err != nil {
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
