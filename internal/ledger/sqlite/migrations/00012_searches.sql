-- +goose Up
-- Searches of an account: by state, by url, and both.
CREATE INDEX captures_state ON captures (account, state, created_at, id);
CREATE INDEX captures_url ON captures (account, url, state, created_at, id);
CREATE INDEX captures_running ON captures (id) WHERE state = 'running';
CREATE INDEX deliveries_delivered ON deliveries (account, created_at, id) WHERE state = 'delivered';
