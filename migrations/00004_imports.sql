-- +goose Up

-- Imports of analyses that were made elsewhere, and what was uploaded for them.
CREATE TABLE import_operations (
	uuid       text PRIMARY KEY, -- 32 hex
	account    text        NOT NULL,
	status     text        NOT NULL DEFAULT 'pending' CHECK (status IN
		('pending', 'processing', 'complete', 'failed', 'expired', 'invalidated')),
	digest     text        NOT NULL DEFAULT '',   -- of the image it became
	chosen     jsonb       NOT NULL DEFAULT '{}', -- kind -> digest of the upload the image is made of
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now(),
	expires_at timestamptz NOT NULL
);
CREATE INDEX import_operations_account ON import_operations (account, created_at DESC, uuid);
CREATE INDEX import_operations_image ON import_operations (account, digest) WHERE status = 'processing';
CREATE INDEX import_operations_status ON import_operations (status, expires_at);

-- At most 100 MiB a row before packing, which is within what a column holds.
CREATE TABLE import_contents (
	operation  text        NOT NULL REFERENCES import_operations ON DELETE CASCADE,
	account    text        NOT NULL,
	kind       text        NOT NULL,
	digest     text        NOT NULL, -- sha256 of the bytes as they came, hex
	size       bigint      NOT NULL,
	encoding   text        NOT NULL DEFAULT '', -- '' or gzip
	body       bytea       NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (operation, kind, digest)
);
ALTER TABLE import_contents ALTER COLUMN body SET STORAGE EXTERNAL; -- already compressed

-- The archive of analyses. An archive's bytes stand in pieces of a megabyte, so
-- that neither writing nor reading it takes all of it into memory at once.
CREATE TABLE archived_images (
	pk            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	account       text        NOT NULL,
	digest        text        NOT NULL,
	parent_digest text        NOT NULL,
	image_id      text        NOT NULL,
	status        text        NOT NULL DEFAULT 'archived' CHECK (status IN ('archiving', 'archived', 'deleting')),
	annotations   jsonb       NOT NULL DEFAULT '{}',
	size          bigint      NOT NULL DEFAULT 0,
	analyzed_at   timestamptz,
	created_at    timestamptz NOT NULL DEFAULT now(), -- when it was archived
	updated_at    timestamptz NOT NULL DEFAULT now(),
	UNIQUE (account, digest)
);
CREATE INDEX archived_images_list ON archived_images (account, created_at DESC, pk DESC);
CREATE INDEX archived_images_parent ON archived_images (account, parent_digest);

CREATE TABLE archived_tags (
	archive     bigint      NOT NULL REFERENCES archived_images ON DELETE CASCADE,
	account     text        NOT NULL,
	registry    text        NOT NULL,
	repository  text        NOT NULL,
	tag         text        NOT NULL,
	detected_at timestamptz NOT NULL,
	created_at  timestamptz NOT NULL,
	updated_at  timestamptz NOT NULL,
	PRIMARY KEY (archive, registry, repository, tag)
);
CREATE INDEX archived_tags_name ON archived_tags (account, registry, repository, tag, detected_at DESC, archive);

CREATE TABLE archived_chunks (
	archive bigint NOT NULL REFERENCES archived_images ON DELETE CASCADE,
	n       int    NOT NULL,
	body    bytea  NOT NULL,
	PRIMARY KEY (archive, n)
);
ALTER TABLE archived_chunks ALTER COLUMN body SET STORAGE EXTERNAL;

-- When images move to the archive, and out of it.
CREATE TABLE archive_rules (
	id                 text PRIMARY KEY, -- 32 hex
	account            text        NOT NULL,
	transition         text        NOT NULL CHECK (transition IN ('archive', 'delete')),
	system_global      boolean     NOT NULL DEFAULT false,
	registry           text        NOT NULL DEFAULT '',
	repository         text        NOT NULL DEFAULT '',
	tag                text        NOT NULL DEFAULT '',
	age_days           int         NOT NULL DEFAULT -1,
	versions_newer     int         NOT NULL DEFAULT -1,
	exclude_registry   text        NOT NULL DEFAULT '',
	exclude_repository text        NOT NULL DEFAULT '',
	exclude_tag        text        NOT NULL DEFAULT '',
	exclude_days       int         NOT NULL DEFAULT -1,
	max_images         int, -- null: the rule selects by name
	created_at         timestamptz NOT NULL DEFAULT now(),
	updated_at         timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX archive_rules_account ON archive_rules (account, created_at, id);
CREATE INDEX archive_rules_global ON archive_rules (created_at, id) WHERE system_global;
-- One rule alone may bound the images of accounts.
CREATE UNIQUE INDEX archive_rules_max ON archive_rules ((true)) WHERE max_images IS NOT NULL;

-- +goose Down
DROP TABLE archive_rules, archived_chunks, archived_tags, archived_images, import_contents, import_operations;
