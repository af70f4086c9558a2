-- +goose Up

-- How the newest check of a stored registry ended, and when its credential was
-- last used for an image that was found.
ALTER TABLE registries
	ADD COLUMN checked_at  timestamptz,
	ADD COLUMN check_cause text        NOT NULL DEFAULT '', -- code of a cause; empty: it answered and took the credential
	ADD COLUMN check_text  text        NOT NULL DEFAULT '',
	ADD COLUMN check_ms    bigint      NOT NULL DEFAULT 0,
	ADD COLUMN used_at     timestamptz,
	ADD COLUMN used_for    text        NOT NULL DEFAULT '';

-- Lists by what people look for next, in the order of the list.
CREATE INDEX images_fixable ON images (account, created_at DESC, pk DESC) WHERE fixable > 0;
CREATE INDEX images_exploited ON images (account, created_at DESC, pk DESC) WHERE known_exploited > 0;
CREATE INDEX images_cause ON images (account, (failure->>'Cause'), created_at DESC, pk DESC) WHERE failure IS NOT NULL;
CREATE INDEX images_distro ON images (account, distro, distro_version, created_at DESC, pk DESC) WHERE distro IS NOT NULL;

-- Each attempt to deliver a notification.
CREATE TABLE notification_attempts (
	id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	notification bigint      NOT NULL REFERENCES notifications ON DELETE CASCADE,
	at           timestamptz NOT NULL,
	took_ms      bigint      NOT NULL DEFAULT 0,
	status       int         NOT NULL DEFAULT 0,
	error        text        NOT NULL DEFAULT ''
);
CREATE INDEX notification_attempts_of ON notification_attempts (notification, id);

-- Where a console login was made, for whoever looks whether it was him.
ALTER TABLE sessions
	ADD COLUMN address text NOT NULL DEFAULT '',
	ADD COLUMN agent   text NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE sessions DROP COLUMN address, DROP COLUMN agent;
DROP TABLE notification_attempts;
DROP INDEX images_fixable, images_exploited, images_cause, images_distro;
ALTER TABLE registries DROP COLUMN checked_at, DROP COLUMN check_cause, DROP COLUMN check_text, DROP COLUMN check_ms,
	DROP COLUMN used_at, DROP COLUMN used_for;
