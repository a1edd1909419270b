-- A capture with a store of its account ends when that has its picture. Meanwhile its state is storing: it has no job and holds no
-- page, and a delivery to the store is owed.
-- +goose Up
ALTER TABLE captures ADD COLUMN stored TEXT; -- JSON: savepage.Stored
CREATE INDEX captures_storing ON captures (id) WHERE state = 'storing';
ALTER TABLE deliveries ADD COLUMN store TEXT NOT NULL DEFAULT ''; -- name of the store that gets the picture; empty for a callback
CREATE INDEX deliveries_stores ON deliveries (created_at, id) WHERE state = 'pending' AND store <> '';

DROP TRIGGER captures_counted;
-- +goose StatementBegin
CREATE TRIGGER captures_counted AFTER UPDATE OF state ON captures WHEN OLD.state <> NEW.state
BEGIN
    UPDATE accounts SET running = running + (NEW.state = 'running') - (OLD.state = 'running')
        WHERE id = NEW.account AND 'running' IN (OLD.state, NEW.state);
    UPDATE accounts SET pending = pending - 1, pending_bytes = pending_bytes - OLD.bytes,
            pending_batch = pending_batch - (OLD.batch IS NOT NULL)
        WHERE id = NEW.account AND NEW.state IN ('success', 'failed', 'canceled');
    UPDATE usage SET reserved = reserved - OLD.cost,
            used = used + NEW.cost * (NEW.state IN ('success', 'failed') AND NEW.source IS NULL)
        WHERE account = NEW.account AND month = CAST(strftime('%Y%m', NEW.created_at / 1000000, 'unixepoch') AS INTEGER)
            AND NEW.state IN ('success', 'failed', 'canceled');
END;
-- +goose StatementEnd
