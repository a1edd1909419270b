package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/savepage/savepage/internal/clock"
	"github.com/savepage/savepage/internal/ledger"
	"github.com/savepage/savepage/internal/ledger/records"
)

func openKeys(ctx context.Context, dir string, vault ledger.Vault, now *clock.Clock) (*records.Keys, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make data folder: %w", err)
	}
	if err := stay(dir); err != nil {
		return nil, err
	}
	db, err := openWriter(dir)
	if err != nil {
		return nil, err
	}
	served, err := migrateUnlessServed(ctx, db, dir)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return records.OpenKeys(records.Writer{DB: db}, vault, now, served), nil
}

func migrateUnlessServed(ctx context.Context, db *sql.DB, dir string) (served bool, err error) {
	lock, err := lockDir(dir)
	if errors.Is(err, ledger.ErrServed) {
		return true, checkServed(ctx, db)
	}
	if err != nil {
		return false, err
	}
	_, err = migrate(ctx, db, slog.New(slog.DiscardHandler))
	return false, errors.Join(err, lock.Close())
}
