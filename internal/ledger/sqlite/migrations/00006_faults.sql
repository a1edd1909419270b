-- +goose Up
ALTER TABLE captures ADD COLUMN lost INTEGER NOT NULL DEFAULT 0;   -- how much speaks for it being the page that ends its browsers
ALTER TABLE captures ADD COLUMN deaths INTEGER NOT NULL DEFAULT 0; -- times that the service ended while it was rendered
ALTER TABLE captures ADD COLUMN faulted_at INTEGER;                -- when a part of the service first kept it from its end

-- One row that is written to see whether a commit is possible, with the bytes that make it as large as one.
CREATE TABLE probes (
    id         INTEGER PRIMARY KEY CHECK (id = 1),
    written_at INTEGER NOT NULL,
    filler     BLOB NOT NULL
);
