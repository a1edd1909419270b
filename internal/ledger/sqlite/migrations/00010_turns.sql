-- +goose Up
ALTER TABLE captures ADD COLUMN turn INTEGER NOT NULL DEFAULT 0; -- those that wait are taken in this order: see ledger.Turns

CREATE TABLE turns ( -- the last turn of each account and class; the row of account '' is the present turn of the queue
    account TEXT NOT NULL,
    class   INTEGER NOT NULL, -- ledger.Class
    last    INTEGER NOT NULL,
    PRIMARY KEY (account, class)
) WITHOUT ROWID;

ALTER TABLE batches ADD COLUMN shared TEXT; -- JSON: the options that all its captures have alike; theirs hold the others
