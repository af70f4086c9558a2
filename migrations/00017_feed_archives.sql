-- +goose Up

-- Archives of vulnerability data that came by hand: as they come in, while they
-- are installed, and as long as their data is in use or kept to go back to, so
-- that every host can bring it onto itself.
CREATE TABLE feed_archives (
	id         text        PRIMARY KEY,
	source     text        NOT NULL,             -- as in feed_syncs.source
	size       bigint      NOT NULL DEFAULT 0,   -- announced; 0: not known
	have       bigint      NOT NULL DEFAULT 0,
	checksum   text        NOT NULL DEFAULT '',  -- announced
	flush      boolean     NOT NULL DEFAULT false,
	by         text        NOT NULL DEFAULT '',
	state      text        NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'installing', 'refused', 'kept')),
	tries      int         NOT NULL DEFAULT 0,   -- to install it
	cause      text        NOT NULL DEFAULT '',  -- of being refused
	message    text        NOT NULL DEFAULT '',
	created_at timestamptz NOT NULL DEFAULT now(),
	touched_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE feed_archive_parts (
	archive text   NOT NULL REFERENCES feed_archives ON DELETE CASCADE,
	at      bigint NOT NULL,
	body    bytea  NOT NULL,
	PRIMARY KEY (archive, at)
);
ALTER TABLE feed_archive_parts ALTER COLUMN body SET STORAGE EXTERNAL; -- it is compressed already

ALTER TABLE feed_data
	ADD COLUMN archive   text    NOT NULL DEFAULT '', -- that is kept of it
	ADD COLUMN set_aside boolean NOT NULL DEFAULT false; -- by a roll back: periodic syncs leave it alone

-- How long each stage took, and what the rematch after it came to.
ALTER TABLE feed_syncs
	ADD COLUMN stages     jsonb  NOT NULL DEFAULT '[]', -- [{stage, ms}]
	ADD COLUMN images     bigint NOT NULL DEFAULT 0,
	ADD COLUMN changed    bigint NOT NULL DEFAULT 0,
	ADD COLUMN matched_at timestamptz;

-- Which data each host that matches images has, as it says every minute.
CREATE TABLE feed_hosts (
	host    text        PRIMARY KEY,
	data    text        NOT NULL DEFAULT '',
	message text        NOT NULL DEFAULT '', -- why it has not the data in use
	at      timestamptz NOT NULL DEFAULT now()
);

-- +goose Down
DROP TABLE feed_hosts, feed_archive_parts, feed_archives;
ALTER TABLE feed_data DROP COLUMN archive, DROP COLUMN set_aside;
ALTER TABLE feed_syncs DROP COLUMN stages, DROP COLUMN images, DROP COLUMN changed, DROP COLUMN matched_at;
