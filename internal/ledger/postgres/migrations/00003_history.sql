-- What ended in each hour is counted where it ends, so that nobody has to count it, and what is counted outlives the records.
-- +goose Up
CREATE TABLE hours (
    account   TEXT COLLATE "C" NOT NULL,
    hour      BIGINT NOT NULL,           -- hours since 1970, UTC
    success   BIGINT NOT NULL DEFAULT 0, -- captures with a picture of their own
    shared    BIGINT NOT NULL DEFAULT 0, -- captures with the picture of another
    failed    BIGINT NOT NULL DEFAULT 0,
    canceled  BIGINT NOT NULL DEFAULT 0,
    bytes     BIGINT NOT NULL DEFAULT 0, -- of the pictures of success
    delivered BIGINT NOT NULL DEFAULT 0, -- deliveries that ended
    dead      BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (account, hour)
) WITH (fillfactor = 50);
CREATE INDEX hours_old ON hours (hour);

CREATE TABLE render_times ( -- how often a capture of hours.success took so long
    account TEXT COLLATE "C" NOT NULL,
    hour    BIGINT NOT NULL,
    ms      BIGINT NOT NULL, -- rounded to two digits
    n       BIGINT NOT NULL,
    PRIMARY KEY (account, hour, ms)
) WITH (fillfactor = 50);
CREATE INDEX render_times_old ON render_times (hour);

-- +goose StatementBegin
CREATE FUNCTION two_digits(ms BIGINT) RETURNS BIGINT LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT CASE WHEN ms < 100 THEN ms WHEN ms < 1000 THEN (ms + 5) / 10 * 10 WHEN ms < 10000 THEN (ms + 50) / 100 * 100
        WHEN ms < 100000 THEN (ms + 500) / 1000 * 1000 ELSE (ms + 5000) / 10000 * 10000 END
$$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE FUNCTION captures_hours() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    ended BIGINT := NEW.finished_at / 3600000000;
    own BOOLEAN := NEW.state = 'success' AND NEW.source IS NULL;
    took BIGINT := (NEW.timing::json->>'render_ms')::bigint;
BEGIN
    INSERT INTO hours AS h (account, hour, success, shared, failed, canceled, bytes) VALUES (NEW.account, ended, own::int,
            (NEW.state = 'success' AND NOT own)::int, (NEW.state = 'failed')::int, (NEW.state = 'canceled')::int,
            CASE WHEN own THEN coalesce((NEW.picture::json->>'size')::bigint, 0) ELSE 0 END)
        ON CONFLICT (account, hour) DO UPDATE SET success = h.success + excluded.success, shared = h.shared + excluded.shared,
            failed = h.failed + excluded.failed, canceled = h.canceled + excluded.canceled, bytes = h.bytes + excluded.bytes;
    IF own AND took IS NOT NULL THEN
        INSERT INTO render_times AS r (account, hour, ms, n) VALUES (NEW.account, ended, two_digits(took), 1)
            ON CONFLICT (account, hour, ms) DO UPDATE SET n = r.n + 1;
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER captures_hours AFTER UPDATE OF state ON captures FOR EACH ROW
    WHEN (OLD.state <> NEW.state AND NEW.state IN ('success', 'failed', 'canceled') AND NEW.finished_at IS NOT NULL)
    EXECUTE FUNCTION captures_hours();
-- +goose StatementBegin
CREATE FUNCTION deliveries_hours() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO hours AS h (account, hour, delivered, dead)
        VALUES (NEW.account, NEW.ended_at / 3600000000, (NEW.state = 'delivered')::int, (NEW.state = 'dead')::int)
        ON CONFLICT (account, hour) DO UPDATE SET delivered = h.delivered + excluded.delivered, dead = h.dead + excluded.dead;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER deliveries_hours AFTER UPDATE OF state ON deliveries FOR EACH ROW
    WHEN (OLD.state <> NEW.state AND NEW.state IN ('delivered', 'dead') AND NEW.ended_at IS NOT NULL)
    EXECUTE FUNCTION deliveries_hours();

-- What had ended before.
INSERT INTO hours (account, hour, success, shared, failed, canceled, bytes)
    SELECT account, finished_at / 3600000000, count(*) FILTER (WHERE state = 'success' AND source IS NULL),
        count(*) FILTER (WHERE state = 'success' AND source IS NOT NULL), count(*) FILTER (WHERE state = 'failed'),
        count(*) FILTER (WHERE state = 'canceled'),
        coalesce(sum((picture::json->>'size')::bigint) FILTER (WHERE state = 'success' AND source IS NULL), 0)
    FROM captures WHERE state IN ('success', 'failed', 'canceled') AND finished_at IS NOT NULL
    GROUP BY account, finished_at / 3600000000;
INSERT INTO render_times (account, hour, ms, n)
    SELECT account, finished_at / 3600000000, two_digits((timing::json->>'render_ms')::bigint), count(*) FROM captures
    WHERE state = 'success' AND source IS NULL AND finished_at IS NOT NULL AND timing::json->>'render_ms' IS NOT NULL
    GROUP BY 1, 2, 3;
INSERT INTO hours (account, hour, delivered, dead)
    SELECT account, ended_at / 3600000000, count(*) FILTER (WHERE state = 'delivered'), count(*) FILTER (WHERE state = 'dead')
    FROM deliveries WHERE state IN ('delivered', 'dead') AND ended_at IS NOT NULL GROUP BY account, ended_at / 3600000000
    ON CONFLICT (account, hour) DO UPDATE SET delivered = excluded.delivered, dead = excluded.dead;
