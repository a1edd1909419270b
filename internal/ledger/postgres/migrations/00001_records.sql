-- The tables of the ledger, as the migrations of SQLite have made them up to their version 15. Times are microseconds since
-- 1970, UTC. Texts are compared byte by byte, whatever the database's collation is. Yes and no are 1 and 0.
-- +goose Up
CREATE TABLE accounts (
    id                        TEXT COLLATE "C" PRIMARY KEY,
    created_at                BIGINT NOT NULL,
    webhook_secret            TEXT NOT NULL,
    api_secret                TEXT NOT NULL DEFAULT '',
    webhook_secret_at         BIGINT, -- when it was made; NULL: with the account
    name                      TEXT NOT NULL DEFAULT '',
    closed_at                 BIGINT, -- from then on its records are removed
    limit_requests_per_minute BIGINT, -- limits of the account. NULL: the setting of the server holds. 0: no limit
    limit_pending             BIGINT,
    limit_pending_bytes       BIGINT,
    limit_pages               BIGINT,
    limit_timeout             BIGINT, -- milliseconds
    limit_captures_per_month  BIGINT,
    pending                   BIGINT NOT NULL DEFAULT 0, -- captures that have not ended
    pending_bytes             BIGINT NOT NULL DEFAULT 0, -- their captures.bytes
    running                   BIGINT NOT NULL DEFAULT 0, -- captures in state running
    pending_batch             BIGINT NOT NULL DEFAULT 0  -- captures of batches among pending
) WITH (fillfactor = 50);
CREATE INDEX accounts_closed ON accounts (id) WHERE closed_at IS NOT NULL;
CREATE INDEX accounts_created ON accounts (created_at, id);

CREATE TABLE keys (
    hash         BYTEA PRIMARY KEY, -- SHA-256 of the key
    account      TEXT COLLATE "C" NOT NULL REFERENCES accounts (id),
    prefix       TEXT COLLATE "C" NOT NULL, -- the part that may be shown
    created_at   BIGINT NOT NULL,
    last_used_at BIGINT,
    revoked_at   BIGINT,
    name         TEXT NOT NULL DEFAULT '',
    scopes       TEXT NOT NULL DEFAULT 'capture,read', -- names with commas between
    expires_at   BIGINT                                -- NULL: never
);
CREATE INDEX keys_prefix ON keys (prefix);
CREATE INDEX keys_account ON keys (account, created_at);

CREATE TABLE old_secrets ( -- webhook secrets that were replaced and still sign
    account    TEXT COLLATE "C" NOT NULL REFERENCES accounts (id),
    secret     TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (account, created_at)
);

