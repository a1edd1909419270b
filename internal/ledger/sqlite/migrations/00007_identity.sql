-- The name by which the database and its store of pictures know each other.
-- +goose Up
CREATE TABLE identity (id TEXT NOT NULL);
INSERT INTO identity (id) VALUES ('db_' || lower(hex(randomblob(13))));
