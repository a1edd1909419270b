-- +goose Up
-- The latest time that a server has told. A server that starts with an earlier one knows that the clock was set back.
CREATE TABLE seen (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    at INTEGER NOT NULL
);
