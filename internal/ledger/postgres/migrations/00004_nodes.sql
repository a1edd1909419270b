-- +goose Up
CREATE TABLE nodes ( -- processes that serve the database; times are the database's own, in microseconds
    id       TEXT COLLATE "C" PRIMARY KEY,
    number   BIGINT NOT NULL,            -- ascends: the first of those that live looks after what one of them has to
    name     TEXT NOT NULL,
    roles    TEXT NOT NULL,              -- parted by commas
    version  TEXT NOT NULL,
    pages    INTEGER NOT NULL DEFAULT 0, -- that it renders at once; 0 while it renders none
    reserve  INTEGER NOT NULL DEFAULT 0, -- more of them: see ledger.Pages
    delivers INTEGER NOT NULL DEFAULT 0, -- 1: it sends deliveries
    started  BIGINT NOT NULL,
    seen     BIGINT NOT NULL,
    ahead_us BIGINT NOT NULL DEFAULT 0,  -- by how much its machine's date is ahead of the database's
    ended    BIGINT                      -- NULL while it lives: it can write
) WITH (fillfactor = 50);

CREATE TABLE notices ( -- what a node tells the others. Numbers ascend in the order of commits: those who write take turns
    id   BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    node TEXT COLLATE "C" NOT NULL,
    at   BIGINT NOT NULL,
    news TEXT NOT NULL -- JSON
);

CREATE TABLE hosts ( -- which node sends deliveries to a host
    host TEXT COLLATE "C" PRIMARY KEY, -- and port, lower case
    node TEXT COLLATE "C" NOT NULL
);
CREATE INDEX hosts_node ON hosts (node);

ALTER TABLE captures ADD COLUMN node TEXT COLLATE "C"; -- that renders it

-- Who may write stands in the row that those who write lock. What a transaction has found there is so until it commits.
ALTER TABLE writer DROP COLUMN epoch;
ALTER TABLE writer DROP COLUMN mark;
ALTER TABLE writer ADD COLUMN nodes TEXT[] NOT NULL DEFAULT '{}';
CREATE TABLE marks ( -- of the last transaction that a node has committed in a group
    node TEXT COLLATE "C" PRIMARY KEY REFERENCES nodes (id) ON DELETE CASCADE,
    mark BIGINT
) WITH (fillfactor = 10);
-- +goose StatementBegin
CREATE FUNCTION nodes_write() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO marks (node) SELECT id FROM nodes WHERE id NOT IN (SELECT node FROM marks);
    END IF;
    UPDATE writer SET nodes = ARRAY(SELECT id FROM nodes WHERE ended IS NULL ORDER BY number);
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER nodes_write AFTER INSERT OR DELETE OR UPDATE OF ended ON nodes FOR EACH STATEMENT EXECUTE FUNCTION nodes_write();
