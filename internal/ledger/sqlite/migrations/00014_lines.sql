-- +goose Up
-- Columns of versions that counted what waits in another way.
ALTER TABLE accounts DROP COLUMN waiting;
ALTER TABLE accounts DROP COLUMN waiting_interactive;
ALTER TABLE accounts DROP COLUMN waiting_batch;

-- captures_state serves lists of all states too.
DROP INDEX captures_account;

-- Jobs of versions that had one for each delivery, and those without a turn: the reconciler makes the latter anew.
DELETE FROM river_job WHERE queue = 'webhook' AND state IN ('available', 'pending', 'retryable', 'running', 'scheduled');
DELETE FROM river_job WHERE queue = 'interactive' AND json_extract(args, '$.turn') IS NULL
    AND state IN ('available', 'pending', 'retryable', 'running', 'scheduled');

-- A job that waits has its account as its queue and its turn as its time: River's own index holds each account's in order.
UPDATE river_job SET queue = json_extract(args, '$.account'),
    scheduled_at = strftime('%Y-%m-%d %H:%M:%f', json_extract(args, '$.turn') / 1000.0, 'unixepoch')
    WHERE state = 'available' AND queue = 'waiting';
DROP INDEX IF EXISTS savepage_job_turn;
