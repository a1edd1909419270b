-- What has arrived in the inboxes of accounts, and how those answer. An account without a row answers with 200.
-- +goose Up
CREATE TABLE inboxes (
    account TEXT COLLATE "C" PRIMARY KEY REFERENCES accounts (id),
    answer  TEXT NOT NULL -- see savepage.InboxAnswer
);
CREATE TABLE inbox_events (
    id          TEXT COLLATE "C" PRIMARY KEY,
    account     TEXT COLLATE "C" NOT NULL REFERENCES accounts (id),
    capture     TEXT COLLATE "C",
    batch       TEXT COLLATE "C",
    received_at BIGINT NOT NULL,
    size        BIGINT NOT NULL, -- bytes that it takes of the inbox
    event       TEXT NOT NULL    -- JSON: savepage.InboxEvent
);
CREATE INDEX inbox_events_account ON inbox_events (account, received_at, id);
CREATE INDEX inbox_events_capture ON inbox_events (capture);
CREATE INDEX inbox_events_batch ON inbox_events (batch);
CREATE INDEX inbox_events_received ON inbox_events (received_at);
