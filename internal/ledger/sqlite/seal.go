package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"

	"github.com/savepage/savepage/internal/ledger"
	"github.com/savepage/savepage/internal/ledger/records"
)

// sealAll seals every secret that is not sealed with the vault's current master key: it was plain, or of an older key.
// Before it changes anything it makes sure that all can be opened; else the error is ledger.ErrNoMasterKey or
// ledger.ErrOtherMasterKey.
func sealAll(ctx context.Context, db *sql.DB, v ledger.Vault, log *slog.Logger) error {
	plain, err := records.Openable(ctx, db, v)
	if err != nil || v.Head() == "" {
		return err
	}
	// What was plain must not stay in pages that become free, nor in the log that is written ahead.
	if _, err := db.ExecContext(ctx, `PRAGMA secure_delete = ON`); err != nil {
		return fmt.Errorf("prepare to seal: %w", err)
	}
	total, err := records.Seal(ctx, records.Writer{DB: db}, v)
	if err != nil {
		return err
	}
	if _, err := db.ExecContext(ctx, `PRAGMA secure_delete = FAST`); err != nil {
		return fmt.Errorf("end sealing: %w", err)
	}
	if total == 0 {
		return nil
	}
	if _, err := db.ExecContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`); err != nil {
		return fmt.Errorf("empty the log: %w", err)
	}
	log.InfoContext(ctx, "secrets sealed with the master key", slog.Int("secrets", total), slog.Bool("were_plain", plain))
	return nil
}
