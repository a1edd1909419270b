-- Secrets that sign links to pictures. They are sealed where there is a master key: see ledger.Vault.
-- +goose Up
CREATE TABLE link_secrets (
    id         TEXT PRIMARY KEY, -- in every link
    account    TEXT NOT NULL REFERENCES accounts (id),
    secret     TEXT NOT NULL,
    created_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX link_secrets_account ON link_secrets (account, created_at);
