-- +goose Up

-- Where notifications are posted. Those of the settings have no account and
-- are written anew when a catalog starts; the others belong to an account.
CREATE TABLE webhooks (
	id         text PRIMARY KEY,
	account    text        NOT NULL,
	type       text        NOT NULL,
	url        text        NOT NULL DEFAULT '',
	user_name  text        NOT NULL DEFAULT '',
	password   bytea       NOT NULL, -- sealed with the secret key
	verify     boolean     NOT NULL DEFAULT true,
	empty      boolean     NOT NULL DEFAULT false, -- a section of the settings without any field
	enabled    boolean     NOT NULL DEFAULT true,
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX webhooks_account ON webhooks (account, created_at, id);

-- The levels of events that become notifications; none: events do not.
CREATE TABLE notification_levels (
	level text PRIMARY KEY
);

-- One row for each webhook that a notification goes to, so that one receiver's
-- trouble repeats nothing at another.
CREATE TABLE notifications (
	seq        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	id         uuid        NOT NULL, -- of the notification: its rows share it
	account    text        NOT NULL,
	type       text        NOT NULL,
	key        text        NOT NULL,
	payload    jsonb       NOT NULL, -- of type event_log: the row of the event
	webhook    text        NOT NULL,
	state      text        NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'delivered', 'failed')),
	attempts   int         NOT NULL DEFAULT 0,
	status     int         NOT NULL DEFAULT 0,
	error      text        NOT NULL DEFAULT '',
	created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	queued_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
	tried_at   timestamptz,
	next_try   timestamptz NOT NULL DEFAULT clock_timestamp(), -- while an attempt runs: when it counts as lost
	ended_at   timestamptz
);
CREATE INDEX notifications_due ON notifications (webhook, next_try) WHERE state = 'pending';
CREATE INDEX notifications_list ON notifications (account, seq DESC);
CREATE INDEX notifications_state ON notifications (account, state, seq DESC);
CREATE INDEX notifications_age ON notifications (created_at) WHERE state <> 'pending';

-- +goose Down
DROP TABLE notifications, notification_levels, webhooks;
