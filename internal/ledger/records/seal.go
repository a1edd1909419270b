package records

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/savepage/savepage/internal/ledger"
)

// sealRows is how many secrets are sealed in one transaction.
const sealRows = 500

// sealedColumn is a column that holds secrets. Account and record together identify a row.
type sealedColumn struct {
	name, table     string
	account, record string // columns
	label           func(account, record string) ledger.Label
}

// sealedColumns lists every place of the database that holds secrets.
func sealedColumns() []sealedColumn {
	webhook := func(account, _ string) ledger.Label { return ledger.WebhookLabel(account) }
	api := func(account, _ string) ledger.Label { return ledger.APILabel(account) }
	return []sealedColumn{
		{name: "webhook_secret", table: "accounts", account: "id", record: "id", label: webhook},
		{name: "api_secret", table: "accounts", account: "id", record: "id", label: api},
		{name: "secret", table: "old_secrets", account: "account", record: "created_at", label: webhook},
		{name: "sealed", table: "private", account: "account", record: "capture", label: ledger.PrivateLabel},
		{name: "secret", table: "link_secrets", account: "account", record: "id", label: ledger.LinkLabel},
		{name: "keys", table: "stores", account: "account", record: "name", label: ledger.StoreLabel},
	}
}

// Seal seals every secret that is not sealed with the vault's current master key, and returns how many there were: they were
// plain, or of an older key. The vault must open all of them: see Openable.
func Seal(ctx context.Context, db Writer, v ledger.Vault) (total int, err error) {
	for _, column := range sealedColumns() {
		for more := true; more; {
			n, err := column.seal(ctx, db, v)
			if err != nil {
				return total, fmt.Errorf("seal %s of %s: %w", column.name, column.table, err)
			}
			total += n
			more = n == sealRows
		}
	}
	return total, nil
}

// Openable returns nil when the vault can open all that is sealed, and whether there is something that is not sealed. Else
// the error is ledger.ErrNoMasterKey or ledger.ErrOtherMasterKey.
func Openable(ctx context.Context, q Queries, v ledger.Vault) (plain bool, err error) {
	for _, column := range sealedColumns() {
		query := fmt.Sprintf(`SELECT DISTINCT substr(%s, 1, %d) FROM %s WHERE %[1]s <> ''`, column.name, ledger.SealedHeadChars,
			column.table)
		heads, err := collect(ctx, q, scanText, query)
		if err != nil {
			return false, fmt.Errorf("look for secrets: %w", err)
		}
		for _, head := range heads {
			if err := v.Knows(head); err != nil {
				return false, err
			}
			plain = plain || !ledger.Sealed(head)
		}
	}
	return plain, nil
}

// unsealed is a row whose secret is to be sealed.
type unsealed struct {
	account string
	record  any
	stored  string
}

func scanUnsealed(scan func(dest ...any) error) (unsealed, error) {
	var u unsealed
	err := scan(&u.account, &u.record, &u.stored)
	return u, err
}

// seal seals up to sealRows secrets of the column and returns how many there were.
func (c sealedColumn) seal(ctx context.Context, db Writer, v ledger.Vault) (n int, err error) {
	find := fmt.Sprintf(`SELECT %[1]s, %[2]s, %[3]s FROM %[4]s WHERE %[3]s <> '' AND substr(%[3]s, 1, %[5]d) <> ? LIMIT %[6]d`,
		c.account, c.record, c.name, c.table, ledger.SealedHeadChars, sealRows)
	//nolint:gosec // names from the list above
	replace := fmt.Sprintf(`UPDATE %s SET %s = ? WHERE %s = ? AND %s = ?`, c.table, c.name, c.account, c.record)
	err = db.InTx(ctx, func(tx *sql.Tx) error {
		rows, err := collect(ctx, tx, scanUnsealed, find, v.Head())
		if err != nil {
			return err
		}
		for _, row := range rows {
			label := c.label(row.account, fmt.Sprint(row.record))
			plain, err := v.Open(row.stored, label)
			if err != nil {
				return fmt.Errorf("account %s: %w", row.account, err)
			}
			sealed, err := v.Seal(plain, label)
			if err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, replace, sealed, row.account, row.record); err != nil {
				return err
			}
		}
		n = len(rows)
		return nil
	})
	return n, err
}
