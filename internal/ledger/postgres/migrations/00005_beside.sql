-- An older and a newer version of the program serve the database together during an upgrade: see ARCHITECTURE.md.
-- +goose Up
ALTER TABLE nodes ADD COLUMN tables BIGINT NOT NULL DEFAULT 4; -- the version of the tables that the node's program knows
ALTER TABLE writer ADD COLUMN oldest BIGINT NOT NULL DEFAULT 0; -- the first version whose programs work with these tables
