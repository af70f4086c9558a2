-- +goose Up

-- A clear hides its events where they stand, by its filter, and deletes them
-- when it cannot be undone any more. What had been moved out of the log by a
-- clear that can be undone goes back; of the others it goes for good.
ALTER TABLE event_clears
	ADD COLUMN purged bigint   NOT NULL DEFAULT 0,
	ADD COLUMN spares bigint[] NOT NULL DEFAULT '{}'; -- clears that were in force before it: theirs is not its own

INSERT INTO events (seq, id, account, type, level, message, details, at, stored_at,
                    resource_type, resource_id, service, host, base_url, request_id, count)
OVERRIDING SYSTEM VALUE
SELECT e.seq, e.id, e.account, e.type, e.level, e.message, e.details, e.at, e.stored_at,
       e.resource_type, e.resource_id, e.service, e.host, e.base_url, e.request_id, e.count
  FROM events_cleared e JOIN event_clears c ON c.id = e.clear
 WHERE c.status IN ('running', 'undoing') OR c.status = 'done' AND c.undo_until > now();
DROP TABLE events_cleared;

UPDATE event_clears SET status = 'undone', done = 0, ended_at = now() WHERE status = 'undoing';
UPDATE event_clears SET status = 'purged', purged = done, ended_at = now()
 WHERE status IN ('cancelled', 'purging') OR status = 'done' AND undo_until <= now();
UPDATE event_clears SET purged = done WHERE status = 'purged';
UPDATE event_clears SET status = 'done', done = total, undo_until = now() + interval '1 minute' WHERE status = 'running';
UPDATE event_clears SET cursor_at = 'infinity', cursor_seq = 0 WHERE status = 'done';

-- Every list asks which clears are in force, and there may be many that were.
CREATE INDEX event_clears_shown ON event_clears (account, id) WHERE status IN ('done', 'purging');
CREATE INDEX event_clears_swept ON event_clears (account, ended_at) WHERE status = 'purged' AND total > 2000;

-- A service writes few of the types and a type is of one level: whoever plans a
-- list by two of them should know that they come together, or never do.
CREATE STATISTICS events_together (mcv) ON type, level, service, host, resource_type FROM events;

-- How long events are kept, by level and for all accounts.
CREATE TABLE event_retention (
	level      text        PRIMARY KEY CHECK (level IN ('info', 'error')),
	enabled    boolean     NOT NULL,
	days       int         NOT NULL CHECK (days BETWEEN 1 AND 3650),
	updated_at timestamptz NOT NULL DEFAULT now(),
	updated_by text        NOT NULL DEFAULT ''
);
INSERT INTO event_retention (level, enabled, days) VALUES ('info', false, 90), ('error', false, 365);

-- Every time the rules are applied, and what came of it.
CREATE TABLE event_retention_runs (
	id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	trigger    text        NOT NULL CHECK (trigger IN ('schedule', 'request')),
	by_user    text        NOT NULL DEFAULT '',
	status     text        NOT NULL DEFAULT 'running' CHECK (status IN ('running', 'done', 'cancelled')),
	rules      jsonb       NOT NULL, -- as they were: level, days, before, deleted
	deleted    bigint      NOT NULL DEFAULT 0,
	host       text        NOT NULL DEFAULT '',
	leased_by  text        NOT NULL DEFAULT '',
	lease_ends timestamptz NOT NULL DEFAULT now(),
	started_at timestamptz NOT NULL DEFAULT now(),
	ended_at   timestamptz
);
CREATE UNIQUE INDEX event_retention_runs_one ON event_retention_runs ((true)) WHERE status = 'running';

-- Filters of the list of events that a user has saved under a name.
CREATE TABLE event_filters (
	id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	account    text        NOT NULL,
	user_name  text        NOT NULL REFERENCES users ON DELETE CASCADE,
	name       text        NOT NULL,
	query      text        NOT NULL, -- of the page's address
	created_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX event_filters_name ON event_filters (account, user_name, name);

-- +goose Down
DROP INDEX event_clears_shown, event_clears_swept;
DROP STATISTICS events_together;
DROP TABLE event_filters;
DROP TABLE event_retention_runs;
DROP TABLE event_retention;
CREATE TABLE events_cleared (
	clear bigint NOT NULL, seq bigint NOT NULL, id text NOT NULL, account text NOT NULL, type text NOT NULL, level text NOT NULL,
	message text NOT NULL, details jsonb NOT NULL, at timestamptz NOT NULL, stored_at timestamptz NOT NULL,
	resource_type text NOT NULL, resource_id text NOT NULL, service text NOT NULL, host text NOT NULL,
	base_url text NOT NULL, request_id text NOT NULL, count int NOT NULL
);
CREATE INDEX events_cleared_clear ON events_cleared (clear);
ALTER TABLE event_clears DROP COLUMN purged, DROP COLUMN spares;
