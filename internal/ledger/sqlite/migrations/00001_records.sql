-- Times are microseconds since 1970, UTC.
-- +goose Up
CREATE TABLE accounts (
    id                  TEXT PRIMARY KEY,
    created_at          INTEGER NOT NULL,
    webhook_secret      TEXT NOT NULL,
    api_secret          TEXT NOT NULL DEFAULT '',
    waiting             INTEGER NOT NULL DEFAULT 0, -- captures in state queued for which no client waits
    waiting_interactive INTEGER NOT NULL DEFAULT 0  -- captures in state queued for which a client waits
);

CREATE TABLE keys (
    hash         BLOB PRIMARY KEY, -- SHA-256 of the key
    account      TEXT NOT NULL REFERENCES accounts (id),
    prefix       TEXT NOT NULL,    -- the part that may be shown
    created_at   INTEGER NOT NULL,
    last_used_at INTEGER,
    revoked_at   INTEGER
);
CREATE INDEX keys_prefix ON keys (prefix);

CREATE TABLE captures (
    id           TEXT PRIMARY KEY,
    account      TEXT NOT NULL,
    state        TEXT NOT NULL,
    interactive  INTEGER NOT NULL,
    url          TEXT NOT NULL,
    options      TEXT NOT NULL,              -- JSON
    options_hash TEXT NOT NULL,
    attempt      INTEGER NOT NULL DEFAULT 0, -- how often it was taken; the fence
    free         INTEGER NOT NULL DEFAULT 0, -- how many of those were given back to its budget
    created_at   INTEGER NOT NULL,
    due_at       INTEGER NOT NULL,           -- while queued: when it may be taken
    started_at   INTEGER,
    finished_at  INTEGER,
    picture      TEXT,                       -- JSON
    picture_name TEXT,
    report       TEXT,                       -- JSON
    error        TEXT,                       -- JSON
    timing       TEXT                        -- JSON
);
CREATE INDEX captures_account ON captures (account, created_at, id);
CREATE INDEX captures_pending ON captures (id, state, due_at) WHERE state IN ('queued', 'running');
CREATE INDEX captures_ended ON captures (created_at, id) WHERE state IN ('success', 'failed', 'canceled');
CREATE INDEX captures_kept ON captures (account, options_hash, created_at) WHERE state = 'success';
CREATE INDEX captures_picture ON captures (picture_name) WHERE picture_name IS NOT NULL;

CREATE TABLE idempotency (
    account     TEXT NOT NULL,
    key         TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    capture     TEXT NOT NULL,
    expires_at  INTEGER NOT NULL,
    PRIMARY KEY (account, key)
) WITHOUT ROWID;
CREATE INDEX idempotency_capture ON idempotency (capture);
CREATE INDEX idempotency_expires ON idempotency (expires_at);

CREATE TABLE deliveries (
    id         TEXT PRIMARY KEY,
    capture    TEXT NOT NULL,
    account    TEXT NOT NULL,
    url        TEXT NOT NULL,
    body       BLOB NOT NULL,
    state      TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    next_at    INTEGER, -- while pending
    ended_at   INTEGER
);
CREATE INDEX deliveries_capture ON deliveries (capture);
CREATE INDEX deliveries_pending ON deliveries (id, next_at) WHERE state = 'pending';

CREATE TABLE attempts (
    delivery   TEXT NOT NULL,
    number     INTEGER NOT NULL,
    at         INTEGER NOT NULL,
    outcome    TEXT NOT NULL,
    status     INTEGER NOT NULL,
    latency_ms INTEGER NOT NULL,
    error      TEXT NOT NULL,
    answer     TEXT NOT NULL,
    PRIMARY KEY (delivery, number)
) WITHOUT ROWID;
