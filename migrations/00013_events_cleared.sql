-- +goose Up

-- The name is wanted for a table.
DROP INDEX events_cleared;

-- What a clear has taken out of events, until the time for undo has passed.
-- Taking a row out of a table touches none of its indexes, and one index here
-- is all that bringing back and deleting for good need; marking the row where
-- it stood wrote into three indexes of a large table.
CREATE TABLE events_cleared (
	clear         bigint      NOT NULL, -- of event_clears
	seq           bigint      NOT NULL,
	id            text        NOT NULL,
	account       text        NOT NULL,
	type          text        NOT NULL,
	level         text        NOT NULL,
	message       text        NOT NULL,
	details       jsonb       NOT NULL,
	at            timestamptz NOT NULL,
	stored_at     timestamptz NOT NULL,
	resource_type text        NOT NULL,
	resource_id   text        NOT NULL,
	service       text        NOT NULL,
	host          text        NOT NULL,
	base_url      text        NOT NULL,
	request_id    text        NOT NULL,
	count         int         NOT NULL
);
CREATE INDEX events_cleared_clear ON events_cleared (clear);
-- It empties again within minutes: without these it would be swept seldom.
ALTER TABLE events_cleared SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000);

WITH gone AS (DELETE FROM events WHERE cleared_by IS NOT NULL RETURNING *)
INSERT INTO events_cleared
SELECT cleared_by, seq, id, account, type, level, message, details, at, stored_at,
       resource_type, resource_id, service, host, base_url, request_id, count
  FROM gone;
-- The column cleared_by stays, empty: the indexes of events name it, and to
-- make them anew is minutes of waiting on a large table.

-- +goose Down
INSERT INTO events (seq, id, account, type, level, message, details, at, stored_at,
                    resource_type, resource_id, service, host, base_url, request_id, count, cleared_by)
OVERRIDING SYSTEM VALUE
SELECT seq, id, account, type, level, message, details, at, stored_at,
       resource_type, resource_id, service, host, base_url, request_id, count, clear
  FROM events_cleared;
DROP TABLE events_cleared;
CREATE INDEX events_cleared ON events (cleared_by) WHERE cleared_by IS NOT NULL;
