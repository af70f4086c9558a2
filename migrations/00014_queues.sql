-- +goose Up

-- Queues of which no message is leased until somebody resumes them.
CREATE TABLE queue_pauses (
	queue  text        PRIMARY KEY,
	by     text        NOT NULL,
	reason text        NOT NULL DEFAULT '',
	at     timestamptz NOT NULL DEFAULT now()
);

-- The processes that work a queue off, as each says every few seconds: it tells
-- why a message waits. A row that is not renewed is of a process that is gone.
CREATE TABLE queue_workers (
	queue      text        NOT NULL,
	worker     text        NOT NULL, -- as in jobs.leased_by
	host       text        NOT NULL,
	hands      int         NOT NULL,
	started_at timestamptz NOT NULL DEFAULT now(),
	seen_at    timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (queue, worker)
);

-- Ends of attempts since the last sample. Rows are only added, so that no two
-- workers wait for each other at a counter.
CREATE TABLE queue_ends (
	queue   text        NOT NULL,
	outcome text        NOT NULL, -- done, failed, retried
	at      timestamptz NOT NULL DEFAULT now()
);

-- A day of each queue, by the minute.
CREATE TABLE queue_samples (
	queue   text        NOT NULL,
	at      timestamptz NOT NULL,
	waiting bigint      NOT NULL,
	leased  bigint      NOT NULL,
	done    bigint      NOT NULL DEFAULT 0,
	failed  bigint      NOT NULL DEFAULT 0,
	retried bigint      NOT NULL DEFAULT 0,
	PRIMARY KEY (queue, at)
);

-- Messages that were dropped by hand, for as long as that can be taken back.
CREATE TABLE queue_drops (
	id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	batch        text        NOT NULL,
	account      text        NOT NULL,
	queue        text        NOT NULL,
	subject      text        NOT NULL,
	payload      jsonb       NOT NULL,
	priority     int         NOT NULL,
	host         text        NOT NULL,
	max_attempts int         NOT NULL,
	at           timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX queue_drops_batch ON queue_drops (batch);

-- +goose Down
DROP TABLE queue_drops, queue_samples, queue_ends, queue_workers, queue_pauses;
