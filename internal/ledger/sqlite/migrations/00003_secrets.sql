-- Secrets are sealed where there is a master key: see ledger.Vault.
-- +goose Up
ALTER TABLE accounts ADD COLUMN webhook_secret_at INTEGER; -- when it was made; NULL: with the account

CREATE TABLE old_secrets ( -- webhook secrets that were replaced and still sign
    account    TEXT NOT NULL REFERENCES accounts (id),
    secret     TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (account, created_at)
) WITHOUT ROWID;

CREATE TABLE private ( -- what a capture's callbacks carry that nobody may read back: headers and a secret of their own
    capture TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    sealed  TEXT NOT NULL -- JSON
) WITHOUT ROWID;
CREATE INDEX private_key ON private (substr(sealed, 1, 26)); -- finds what another master key sealed
