-- What waits and what is owed is counted where it changes, so that nobody has to count it.
-- +goose Up
ALTER TABLE accounts ADD COLUMN pending_batch INTEGER NOT NULL DEFAULT 0; -- captures of batches among pending
UPDATE accounts SET pending_batch = c.n
    FROM (SELECT account, count(*) AS n FROM captures WHERE state IN ('queued', 'running') AND batch IS NOT NULL GROUP BY account) AS c
    WHERE accounts.id = c.account;

DROP TRIGGER captures_counted;
-- +goose StatementBegin
CREATE TRIGGER captures_counted AFTER UPDATE OF state ON captures WHEN OLD.state <> NEW.state
BEGIN
    UPDATE accounts SET running = running + (NEW.state = 'running') - (OLD.state = 'running')
        WHERE id = NEW.account AND 'running' IN (OLD.state, NEW.state);
    UPDATE accounts SET pending = pending - 1, pending_bytes = pending_bytes - OLD.bytes,
            pending_batch = pending_batch - (OLD.batch IS NOT NULL)
        WHERE id = NEW.account AND NEW.state NOT IN ('queued', 'running');
    UPDATE usage SET reserved = reserved - OLD.cost,
            used = used + NEW.cost * (NEW.state IN ('success', 'failed') AND NEW.source IS NULL)
        WHERE account = NEW.account AND month = CAST(strftime('%Y%m', NEW.created_at / 1000000, 'unixepoch') AS INTEGER)
            AND NEW.state NOT IN ('queued', 'running');
END;
-- +goose StatementEnd

-- The oldest of each kind is the first that waits.
DROP INDEX captures_pending;
CREATE INDEX captures_single ON captures (id, state, due_at) WHERE batch IS NULL AND state IN ('queued', 'running');
CREATE INDEX captures_batched ON captures (id, state, due_at) WHERE batch IS NOT NULL AND state IN ('queued', 'running');
CREATE INDEX deliveries_next ON deliveries (next_at) WHERE state = 'pending';

CREATE TABLE owed ( -- deliveries of all accounts
    id      INTEGER PRIMARY KEY CHECK (id = 1),
    pending INTEGER NOT NULL,
    dead    INTEGER NOT NULL
);
INSERT INTO owed (id, pending, dead)
    SELECT 1, count(*) FILTER (WHERE state = 'pending'), count(*) FILTER (WHERE state = 'dead') FROM deliveries;
-- +goose StatementBegin
CREATE TRIGGER deliveries_owed AFTER INSERT ON deliveries
BEGIN
    UPDATE owed SET pending = pending + (NEW.state = 'pending'), dead = dead + (NEW.state = 'dead');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER deliveries_moved AFTER UPDATE OF state ON deliveries WHEN OLD.state <> NEW.state
BEGIN
    UPDATE owed SET pending = pending + (NEW.state = 'pending') - (OLD.state = 'pending'),
        dead = dead + (NEW.state = 'dead') - (OLD.state = 'dead');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER deliveries_gone AFTER DELETE ON deliveries WHEN OLD.state IN ('pending', 'dead')
BEGIN
    UPDATE owed SET pending = pending - (OLD.state = 'pending'), dead = dead - (OLD.state = 'dead');
END;
-- +goose StatementEnd
