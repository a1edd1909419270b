-- +goose Up
ALTER TABLE deliveries ADD COLUMN tried INTEGER NOT NULL DEFAULT 0; -- 1: an attempt was made
ALTER TABLE deliveries ADD COLUMN asked INTEGER NOT NULL DEFAULT 0; -- how often it was sent again by hand
UPDATE deliveries SET tried = 1 WHERE EXISTS (SELECT 1 FROM attempts WHERE delivery = deliveries.id);
DROP INDEX deliveries_due;
CREATE INDEX deliveries_due ON deliveries (account, receiver, tried, next_at, id) WHERE state = 'pending';

ALTER TABLE receivers ADD COLUMN away INTEGER NOT NULL DEFAULT 0; -- of the failures, the last ones that say nothing of what was sent
UPDATE receivers SET away = failures;
