-- +goose Up
ALTER TABLE deliveries ADD COLUMN receiver TEXT NOT NULL DEFAULT '';    -- host and port of the url, lower case
ALTER TABLE deliveries ADD COLUMN earlier INTEGER NOT NULL DEFAULT 0;   -- attempts made before the present schedule began
ALTER TABLE attempts ADD COLUMN next_at INTEGER;                        -- when the next one was to be made
UPDATE deliveries SET receiver = lower(substr(url, instr(url, '://') + 3,
    instr(replace(replace(substr(url, instr(url, '://') + 3), '?', '/'), '#', '/') || '/', '/') - 1));

DROP INDEX deliveries_pending;
CREATE INDEX deliveries_due ON deliveries (account, receiver, next_at, id) WHERE state = 'pending';
CREATE INDEX deliveries_account ON deliveries (account, created_at, id);
CREATE INDEX deliveries_pending ON deliveries (account, created_at, id) WHERE state = 'pending';
CREATE INDEX deliveries_dead ON deliveries (account, created_at, id) WHERE state = 'dead';

-- Receivers whose breaker is open.
CREATE TABLE receivers (
    account   TEXT NOT NULL,
    receiver  TEXT NOT NULL,
    failures  INTEGER NOT NULL, -- in a row
    opened_at INTEGER NOT NULL,
    probe_at  INTEGER NOT NULL, -- when it is tried next
    wait_us   INTEGER NOT NULL, -- between the last try and the next
    PRIMARY KEY (account, receiver)
) WITHOUT ROWID;
