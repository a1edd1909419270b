-- A database as commit 972bf89 left it: records 1,2,3,4,5,6,7,8,9,10,11,12,13.
BEGIN TRANSACTION;
CREATE TABLE accounts (
    id                  TEXT PRIMARY KEY,
    created_at          INTEGER NOT NULL,
    webhook_secret      TEXT NOT NULL,
    api_secret          TEXT NOT NULL DEFAULT '',
    waiting             INTEGER NOT NULL DEFAULT 0, -- captures in state queued for which no client waits
    waiting_interactive INTEGER NOT NULL DEFAULT 0  -- captures in state queued for which a client waits
, webhook_secret_at INTEGER, waiting_batch INTEGER NOT NULL DEFAULT 0, name TEXT NOT NULL DEFAULT '', closed_at INTEGER, limit_requests_per_minute INTEGER, limit_pending INTEGER, limit_pending_bytes INTEGER, limit_pages INTEGER, limit_timeout INTEGER, limit_captures_per_month INTEGER, pending INTEGER NOT NULL DEFAULT 0, pending_bytes INTEGER NOT NULL DEFAULT 0, running INTEGER NOT NULL DEFAULT 0);
INSERT INTO "accounts" VALUES('acc_06h1p50kes6q6aza7jx92z9ez4',1795750630262363,'whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=','',0,0,NULL,0,'',NULL,NULL,NULL,NULL,NULL,NULL,NULL,1,212,0);
CREATE TABLE attempts (
    delivery   TEXT NOT NULL,
    number     INTEGER NOT NULL,
    at         INTEGER NOT NULL,
    outcome    TEXT NOT NULL,
    status     INTEGER NOT NULL,
    latency_ms INTEGER NOT NULL,
    error      TEXT NOT NULL,
    answer     TEXT NOT NULL, next_at INTEGER,
    PRIMARY KEY (delivery, number)
) WITHOUT ROWID;
INSERT INTO "attempts" VALUES('msg_1',1,1795750630298581,'status',500,3,'The receiver answered 500 Internal Server Error.','',1795750632298581);
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
, shared TEXT);
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
, batch TEXT, captured_at INTEGER, source TEXT, flight TEXT, waits INTEGER NOT NULL DEFAULT 0, lost INTEGER NOT NULL DEFAULT 0, deaths INTEGER NOT NULL DEFAULT 0, faulted_at INTEGER, bytes INTEGER NOT NULL DEFAULT 0, cost INTEGER NOT NULL DEFAULT 0, turn INTEGER NOT NULL DEFAULT 0);
INSERT INTO "captures" VALUES('cap_06h1p50kfa08tn7x92sn7ck7kw','acc_06h1p50kes6q6aza7jx92z9ez4','success',0,'https://example.com/','{"url":"https://example.com/","width":1440,"height":900,"scale":1,"format":"png","quality":80,"png_effort":"fast","wait_until":"settled","timeout":30000,"on_timeout":"fail","animations":"freeze","time":"real"}','h',1,0,1795750630266625,1795750630266625,1795750630289365,1795750630293395,NULL,NULL,NULL,NULL,'{"queue_ms":0,"render_ms":0,"total_ms":0,"phases":{"navigate":0,"settle":0,"shoot":0,"encode":0,"store":0}}',NULL,1795750630293395,NULL,NULL,0,0,0,NULL,209,1,25);
INSERT INTO "captures" VALUES('cap_06h1p50kkmh1002g46mep474fw','acc_06h1p50kes6q6aza7jx92z9ez4','queued',0,'https://example.com/two','{"url":"https://example.com/two","width":1440,"height":900,"scale":1,"format":"png","quality":80,"png_effort":"fast","wait_until":"settled","timeout":30000,"on_timeout":"fail","animations":"freeze","time":"real"}','h',0,0,1795750630301691,1795750630301691,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0,0,NULL,212,1,50);
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
, receiver TEXT NOT NULL DEFAULT '', earlier INTEGER NOT NULL DEFAULT 0, batch TEXT, tried INTEGER NOT NULL DEFAULT 0, asked INTEGER NOT NULL DEFAULT 0);
INSERT INTO "deliveries" VALUES('msg_1','cap_06h1p50kfa08tn7x92sn7ck7kw','acc_06h1p50kes6q6aza7jx92z9ez4','http://127.0.0.1:9999/hook',X'7B7D','pending',1795750630293395,1795750632298581,NULL,'127.0.0.1:9999',0,NULL,1,0);
CREATE TABLE goose_db_version (
		id INTEGER PRIMARY KEY AUTOINCREMENT,
		version_id INTEGER NOT NULL,
		is_applied INTEGER NOT NULL,
		tstamp TIMESTAMP DEFAULT (datetime('now'))
	);
