-- Buckets that accounts have of their own.
-- +goose Up
CREATE TABLE stores (
    account    TEXT COLLATE "C" NOT NULL REFERENCES accounts (id),
    name       TEXT COLLATE "C" NOT NULL,
    place      TEXT NOT NULL, -- JSON: savepage.Store
    keys       TEXT NOT NULL, -- JSON: savepage.StoreKeys
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (account, name)
);
