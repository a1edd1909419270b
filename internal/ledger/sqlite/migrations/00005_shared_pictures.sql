-- +goose Up
ALTER TABLE captures ADD COLUMN captured_at INTEGER;              -- when its picture was taken; NULL also for one that is not given out again
ALTER TABLE captures ADD COLUMN source TEXT;                      -- the capture that took its picture, if it is another
ALTER TABLE captures ADD COLUMN flight TEXT;                      -- what equal captures that may share a render have in common
ALTER TABLE captures ADD COLUMN waits INTEGER NOT NULL DEFAULT 0; -- 1: has no job and gets the result of another of its flight
UPDATE captures SET captured_at = finished_at WHERE state = 'success';
DROP INDEX captures_kept;
CREATE INDEX captures_kept ON captures (account, options_hash, captured_at) WHERE state = 'success';
CREATE INDEX captures_flight ON captures (account, flight, waits) WHERE flight IS NOT NULL AND state IN ('queued', 'running');
