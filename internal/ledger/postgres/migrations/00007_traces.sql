-- +goose Up
-- Where the trace of the request goes on: a W3C traceparent and, after a blank, tracestate. NULL for none.
ALTER TABLE captures ADD COLUMN trace TEXT;
ALTER TABLE batches ADD COLUMN trace TEXT;