INSERT INTO "goose_db_version" VALUES(1,0,1,'2026-11-27 03:37:10');
INSERT INTO "goose_db_version" VALUES(2,1,1,'2026-11-27 03:37:10');
INSERT INTO "goose_db_version" VALUES(3,2,1,'2026-11-27 03:37:10');
INSERT INTO "goose_db_version" VALUES(4,3,1,'2026-11-27 03:37:10');
INSERT INTO "goose_db_version" VALUES(5,4,1,'2026-11-27 03:37:10');
INSERT INTO "goose_db_version" VALUES(6,5,1,'2026-11-27 03:37:10');
INSERT INTO "goose_db_version" VALUES(7,6,1,'2026-11-27 03:37:10');
INSERT INTO "goose_db_version" VALUES(8,7,1,'2026-11-27 03:37:10');
INSERT INTO "goose_db_version" VALUES(9,8,1,'2026-11-27 03:37:10');
INSERT INTO "goose_db_version" VALUES(10,9,1,'2026-11-27 03:37:10');
INSERT INTO "goose_db_version" VALUES(11,10,1,'2026-11-27 03:37:10');
INSERT INTO "goose_db_version" VALUES(12,11,1,'2026-11-27 03:37:10');
INSERT INTO "goose_db_version" VALUES(13,12,1,'2026-11-27 03:37:10');
INSERT INTO "goose_db_version" VALUES(14,13,1,'2026-11-27 03:37:10');
CREATE TABLE idempotency (
    account     TEXT NOT NULL,
    key         TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    capture     TEXT NOT NULL,
    expires_at  INTEGER NOT NULL,
    PRIMARY KEY (account, key)
) WITHOUT ROWID;
INSERT INTO "idempotency" VALUES('acc_06h1p50kes6q6aza7jx92z9ez4','k1','f','cap_06h1p50kkmh1002g46mep474fw',1795837030301889);
CREATE TABLE identity (id TEXT NOT NULL);
INSERT INTO "identity" VALUES('db_c96f2554cc510396f2f5c3deb4');
CREATE TABLE keys (
    hash         BLOB PRIMARY KEY, -- SHA-256 of the key
    account      TEXT NOT NULL REFERENCES accounts (id),
    prefix       TEXT NOT NULL,    -- the part that may be shown
    created_at   INTEGER NOT NULL,
    last_used_at INTEGER,
    revoked_at   INTEGER
, name TEXT NOT NULL DEFAULT '', scopes TEXT NOT NULL DEFAULT 'capture,read', expires_at INTEGER);
INSERT INTO "keys" VALUES(X'3197D7E78E0625D6E8E31B2BEDDB5D17CA8BA1813FDD5C59AA57E2107AF45E24','acc_06h1p50kes6q6aza7jx92z9ez4','sp_Qo1Xu4MF',1795750630262363,NULL,NULL,'first key','capture,read,admin',NULL);
CREATE TABLE old_secrets ( -- webhook secrets that were replaced and still sign
    account    TEXT NOT NULL REFERENCES accounts (id),
    secret     TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (account, created_at)
) WITHOUT ROWID;
CREATE TABLE private ( -- what a capture's callbacks carry that nobody may read back: headers and a secret of their own
    capture TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    sealed  TEXT NOT NULL -- JSON
) WITHOUT ROWID;
CREATE TABLE probes (
    id         INTEGER PRIMARY KEY CHECK (id = 1),
    written_at INTEGER NOT NULL,
    filler     BLOB NOT NULL
);
CREATE TABLE receivers (
    account   TEXT NOT NULL,
    receiver  TEXT NOT NULL,
    failures  INTEGER NOT NULL, -- in a row
    opened_at INTEGER NOT NULL,
    probe_at  INTEGER NOT NULL, -- when it is tried next
    wait_us   INTEGER NOT NULL, away INTEGER NOT NULL DEFAULT 0, -- between the last try and the next
    PRIMARY KEY (account, receiver)
) WITHOUT ROWID;
CREATE TABLE river_job (
    id integer PRIMARY KEY AUTOINCREMENT,
    args blob NOT NULL DEFAULT (jsonb('{}')),
    attempt integer NOT NULL DEFAULT 0,
    attempted_at timestamp,
    attempted_by blob, -- json
    created_at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
    errors blob, -- json
    finalized_at timestamp,
    kind text NOT NULL,
    max_attempts integer NOT NULL DEFAULT 25,
    metadata blob NOT NULL DEFAULT (jsonb('{}')),
    priority integer NOT NULL DEFAULT 1,
    queue text NOT NULL DEFAULT 'default',
    state text NOT NULL DEFAULT 'available',
    scheduled_at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
    tags blob NOT NULL DEFAULT (jsonb('[]')),
    unique_key blob,
    unique_states integer,
    CONSTRAINT finalized_or_finalized_at_null CHECK (
        (finalized_at IS NULL AND state NOT IN ('cancelled', 'completed', 'discarded')) OR
        (finalized_at IS NOT NULL AND state IN ('cancelled', 'completed', 'discarded'))
    ),
    CONSTRAINT priority_in_range CHECK (priority >= 1 AND priority <= 4),
    CONSTRAINT queue_length CHECK (length(queue) > 0 AND length(queue) < 128),
    CONSTRAINT kind_length CHECK (length(kind) > 0 AND length(kind) < 128),
    CONSTRAINT state_valid CHECK (state IN ('available', 'cancelled', 'completed', 'discarded', 'pending', 'retryable', 'running', 'scheduled'))
);
INSERT INTO "river_job" VALUES(2,X'CC5B276964C71E6361705F303668317035306B6B6D68313030326734366D65703437346677776163636F756E74C71E6163635F303668317035306B6573367136617A61376A7839327A39657A3457636C6173731331477475726E233530',0,NULL,NULL,'2026-11-27 03:37:10.302',NULL,NULL,'capture',25,X'0C',1,'waiting','available','2026-11-27 03:37:10.303',X'0B',X'6361705F303668317035306B6B6D68313030326734366D65703437346677',241);
CREATE TABLE river_leader (
    elected_at timestamp NOT NULL,
    expires_at timestamp NOT NULL,
    leader_id text NOT NULL,
    name text PRIMARY KEY NOT NULL DEFAULT 'default' CHECK (name = 'default'),
    CONSTRAINT name_length CHECK (length(name) > 0 AND length(name) < 128),
    CONSTRAINT leader_id_length CHECK (length(leader_id) > 0 AND length(leader_id) < 128)
);
CREATE TABLE river_migration (
    line text NOT NULL,
    version integer NOT NULL,
    created_at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT line_length CHECK (length(line) > 0 AND length(line) < 128),
    CONSTRAINT version_gte_1 CHECK (version >= 1),
    PRIMARY KEY (line, version)
);
INSERT INTO "river_migration" VALUES('main',1,'2026-11-27 03:37:10');
INSERT INTO "river_migration" VALUES('main',2,'2026-11-27 03:37:10');
INSERT INTO "river_migration" VALUES('main',3,'2026-11-27 03:37:10');
INSERT INTO "river_migration" VALUES('main',4,'2026-11-27 03:37:10');
INSERT INTO "river_migration" VALUES('main',5,'2026-11-27 03:37:10');
INSERT INTO "river_migration" VALUES('main',6,'2026-11-27 03:37:10');
INSERT INTO "river_migration" VALUES('main',7,'2026-11-27 03:37:10');
INSERT INTO "river_migration" VALUES('main',8,'2026-11-27 03:37:10');
CREATE TABLE river_notification (
    id integer PRIMARY KEY AUTOINCREMENT,
    created_at timestamp NOT NULL DEFAULT (datetime('now', 'subsec')),
    payload text NOT NULL,
    topic text NOT NULL,
    CONSTRAINT topic_length CHECK (length(topic) > 0 AND length(topic) < 128)
);
CREATE TABLE river_queue (
    name text PRIMARY KEY NOT NULL,
    created_at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
    metadata blob NOT NULL DEFAULT (jsonb('{}')),
    paused_at timestamp,
    updated_at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP
);
INSERT INTO "river_queue" VALUES('interactive','2026-11-27 03:37:10.282',X'0C',NULL,'2026-11-27 03:37:10.282');
CREATE TABLE seen (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    at INTEGER NOT NULL
);
INSERT INTO "seen" VALUES(1,1795750630303166);
CREATE TABLE turns ( -- the last turn of each account and class; the row of account '' is the present turn of the queue
    account TEXT NOT NULL,
    class   INTEGER NOT NULL, -- ledger.Class
    last    INTEGER NOT NULL,
    PRIMARY KEY (account, class)
) WITHOUT ROWID;
INSERT INTO "turns" VALUES('',0,0);
INSERT INTO "turns" VALUES('acc_06h1p50kes6q6aza7jx92z9ez4',1,50);
CREATE TABLE usage (
    account  TEXT NOT NULL,
    month    INTEGER NOT NULL,           -- UTC: 202611 is November 2026
    used     INTEGER NOT NULL DEFAULT 0, -- by captures that have ended
    reserved INTEGER NOT NULL DEFAULT 0, -- by captures that have not
    PRIMARY KEY (account, month)
) WITHOUT ROWID;
INSERT INTO "usage" VALUES('acc_06h1p50kes6q6aza7jx92z9ez4',202611,1,1);
CREATE INDEX keys_prefix ON keys (prefix);
CREATE INDEX captures_account ON captures (account, created_at, id);
CREATE INDEX captures_ended ON captures (created_at, id) WHERE state IN ('success', 'failed', 'canceled');
CREATE INDEX captures_picture ON captures (picture_name) WHERE picture_name IS NOT NULL;
CREATE INDEX idempotency_capture ON idempotency (capture);
CREATE INDEX idempotency_expires ON idempotency (expires_at);
CREATE INDEX deliveries_capture ON deliveries (capture);
CREATE INDEX deliveries_account ON deliveries (account, created_at, id);
CREATE INDEX deliveries_pending ON deliveries (account, created_at, id) WHERE state = 'pending';
CREATE INDEX deliveries_dead ON deliveries (account, created_at, id) WHERE state = 'dead';
CREATE INDEX private_key ON private (substr(sealed, 1, 26));
CREATE INDEX batches_account ON batches (account, created_at, id);
CREATE INDEX batches_ended ON batches (created_at, id) WHERE ended_at IS NOT NULL;
CREATE INDEX captures_batch ON captures (batch, created_at, id, state) WHERE batch IS NOT NULL;
CREATE INDEX captures_pending ON captures (id, state, due_at, batch) WHERE state IN ('queued', 'running');
CREATE INDEX deliveries_batch ON deliveries (batch) WHERE batch IS NOT NULL;
CREATE INDEX captures_kept ON captures (account, options_hash, captured_at) WHERE state = 'success';
CREATE INDEX captures_flight ON captures (account, flight, waits) WHERE flight IS NOT NULL AND state IN ('queued', 'running');
CREATE INDEX keys_account ON keys (account, created_at);
CREATE INDEX accounts_closed ON accounts (id) WHERE closed_at IS NOT NULL;
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
CREATE INDEX deliveries_due ON deliveries (account, receiver, tried, next_at, id) WHERE state = 'pending';
CREATE INDEX accounts_created ON accounts (created_at, id);
CREATE INDEX captures_state ON captures (account, state, created_at, id);
CREATE INDEX captures_url ON captures (account, url, state, created_at, id);
CREATE INDEX captures_running ON captures (id) WHERE state = 'running';
CREATE INDEX deliveries_delivered ON deliveries (account, created_at, id) WHERE state = 'delivered';
CREATE INDEX river_notification_created_at_idx ON river_notification (created_at);
CREATE INDEX river_notification_topic_id_idx ON river_notification (topic, id);
CREATE INDEX river_job_kind ON river_job (kind);
CREATE INDEX river_job_state_and_finalized_at_index ON river_job (state, finalized_at) WHERE finalized_at IS NOT NULL;
CREATE INDEX river_job_prioritized_fetching_index ON river_job (state, queue, priority, scheduled_at, id);
CREATE UNIQUE INDEX river_job_unique_idx ON river_job (unique_key)
    WHERE unique_key IS NOT NULL
        AND unique_states IS NOT NULL
        AND CASE state
            WHEN 'available' THEN unique_states & (1 << 0)
            WHEN 'cancelled' THEN unique_states & (1 << 1)
            WHEN 'completed' THEN unique_states & (1 << 2)
            WHEN 'discarded' THEN unique_states & (1 << 3)
            WHEN 'pending'   THEN unique_states & (1 << 4)
            WHEN 'retryable' THEN unique_states & (1 << 5)
            WHEN 'running'   THEN unique_states & (1 << 6)
            WHEN 'scheduled' THEN unique_states & (1 << 7)
            ELSE 0
        END >= 1;
CREATE INDEX savepage_job_due ON river_job (scheduled_at) WHERE state = 'pending';
CREATE INDEX savepage_job_turn ON river_job
	(json_extract(args, '$.account'), json_extract(args, '$.turn'), unique_key, id) WHERE state = 'available' AND queue = 'waiting';
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('goose_db_version',14);
INSERT INTO "sqlite_sequence" VALUES('river_job',2);
COMMIT;
