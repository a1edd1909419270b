-- What people look up when something is not as they expect it.
-- +goose Up
ALTER TABLE captures ADD COLUMN key_prefix TEXT; -- of the key with which it was asked for; NULL: none, or not known
ALTER TABLE attempts ADD COLUMN sent TEXT;       -- JSON: method and headers of the request; NULL: none was sent, or not known
