-- What ended in each hour is counted where it ends, so that nobody has to count it, and what is counted outlives the records.
-- +goose Up
CREATE TABLE hours (
    account   TEXT NOT NULL,
    hour      INTEGER NOT NULL,           -- hours since 1970, UTC
    success   INTEGER NOT NULL DEFAULT 0, -- captures with a picture of their own
    shared    INTEGER NOT NULL DEFAULT 0, -- captures with the picture of another
    failed    INTEGER NOT NULL DEFAULT 0,
    canceled  INTEGER NOT NULL DEFAULT 0,
    bytes     INTEGER NOT NULL DEFAULT 0, -- of the pictures of success
    delivered INTEGER NOT NULL DEFAULT 0, -- deliveries that ended
    dead      INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (account, hour)
) WITHOUT ROWID;
CREATE INDEX hours_old ON hours (hour);

CREATE TABLE render_times ( -- how often a capture of hours.success took so long
    account TEXT NOT NULL,
    hour    INTEGER NOT NULL,
    ms      INTEGER NOT NULL, -- rounded to two digits
    n       INTEGER NOT NULL,
    PRIMARY KEY (account, hour, ms)
) WITHOUT ROWID;
CREATE INDEX render_times_old ON render_times (hour);

-- +goose StatementBegin
CREATE TRIGGER captures_hours AFTER UPDATE OF state ON captures
    WHEN OLD.state <> NEW.state AND NEW.state IN ('success', 'failed', 'canceled') AND NEW.finished_at IS NOT NULL
BEGIN
    INSERT INTO hours (account, hour, success, shared, failed, canceled, bytes) VALUES (NEW.account, NEW.finished_at / 3600000000,
            NEW.state = 'success' AND NEW.source IS NULL, NEW.state = 'success' AND NEW.source IS NOT NULL,
            NEW.state = 'failed', NEW.state = 'canceled',
            CASE WHEN NEW.state = 'success' AND NEW.source IS NULL THEN coalesce(json_extract(NEW.picture, '$.size'), 0) ELSE 0 END)
        ON CONFLICT (account, hour) DO UPDATE SET success = success + excluded.success, shared = shared + excluded.shared,
            failed = failed + excluded.failed, canceled = canceled + excluded.canceled, bytes = bytes + excluded.bytes;
    INSERT INTO render_times (account, hour, ms, n)
        SELECT NEW.account, NEW.finished_at / 3600000000, CASE WHEN ms < 100 THEN ms WHEN ms < 1000 THEN (ms + 5) / 10 * 10
            WHEN ms < 10000 THEN (ms + 50) / 100 * 100 WHEN ms < 100000 THEN (ms + 500) / 1000 * 1000
            ELSE (ms + 5000) / 10000 * 10000 END, 1
        FROM (SELECT json_extract(NEW.timing, '$.render_ms') AS ms) AS took
        WHERE ms IS NOT NULL AND NEW.state = 'success' AND NEW.source IS NULL
        ON CONFLICT (account, hour, ms) DO UPDATE SET n = n + 1;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER deliveries_hours AFTER UPDATE OF state ON deliveries
    WHEN OLD.state <> NEW.state AND NEW.state IN ('delivered', 'dead') AND NEW.ended_at IS NOT NULL
BEGIN
    INSERT INTO hours (account, hour, delivered, dead)
        VALUES (NEW.account, NEW.ended_at / 3600000000, NEW.state = 'delivered', NEW.state = 'dead')
        ON CONFLICT (account, hour) DO UPDATE SET delivered = delivered + excluded.delivered, dead = dead + excluded.dead;
END;
-- +goose StatementEnd

-- What had ended before.
INSERT INTO hours (account, hour, success, shared, failed, canceled, bytes)
    SELECT account, finished_at / 3600000000, sum(state = 'success' AND source IS NULL), sum(state = 'success' AND source IS NOT NULL),
        sum(state = 'failed'), sum(state = 'canceled'),
        sum(CASE WHEN state = 'success' AND source IS NULL THEN coalesce(json_extract(picture, '$.size'), 0) ELSE 0 END)
    FROM captures WHERE state IN ('success', 'failed', 'canceled') AND finished_at IS NOT NULL
    GROUP BY account, finished_at / 3600000000;
INSERT INTO render_times (account, hour, ms, n)
    SELECT account, hour, CASE WHEN ms < 100 THEN ms WHEN ms < 1000 THEN (ms + 5) / 10 * 10
        WHEN ms < 10000 THEN (ms + 50) / 100 * 100 WHEN ms < 100000 THEN (ms + 500) / 1000 * 1000
        ELSE (ms + 5000) / 10000 * 10000 END AS rounded, count(*)
    FROM (SELECT account, finished_at / 3600000000 AS hour, json_extract(timing, '$.render_ms') AS ms FROM captures
        WHERE state = 'success' AND source IS NULL AND finished_at IS NOT NULL AND timing IS NOT NULL) AS took
    WHERE ms IS NOT NULL GROUP BY account, hour, rounded;
INSERT INTO hours (account, hour, delivered, dead)
    SELECT account, ended_at / 3600000000, sum(state = 'delivered'), sum(state = 'dead')
    FROM deliveries WHERE state IN ('delivered', 'dead') AND ended_at IS NOT NULL GROUP BY account, ended_at / 3600000000
    ON CONFLICT (account, hour) DO UPDATE SET delivered = excluded.delivered, dead = excluded.dead;