CREATE TABLE link_secrets ( -- sign links to pictures
    id         TEXT COLLATE "C" PRIMARY KEY, -- in every link
    account    TEXT COLLATE "C" NOT NULL REFERENCES accounts (id),
    secret     TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX link_secrets_account ON link_secrets (account, created_at);

CREATE TABLE captures (
    id           TEXT COLLATE "C" PRIMARY KEY,
    account      TEXT COLLATE "C" NOT NULL,
    state        TEXT COLLATE "C" NOT NULL,
    interactive  INTEGER NOT NULL,
    url          TEXT COLLATE "C" NOT NULL,
    options      TEXT NOT NULL,              -- JSON, as the client sent it
    options_hash TEXT COLLATE "C" NOT NULL,
    attempt      INTEGER NOT NULL DEFAULT 0, -- how often it was taken; the fence
    free         INTEGER NOT NULL DEFAULT 0, -- how many of those were given back to its budget
    created_at   BIGINT NOT NULL,
    due_at       BIGINT NOT NULL,            -- while queued: when it may be taken
    started_at   BIGINT,
    finished_at  BIGINT,
    picture      TEXT,                       -- JSON
    picture_name TEXT COLLATE "C",
    report       TEXT,                       -- JSON
    error        TEXT,                       -- JSON
    timing       TEXT,                       -- JSON
    batch        TEXT COLLATE "C",           -- NULL for none
    captured_at  BIGINT,                     -- when its picture was taken; NULL also for one that is not given out again
    source       TEXT COLLATE "C",           -- the capture that took its picture, if it is another
    flight       TEXT COLLATE "C",           -- what equal captures that may share a render have in common
    waits        INTEGER NOT NULL DEFAULT 0, -- 1: has no job and gets the result of another of its flight
    lost         INTEGER NOT NULL DEFAULT 0, -- how much speaks for it being the page that ends its browsers
    deaths       INTEGER NOT NULL DEFAULT 0, -- times that the service ended while it was rendered
    faulted_at   BIGINT,                     -- when a part of the service first kept it from its end
    bytes        BIGINT NOT NULL DEFAULT 0,  -- that its options take
    cost         INTEGER NOT NULL DEFAULT 0, -- captures of the month that it counts as
    turn         BIGINT NOT NULL DEFAULT 0   -- those that wait are taken in this order: see ledger.Turns
);
CREATE INDEX captures_state ON captures (account, state, created_at, id);
-- An address may be longer than an index takes: searches by url read what begins alike.
CREATE INDEX captures_url ON captures (account, left(url, 500), state, created_at, id);
CREATE INDEX captures_single ON captures (id) WHERE batch IS NULL AND state IN ('queued', 'running');
CREATE INDEX captures_batched ON captures (id) WHERE batch IS NOT NULL AND state IN ('queued', 'running');
CREATE INDEX captures_running ON captures (id) WHERE state = 'running';
CREATE INDEX captures_ended ON captures (created_at, id) WHERE state IN ('success', 'failed', 'canceled');
CREATE INDEX captures_kept ON captures (account, options_hash, captured_at) WHERE state = 'success';
CREATE INDEX captures_picture ON captures (picture_name) WHERE picture_name IS NOT NULL;
CREATE INDEX captures_batch ON captures (batch, created_at, id) WHERE batch IS NOT NULL;
CREATE INDEX captures_flight ON captures (account, flight, waits) WHERE flight IS NOT NULL AND state IN ('queued', 'running');

CREATE TABLE private ( -- what a capture's callbacks carry that nobody may read back: headers and a secret of their own
    capture TEXT COLLATE "C" PRIMARY KEY,
    account TEXT COLLATE "C" NOT NULL,
    sealed  TEXT NOT NULL -- JSON
);
CREATE INDEX private_key ON private (substr(sealed, 1, 26)); -- finds what another master key sealed

CREATE TABLE idempotency (
    account     TEXT COLLATE "C" NOT NULL,
    key         TEXT COLLATE "C" NOT NULL,
    fingerprint TEXT NOT NULL,
    capture     TEXT COLLATE "C" NOT NULL,
    expires_at  BIGINT NOT NULL,
    PRIMARY KEY (account, key)
);
CREATE INDEX idempotency_capture ON idempotency (capture);
CREATE INDEX idempotency_expires ON idempotency (expires_at);

CREATE TABLE batches (
    id           TEXT COLLATE "C" PRIMARY KEY,
    account      TEXT COLLATE "C" NOT NULL,
    callback_url TEXT NOT NULL,    -- empty for none
    metadata     TEXT,             -- JSON
    captures     TEXT NOT NULL,    -- JSON list of ids, in the order of the request
    total        INTEGER NOT NULL,
    open         INTEGER NOT NULL, -- captures that are queued or running
    success      INTEGER NOT NULL DEFAULT 0,
    failed       INTEGER NOT NULL DEFAULT 0,
    canceled     INTEGER NOT NULL DEFAULT 0,
    created_at   BIGINT NOT NULL,
    ended_at     BIGINT,           -- when open became 0
    shared       TEXT              -- JSON: the options that all its captures have alike; theirs hold the others
);
CREATE INDEX batches_account ON batches (account, created_at, id);
CREATE INDEX batches_ended ON batches (created_at, id) WHERE ended_at IS NOT NULL;

CREATE TABLE deliveries (
    id         TEXT COLLATE "C" PRIMARY KEY,
    capture    TEXT COLLATE "C" NOT NULL, -- empty for a batch's own event
    account    TEXT COLLATE "C" NOT NULL,
    url        TEXT NOT NULL,
    body       BYTEA NOT NULL,
    state      TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    next_at    BIGINT, -- while pending
    ended_at   BIGINT,
    receiver   TEXT COLLATE "C" NOT NULL DEFAULT '', -- host and port of the url, lower case
    earlier    INTEGER NOT NULL DEFAULT 0,           -- attempts made before the present schedule began
    batch      TEXT COLLATE "C",
    tried      INTEGER NOT NULL DEFAULT 0,           -- 1: an attempt was made
    asked      INTEGER NOT NULL DEFAULT 0            -- how often it was sent again by hand
);
CREATE INDEX deliveries_capture ON deliveries (capture);
CREATE INDEX deliveries_batch ON deliveries (batch) WHERE batch IS NOT NULL;
CREATE INDEX deliveries_due ON deliveries (account, receiver, tried, next_at, id) WHERE state = 'pending';
CREATE INDEX deliveries_next ON deliveries (next_at) WHERE state = 'pending';
CREATE INDEX deliveries_account ON deliveries (account, created_at, id);
CREATE INDEX deliveries_pending ON deliveries (account, created_at, id) WHERE state = 'pending';
CREATE INDEX deliveries_dead ON deliveries (account, created_at, id) WHERE state = 'dead';
CREATE INDEX deliveries_delivered ON deliveries (account, created_at, id) WHERE state = 'delivered';

CREATE TABLE attempts (
    delivery   TEXT COLLATE "C" NOT NULL,
    number     INTEGER NOT NULL,
    at         BIGINT NOT NULL,
    outcome    TEXT NOT NULL,
    status     INTEGER NOT NULL,
    latency_ms BIGINT NOT NULL,
    error      TEXT NOT NULL,
    answer     TEXT NOT NULL,
    next_at    BIGINT, -- when the next one was to be made
    PRIMARY KEY (delivery, number)
);

CREATE TABLE receivers ( -- those whose breaker is open
    account   TEXT COLLATE "C" NOT NULL,
    receiver  TEXT COLLATE "C" NOT NULL,
    failures  INTEGER NOT NULL, -- in a row
    opened_at BIGINT NOT NULL,
    probe_at  BIGINT NOT NULL, -- when it is tried next
    wait_us   BIGINT NOT NULL, -- between the last try and the next
    away      INTEGER NOT NULL DEFAULT 0, -- of the failures, the last ones that say nothing of what was sent
    PRIMARY KEY (account, receiver)
);

CREATE TABLE turns ( -- the last turn of each account and class; the row of account '' is the present turn of the queue
    account TEXT COLLATE "C" NOT NULL,
    class   INTEGER NOT NULL, -- ledger.Class
    last    BIGINT NOT NULL,
    PRIMARY KEY (account, class)
) WITH (fillfactor = 50);

CREATE TABLE usage ( -- what counts against the captures of a month; a capture belongs to the month in which it was accepted
    account  TEXT COLLATE "C" NOT NULL,
    month    INTEGER NOT NULL,          -- UTC: 202611 is November 2026
    used     BIGINT NOT NULL DEFAULT 0, -- by captures that have ended
    reserved BIGINT NOT NULL DEFAULT 0, -- by captures that have not
    PRIMARY KEY (account, month)
) WITH (fillfactor = 50);

CREATE TABLE probes ( -- one row that is written to see whether a commit is possible, with the bytes that make it as large as one
    id         INTEGER PRIMARY KEY CHECK (id = 1),
    written_at BIGINT NOT NULL,
    filler     BYTEA NOT NULL
);
ALTER TABLE probes ALTER COLUMN filler SET STORAGE EXTERNAL; -- as many bytes as were asked for

CREATE TABLE seen ( -- the latest time that a server has told: one that starts with an earlier one knows that the clock was set back
    id INTEGER PRIMARY KEY CHECK (id = 1),
    at BIGINT NOT NULL
);

CREATE TABLE identity (id TEXT NOT NULL); -- the name by which the database and its store of pictures know each other
INSERT INTO identity (id) VALUES ('db_' || left(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 26));

-- The one row that those who write lock first, so that they take turns. A server that takes the database over raises the
-- epoch: one before it finds its own no more and can write nothing.
CREATE TABLE writer (
    epoch BIGINT NOT NULL,
    mark  BIGINT -- of the last transaction that the server has committed in a group
) WITH (fillfactor = 10);
INSERT INTO writer (epoch) VALUES (0);

-- Whatever changes the state of a capture, its account is right. One that gets the result of another costs nothing.
-- +goose StatementBegin
CREATE FUNCTION captures_counted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF 'running' IN (OLD.state, NEW.state) THEN
        UPDATE accounts SET running = running + (NEW.state = 'running')::int - (OLD.state = 'running')::int WHERE id = NEW.account;
    END IF;
    IF NEW.state NOT IN ('queued', 'running') THEN
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
CREATE TRIGGER captures_counted AFTER UPDATE OF state ON captures FOR EACH ROW WHEN (OLD.state <> NEW.state)
    EXECUTE FUNCTION captures_counted();

CREATE TABLE owed ( -- deliveries of all accounts
    id      INTEGER PRIMARY KEY CHECK (id = 1),
    pending BIGINT NOT NULL,
    dead    BIGINT NOT NULL
) WITH (fillfactor = 50);
INSERT INTO owed (id, pending, dead) VALUES (1, 0, 0);
-- +goose StatementBegin
CREATE FUNCTION deliveries_owed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    was TEXT := CASE WHEN TG_OP = 'INSERT' THEN '' ELSE OLD.state END;
    becomes TEXT := CASE WHEN TG_OP = 'DELETE' THEN '' ELSE NEW.state END;
BEGIN
    IF was <> becomes AND (was IN ('pending', 'dead') OR becomes IN ('pending', 'dead')) THEN
        UPDATE owed SET pending = pending + (becomes = 'pending')::int - (was = 'pending')::int,
            dead = dead + (becomes = 'dead')::int - (was = 'dead')::int;
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER deliveries_owed AFTER INSERT OR DELETE OR UPDATE OF state ON deliveries FOR EACH ROW EXECUTE FUNCTION deliveries_owed();

-- A JSON object without some of its parts, as in SQLite: json_remove(document, '$.html'). PostgreSQL's own functions take no
-- \u0000, which a document may have: it becomes \ufffd.
-- +goose StatementBegin
CREATE FUNCTION json_remove(document TEXT, VARIADIC paths TEXT[]) RETURNS TEXT LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT coalesce(json_object_agg(key, value), '{}')::text
    FROM json_each((CASE WHEN position('\u0000' IN document) = 0 THEN document
        ELSE regexp_replace(document, '(?<!\\)((?:\\\\)*)\\u0000', '\1\\ufffd', 'g') END)::json)
    WHERE '$.' || key <> ALL (paths)
$$;
-- +goose StatementEnd
