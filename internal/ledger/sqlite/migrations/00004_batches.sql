-- +goose Up
CREATE TABLE batches (
    id           TEXT PRIMARY KEY,
    account      TEXT NOT NULL,
    callback_url TEXT NOT NULL,    -- empty for none
    metadata     TEXT,             -- JSON
    captures     TEXT NOT NULL,    -- JSON list of ids, in the order of the request
    total        INTEGER NOT NULL,
    open         INTEGER NOT NULL, -- captures that are queued or running
    success      INTEGER NOT NULL DEFAULT 0,
    failed       INTEGER NOT NULL DEFAULT 0,
    canceled     INTEGER NOT NULL DEFAULT 0,
    created_at   INTEGER NOT NULL,
    ended_at     INTEGER           -- when open became 0
);
CREATE INDEX batches_account ON batches (account, created_at, id);
CREATE INDEX batches_ended ON batches (created_at, id) WHERE ended_at IS NOT NULL;

ALTER TABLE captures ADD COLUMN batch TEXT; -- NULL for none
CREATE INDEX captures_batch ON captures (batch, created_at, id, state) WHERE batch IS NOT NULL;
DROP INDEX captures_pending;
CREATE INDEX captures_pending ON captures (id, state, due_at, batch) WHERE state IN ('queued', 'running');

-- From here on waiting does not count captures of batches.
ALTER TABLE accounts ADD COLUMN waiting_batch INTEGER NOT NULL DEFAULT 0; -- captures of batches in state queued

-- A batch's own event belongs to no capture: its capture is empty.
ALTER TABLE deliveries ADD COLUMN batch TEXT;
CREATE INDEX deliveries_batch ON deliveries (batch) WHERE batch IS NOT NULL;
