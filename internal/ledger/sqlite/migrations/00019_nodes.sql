-- +goose Up
CREATE TABLE nodes ( -- processes that serve the database: this one. Times are in microseconds
    id       TEXT PRIMARY KEY,
    number   INTEGER NOT NULL,
    name     TEXT NOT NULL,
    roles    TEXT NOT NULL,              -- parted by commas
    version  TEXT NOT NULL,
    pages    INTEGER NOT NULL DEFAULT 0, -- that it renders at once; 0 while it renders none
    reserve  INTEGER NOT NULL DEFAULT 0, -- more of them: see ledger.Pages
    delivers INTEGER NOT NULL DEFAULT 0, -- 1: it sends deliveries
    started  INTEGER NOT NULL,
    seen     INTEGER NOT NULL,
    ahead_us INTEGER NOT NULL DEFAULT 0,
    ended    INTEGER                     -- NULL while it lives
);

CREATE TABLE notices ( -- what nodes tell one another: here there is one
    id   INTEGER PRIMARY KEY,
    node TEXT NOT NULL,
    at   INTEGER NOT NULL,
    news TEXT NOT NULL -- JSON
);

CREATE TABLE hosts ( -- which node sends deliveries to a host: here there is one
    host TEXT PRIMARY KEY,
    node TEXT NOT NULL
);
CREATE INDEX hosts_node ON hosts (node);

ALTER TABLE captures ADD COLUMN node TEXT; -- that renders it
