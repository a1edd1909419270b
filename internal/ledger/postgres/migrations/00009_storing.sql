-- A capture with a store of its account ends when that has its picture. Meanwhile its state is storing: it has no job and holds no
-- page, and a delivery to the store is owed.
-- +goose Up
ALTER TABLE captures ADD COLUMN stored TEXT; -- JSON: savepage.Stored
CREATE INDEX captures_storing ON captures (id) WHERE state = 'storing';
ALTER TABLE deliveries ADD COLUMN store TEXT COLLATE "C" NOT NULL DEFAULT ''; -- name of the store that gets the picture; empty for a callback
CREATE INDEX deliveries_stores ON deliveries (created_at, id) WHERE state = 'pending' AND store <> '';

-- +goose StatementBegin
CREATE OR REPLACE FUNCTION captures_counted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF 'running' IN (OLD.state, NEW.state) THEN
        UPDATE accounts SET running = running + (NEW.state = 'running')::int - (OLD.state = 'running')::int WHERE id = NEW.account;
    END IF;
    IF NEW.state IN ('success', 'failed', 'canceled') THEN
        UPDATE accounts SET pending = pending - 1, pending_bytes = pending_bytes - OLD.bytes,
            pending_batch = pending_batch - (OLD.batch IS NOT NULL)::int WHERE id = NEW.account;
        UPDATE usage SET reserved = reserved - OLD.cost,
                used = used + CASE WHEN NEW.state IN ('success', 'failed') AND NEW.source IS NULL THEN NEW.cost ELSE 0 END
            WHERE account = NEW.account
                AND month = to_char(to_timestamp(NEW.created_at / 1000000) AT TIME ZONE 'UTC', 'YYYYMM')::integer;
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
