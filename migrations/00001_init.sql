-- +goose Up

-- Numbered announcements of committed changes. Appended last in a transaction
-- under advisory lock 7301, so numbers become visible in order.
CREATE TABLE changes (
	seq     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	kind    text        NOT NULL,
	account text        NOT NULL DEFAULT '',
	id      text        NOT NULL DEFAULT '',
	body    jsonb,
	at      timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX changes_at ON changes (at);

-- Things every process of one engine must agree on: the internal secret, marks.
CREATE TABLE settings (
	key   text PRIMARY KEY,
	value text NOT NULL
);

CREATE TABLE accounts (
	name       text PRIMARY KEY,
	email      text,
	type       text        NOT NULL DEFAULT 'user' CHECK (type IN ('user', 'admin', 'service')),
	state      text        NOT NULL DEFAULT 'enabled' CHECK (state IN ('enabled', 'disabled', 'deleting')),
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE users (
	name          text PRIMARY KEY,
	account       text        NOT NULL REFERENCES accounts ON DELETE CASCADE,
	uuid          uuid        NOT NULL DEFAULT gen_random_uuid(),
	password_hash text,                 -- argon2id in PHC form; null: cannot log in by password
	created_at    timestamptz NOT NULL DEFAULT now(),
	updated_at    timestamptz NOT NULL DEFAULT now()
);

-- Console sessions; the id is stored as its SHA-256.
CREATE TABLE sessions (
	id_hash    bytea PRIMARY KEY,
	user_name  text        NOT NULL REFERENCES users ON DELETE CASCADE,
	csrf       text        NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	seen_at    timestamptz NOT NULL DEFAULT now(),
	expires_at timestamptz NOT NULL
);

CREATE TABLE services (
	host         text        NOT NULL,
	name         text        NOT NULL,
	base_url     text        NOT NULL,
	state        text        NOT NULL CHECK (state IN ('registered', 'available', 'unavailable', 'orphaned')),
	detail       jsonb       NOT NULL DEFAULT '{}',
	restarts     int         NOT NULL DEFAULT 0,
	started_at   timestamptz NOT NULL DEFAULT now(),
	heartbeat_at timestamptz NOT NULL DEFAULT now(),
	since        timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (host, name)
);

CREATE TABLE service_transitions (
	id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	host       text        NOT NULL,
	name       text        NOT NULL,
	from_state text        NOT NULL DEFAULT '',
	to_state   text        NOT NULL, -- '' when the record was removed
	cause      text        NOT NULL DEFAULT '',
	at         timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX service_transitions_at ON service_transitions (at);

-- Clearing marks events with the clear's id and hides them at once; they are
-- deleted when the grace for undo has ended.
CREATE TABLE event_clears (
	id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	account    text        NOT NULL,
	filter     jsonb       NOT NULL,
	total      bigint      NOT NULL DEFAULT 0,
	done       bigint      NOT NULL DEFAULT 0,
	status     text        NOT NULL DEFAULT 'running' CHECK (status IN
		('running', 'done', 'cancelled', 'undoing', 'undone', 'purging', 'purged')),
	by_user    text        NOT NULL DEFAULT '',
	started_at timestamptz NOT NULL DEFAULT now(),
	ended_at   timestamptz,
	undo_until timestamptz,
	max_seq    bigint      NOT NULL, -- newest event when it was asked for
	-- the last event looked at, so that a chunk does not walk over those before it
	cursor_at  timestamptz NOT NULL DEFAULT 'infinity',
	cursor_seq bigint      NOT NULL DEFAULT 0
);
CREATE INDEX event_clears_open ON event_clears (id) WHERE status NOT IN ('undone', 'purged');
CREATE INDEX event_clears_account ON event_clears (account, id DESC);

CREATE TABLE events (
	seq           bigint GENERATED ALWAYS AS IDENTITY,
	id            text        NOT NULL, -- 32 hex
	account       text        NOT NULL,
	type          text        NOT NULL,
	level         text        NOT NULL CHECK (level IN ('info', 'error')),
	message       text        NOT NULL,
	details       jsonb       NOT NULL DEFAULT '{}',
	at            timestamptz NOT NULL,
	stored_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
	resource_type text        NOT NULL DEFAULT '',
	resource_id   text        NOT NULL DEFAULT '',
	service       text        NOT NULL DEFAULT '',
	host          text        NOT NULL DEFAULT '',
	base_url      text        NOT NULL DEFAULT '',
	request_id    text        NOT NULL DEFAULT '',
	count         int         NOT NULL DEFAULT 1,
	cleared_by    bigint,
	PRIMARY KEY (seq)
);
CREATE UNIQUE INDEX events_id ON events (id);
-- Every list is newest first, so each filter that can be rare has an index that
-- ends in the order of the list; cleared events leave them at once.
CREATE INDEX events_list ON events (account, at DESC, seq DESC) WHERE cleared_by IS NULL;
CREATE INDEX events_level ON events (account, level, at DESC, seq DESC) WHERE cleared_by IS NULL;
CREATE INDEX events_type ON events (account, type, at DESC, seq DESC) WHERE cleared_by IS NULL;
CREATE INDEX events_service ON events (account, service, at DESC, seq DESC) WHERE cleared_by IS NULL;
CREATE INDEX events_host ON events (account, host, at DESC, seq DESC) WHERE cleared_by IS NULL;
CREATE INDEX events_resource ON events (account, resource_id, at DESC, seq DESC) WHERE cleared_by IS NULL;
CREATE INDEX events_resource_type ON events (account, resource_type, at DESC, seq DESC) WHERE cleared_by IS NULL;
CREATE INDEX events_cleared ON events (cleared_by) WHERE cleared_by IS NOT NULL;
-- A bulk clear leaves many dead rows: the defaults would let lists wade through
-- a fifth of a large table before they are swept.
ALTER TABLE events SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.05,
	autovacuum_analyze_scale_factor = 0.02);

CREATE TABLE feeds (
	name       text PRIMARY KEY,
	enabled    boolean     NOT NULL DEFAULT true,
	last_sync  timestamptz,
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE feed_groups (
	feed           text        NOT NULL REFERENCES feeds ON DELETE CASCADE,
	name           text        NOT NULL,
	enabled        boolean     NOT NULL DEFAULT true,
	last_sync      timestamptz,
	records        bigint      NOT NULL DEFAULT 0,
	records_before bigint      NOT NULL DEFAULT -1,
	created_at     timestamptz NOT NULL DEFAULT now(),
	updated_at     timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (feed, name)
);

-- Installed vulnerability databases. At most one is active, one is previous.
CREATE TABLE feed_data (
	id           text PRIMARY KEY, -- first 16 hex of the archive's checksum
	checksum     text        NOT NULL,
	schema       text        NOT NULL DEFAULT '',
	built        timestamptz,
	source       text        NOT NULL DEFAULT '',
	starter      boolean     NOT NULL DEFAULT false,
	bytes        bigint      NOT NULL DEFAULT 0,
	records      bigint      NOT NULL DEFAULT 0,
	groups       jsonb       NOT NULL DEFAULT '[]', -- [{feed,name,records}] of this data
	installed_at timestamptz NOT NULL DEFAULT now(),
	role         text        NOT NULL DEFAULT 'old' CHECK (role IN ('active', 'previous', 'old'))
);
CREATE UNIQUE INDEX feed_data_role ON feed_data (role) WHERE role <> 'old';

CREATE TABLE feed_syncs (
	id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	trigger    text        NOT NULL,
	status     text        NOT NULL DEFAULT 'running' CHECK (status IN ('running', 'success', 'unchanged', 'failure', 'cancelled')),
	stage      text        NOT NULL DEFAULT 'check',
	stage_at   timestamptz NOT NULL DEFAULT now(),
	done       bigint      NOT NULL DEFAULT 0,
	total      bigint      NOT NULL DEFAULT 0,
	cause      text        NOT NULL DEFAULT '',
	message    text        NOT NULL DEFAULT '',
	source     text        NOT NULL DEFAULT '',
	data       text        NOT NULL DEFAULT '',
	records    bigint      NOT NULL DEFAULT 0,
	delta      bigint      NOT NULL DEFAULT 0,
	host       text        NOT NULL DEFAULT '',
	next_try   timestamptz,
	started_at timestamptz NOT NULL DEFAULT now(),
	ended_at   timestamptz
);

-- One running rematch of all stored images against the active data.
CREATE TABLE rematches (
	data       text PRIMARY KEY,
	total      bigint      NOT NULL DEFAULT 0,
	done       bigint      NOT NULL DEFAULT 0,
	changed    bigint      NOT NULL DEFAULT 0,
	started_at timestamptz NOT NULL DEFAULT now(),
	ended_at   timestamptz
);

CREATE TABLE images (
	pk              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	account         text        NOT NULL,
	digest          text        NOT NULL,
	parent_digest   text        NOT NULL,
	image_id        text        NOT NULL,
	state           text        NOT NULL DEFAULT 'not_analyzed' CHECK (state IN ('not_analyzed', 'analyzing', 'analyzed', 'analysis_failed')),
	status          text        NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'deleting')),
	source          text        NOT NULL DEFAULT 'registry',
	sample          boolean     NOT NULL DEFAULT false,
	task            jsonb       NOT NULL DEFAULT '{}', -- how its bytes are reached for the next analysis
	host            text        NOT NULL DEFAULT '',   -- the only host that has them; empty: any
	annotations     jsonb       NOT NULL DEFAULT '{}',
	arch            text,
	distro          text,
	distro_version  text,
	dockerfile_mode text,
	image_size      bigint,
	layer_count     int,
	-- progress and failure of the newest attempt
	stage           text        NOT NULL DEFAULT '',
	stage_done      bigint      NOT NULL DEFAULT 0,
	stage_total     bigint      NOT NULL DEFAULT 0,
	stage_since     timestamptz,
	attempt         int         NOT NULL DEFAULT 0,
	worker          text        NOT NULL DEFAULT '',
	failure         jsonb,
	-- counts kept with the matches, so that lists need no join
	packages        int         NOT NULL DEFAULT 0,
	sev_critical    int         NOT NULL DEFAULT 0,
	sev_high        int         NOT NULL DEFAULT 0,
	sev_medium      int         NOT NULL DEFAULT 0,
	sev_low         int         NOT NULL DEFAULT 0,
	sev_negligible  int         NOT NULL DEFAULT 0,
	sev_unknown     int         NOT NULL DEFAULT 0,
	fixable         int         NOT NULL DEFAULT 0,
	known_exploited int         NOT NULL DEFAULT 0,
	matched_with    text        NOT NULL DEFAULT '',
	matched_at      timestamptz,
	created_at      timestamptz NOT NULL DEFAULT now(),
	updated_at      timestamptz NOT NULL DEFAULT now(),
	analyzed_at     timestamptz,
	UNIQUE (account, digest)
);
CREATE INDEX images_list ON images (account, created_at DESC, pk DESC);
CREATE INDEX images_parent ON images (account, parent_digest);
CREATE INDEX images_image_id ON images (account, image_id);
CREATE INDEX images_state ON images (account, state, created_at DESC, pk DESC);

-- State history of an image, for its timeline.
CREATE TABLE image_states (
	image bigint      NOT NULL REFERENCES images ON DELETE CASCADE,
	state text        NOT NULL,
	at    timestamptz NOT NULL DEFAULT clock_timestamp(),
	note  text        NOT NULL DEFAULT ''
);
CREATE INDEX image_states_image ON image_states (image, at);

CREATE TABLE image_tags (
	image       bigint      NOT NULL REFERENCES images ON DELETE CASCADE,
	account     text        NOT NULL,
	registry    text        NOT NULL,
	repository  text        NOT NULL,
	tag         text        NOT NULL,
	dockerfile  text        NOT NULL DEFAULT '',
	detected_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	created_at  timestamptz NOT NULL DEFAULT now(),
	updated_at  timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (image, registry, repository, tag)
);
CREATE INDEX image_tags_name ON image_tags (account, registry, repository, tag, detected_at DESC);
CREATE INDEX image_tags_repository ON image_tags (account, repository, image);

CREATE TABLE packages (
	image    bigint NOT NULL REFERENCES images ON DELETE CASCADE,
	key      text   NOT NULL,
	name     text   NOT NULL,
	version  text   NOT NULL,
	type     text   NOT NULL,
	class    text   NOT NULL,
	path     text   NOT NULL DEFAULT '',
	licenses text[] NOT NULL DEFAULT '{}',
	origin   text   NOT NULL DEFAULT '',
	source   text   NOT NULL DEFAULT '',
	size     bigint NOT NULL DEFAULT 0,
	cpes     text[] NOT NULL DEFAULT '{}',
	purl     text   NOT NULL DEFAULT '',
	extra    jsonb,
	PRIMARY KEY (image, key)
);
CREATE INDEX packages_name ON packages (name, image);

CREATE TABLE matches (
	image           bigint  NOT NULL REFERENCES images ON DELETE CASCADE,
	package_key     text    NOT NULL,
	package         text    NOT NULL,
	version         text    NOT NULL,
	package_type    text    NOT NULL,
	path            text    NOT NULL DEFAULT '',
	vuln            text    NOT NULL,
	severity        text    NOT NULL,
	fixes           text[]  NOT NULL DEFAULT '{}',
	fix_state       text    NOT NULL DEFAULT '',
	url             text    NOT NULL DEFAULT '',
	feed            text    NOT NULL DEFAULT '',
	feed_group      text    NOT NULL DEFAULT '',
	namespace       text    NOT NULL DEFAULT '',
	description     text    NOT NULL DEFAULT '',
	cves            text[]  NOT NULL DEFAULT '{}',
	cpe             text    NOT NULL DEFAULT '',
	cpe23           text    NOT NULL DEFAULT '',
	will_not_fix    boolean NOT NULL DEFAULT false,
	scores          jsonb,  -- {nvd:[CVSSData], vendor:[CVSSData]}
	epss            real    NOT NULL DEFAULT 0,
	known_exploited boolean NOT NULL DEFAULT false,
	matcher         text    NOT NULL DEFAULT '',
	version_range   text    NOT NULL DEFAULT '',
	sample          boolean NOT NULL DEFAULT false,
	first_seen      timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (image, package_key, vuln, namespace)
);
CREATE INDEX matches_vuln ON matches (vuln, image);
CREATE INDEX matches_package ON matches (package, image);

-- Documents of an image or an account, gzip where that pays.
CREATE TABLE documents (
	account    text        NOT NULL,
	bucket     text        NOT NULL,
	key        text        NOT NULL,
	encoding   text        NOT NULL DEFAULT '', -- '' or gzip
	body       bytea       NOT NULL,
	updated_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (account, bucket, key)
);
ALTER TABLE documents ALTER COLUMN body SET STORAGE EXTERNAL; -- already compressed

CREATE TABLE registries (
	account    text        NOT NULL,
	name       text        NOT NULL,
	label      text        NOT NULL,
	type       text        NOT NULL,
	user_name  text        NOT NULL,
	password   bytea       NOT NULL, -- sealed with the secret key
	verify     boolean     NOT NULL DEFAULT true,
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (account, name)
);

CREATE TABLE jobs (
	id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	queue        text        NOT NULL,
	account      text        NOT NULL DEFAULT '',
	subject      text        NOT NULL,
	payload      jsonb       NOT NULL DEFAULT '{}',
	priority     int         NOT NULL DEFAULT 0,
	host         text        NOT NULL DEFAULT '', -- only this host may lease it; empty: any
	generation   int         NOT NULL DEFAULT 0,
	attempt      int         NOT NULL DEFAULT 0,
	max_attempts int         NOT NULL DEFAULT 5,
	leased_by    text        NOT NULL DEFAULT '',
	leased_until timestamptz NOT NULL DEFAULT '-infinity',
	available_at timestamptz NOT NULL DEFAULT now(),
	created_at   timestamptz NOT NULL DEFAULT now(),
	last_error   text        NOT NULL DEFAULT '',
	UNIQUE (queue, account, subject)
);
CREATE INDEX jobs_take ON jobs (queue, priority DESC, id);

-- +goose Down
DROP TABLE jobs, registries, documents, matches, packages, image_tags, image_states, images,
	rematches, feed_syncs, feed_data, feed_groups, feeds, events, event_clears,
	service_transitions, services, sessions, users, accounts, settings, changes;
