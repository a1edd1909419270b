-- +goose Up
ALTER TABLE nodes ADD COLUMN tables INTEGER NOT NULL DEFAULT 19; -- the version of the tables that the process's program knows
