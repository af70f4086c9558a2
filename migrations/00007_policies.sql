-- +goose Up

-- Policy bundles of accounts. The document stands beside, by its digest: an
-- evaluation shows the one it was made with, also after it was replaced.
CREATE TABLE policies (
	account     text        NOT NULL,
	id          text        NOT NULL,
	name        text,                 -- as in the document; null: it has none
	description text,
	source      text        NOT NULL DEFAULT 'local',
	active      boolean     NOT NULL DEFAULT false,
	digest      text        NOT NULL, -- of the document in use
	created_at  timestamptz NOT NULL DEFAULT now(),
	updated_at  timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (account, id)
);
CREATE UNIQUE INDEX policies_active ON policies (account) WHERE active;

CREATE TABLE policy_documents (
	account   text        NOT NULL,
	policy    text        NOT NULL,
	digest    text        NOT NULL, -- sha256 of body, 64 hex
	body      text        NOT NULL, -- JSON as posted, without the white space between its tokens
	stored_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (account, policy, digest),
	FOREIGN KEY (account, policy) REFERENCES policies (account, id) ON DELETE CASCADE
);

-- Accounts that were given their first bundles.
CREATE TABLE policy_installs (
	account text PRIMARY KEY,
	at      timestamptz NOT NULL DEFAULT now()
);

-- The history of what bundles said of images. A row is added when the final
-- action changes, and renewed while it stays. Rows outlive their image.
CREATE TABLE policy_evaluations (
	pk           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	account      text        NOT NULL,
	policy       text        NOT NULL,
	digest       text        NOT NULL, -- of the image
	tag          text        NOT NULL, -- full: registry/repository:tag
	eval_id      text        NOT NULL, -- md5 hex
	action       text        NOT NULL CHECK (action IN ('go', 'warn', 'stop')), -- the final one
	active       boolean     NOT NULL, -- the bundle was the active one
	bundle       text        NOT NULL, -- digest of the document it was made with
	facts        text        NOT NULL, -- version of the facts it was made with
	encoding     text        NOT NULL DEFAULT '', -- '' or gzip
	result       bytea       NOT NULL,
	evaluated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	FOREIGN KEY (account, policy) REFERENCES policies (account, id) ON DELETE CASCADE
);
ALTER TABLE policy_evaluations ALTER COLUMN result SET STORAGE EXTERNAL; -- already compressed
CREATE INDEX policy_evaluations_image ON policy_evaluations (account, digest, tag, evaluated_at DESC, pk DESC);
CREATE INDEX policy_evaluations_policy ON policy_evaluations (account, policy, bundle);

-- When a fix was first known, where the vulnerability data say so.
ALTER TABLE matches ADD COLUMN fix_at timestamptz;

-- Subscriptions that name images besides the newest of their tag.
CREATE INDEX subscriptions_digests ON subscriptions (account) WHERE type = 'policy_eval' AND active AND value IS NOT NULL;

-- +goose Down
DROP INDEX subscriptions_digests;
ALTER TABLE matches DROP COLUMN fix_at;
DROP TABLE policy_evaluations, policy_installs, policy_documents, policies;
