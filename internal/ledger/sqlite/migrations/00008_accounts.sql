-- +goose Up
ALTER TABLE keys ADD COLUMN name TEXT NOT NULL DEFAULT '';
ALTER TABLE keys ADD COLUMN scopes TEXT NOT NULL DEFAULT 'capture,read'; -- names with commas between
ALTER TABLE keys ADD COLUMN expires_at INTEGER;                          -- NULL: never
CREATE INDEX keys_account ON keys (account, created_at);

ALTER TABLE accounts ADD COLUMN name TEXT NOT NULL DEFAULT '';
ALTER TABLE accounts ADD COLUMN closed_at INTEGER; -- from then on its records are removed
CREATE INDEX accounts_closed ON accounts (id) WHERE closed_at IS NOT NULL;

-- Limits of the account. NULL: the setting of the server holds. 0: no limit.
ALTER TABLE accounts ADD COLUMN limit_requests_per_minute INTEGER;
ALTER TABLE accounts ADD COLUMN limit_pending INTEGER;
ALTER TABLE accounts ADD COLUMN limit_pending_bytes INTEGER;
ALTER TABLE accounts ADD COLUMN limit_pages INTEGER;
ALTER TABLE accounts ADD COLUMN limit_timeout INTEGER; -- milliseconds
ALTER TABLE accounts ADD COLUMN limit_captures_per_month INTEGER;

-- What the account has on the way. Those who record captures add to them; the trigger below takes off.
ALTER TABLE accounts ADD COLUMN pending INTEGER NOT NULL DEFAULT 0;       -- captures that have not ended
ALTER TABLE accounts ADD COLUMN pending_bytes INTEGER NOT NULL DEFAULT 0; -- their captures.bytes
ALTER TABLE accounts ADD COLUMN running INTEGER NOT NULL DEFAULT 0;       -- captures in state running
UPDATE accounts SET pending = c.pending, running = c.running
    FROM (SELECT account, count(*) AS pending, sum(state = 'running') AS running FROM captures
        WHERE state IN ('queued', 'running') GROUP BY account) AS c
    WHERE accounts.id = c.account;

ALTER TABLE captures ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0; -- that its options take
ALTER TABLE captures ADD COLUMN cost INTEGER NOT NULL DEFAULT 0;  -- captures of the month that it counts as

-- What counts against the captures of a month. A capture belongs to the month in which it was accepted.
CREATE TABLE usage (
    account  TEXT NOT NULL,
    month    INTEGER NOT NULL,           -- UTC: 202611 is November 2026
    used     INTEGER NOT NULL DEFAULT 0, -- by captures that have ended
    reserved INTEGER NOT NULL DEFAULT 0, -- by captures that have not
    PRIMARY KEY (account, month)
) WITHOUT ROWID;

-- Whatever changes the state of a capture, its account is right. One that gets the result of another costs nothing.
-- +goose StatementBegin
CREATE TRIGGER captures_counted AFTER UPDATE OF state ON captures WHEN OLD.state <> NEW.state
BEGIN
    UPDATE accounts SET running = running + (NEW.state = 'running') - (OLD.state = 'running')
        WHERE id = NEW.account AND 'running' IN (OLD.state, NEW.state);
    UPDATE accounts SET pending = pending - 1, pending_bytes = pending_bytes - OLD.bytes
        WHERE id = NEW.account AND NEW.state NOT IN ('queued', 'running');
    UPDATE usage SET reserved = reserved - OLD.cost,
            used = used + NEW.cost * (NEW.state IN ('success', 'failed') AND NEW.source IS NULL)
        WHERE account = NEW.account AND month = CAST(strftime('%Y%m', NEW.created_at / 1000000, 'unixepoch') AS INTEGER)
            AND NEW.state NOT IN ('queued', 'running');
END;
-- +goose StatementEnd
