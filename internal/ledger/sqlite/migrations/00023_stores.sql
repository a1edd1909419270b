-- Buckets that accounts have of their own.
-- +goose Up
CREATE TABLE stores (
    account    TEXT NOT NULL REFERENCES accounts (id),
    name       TEXT NOT NULL,
    place      TEXT NOT NULL, -- JSON: savepage.Store
    keys       TEXT NOT NULL, -- JSON: savepage.StoreKeys
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (account, name)
);
