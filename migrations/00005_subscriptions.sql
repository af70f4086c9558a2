-- +goose Up

-- What an account wants to be told of, and what the watchers look at. A row is
-- also the watcher's work list: it is due at next_check, and held by one
-- watcher of one host at a time while leased_until lies ahead.
CREATE TABLE subscriptions (
	account      text        NOT NULL,
	key          text        NOT NULL, -- registry/repository:tag; of repo_update registry/repository
	type         text        NOT NULL CHECK (type IN ('repo_update', 'policy_eval', 'tag_update', 'vuln_update', 'analysis_update')),
	id           text        NOT NULL, -- md5 of account+key+type, joined by +
	value        text,
	active       boolean     NOT NULL DEFAULT false,
	created_at   timestamptz NOT NULL DEFAULT now(),
	updated_at   timestamptz NOT NULL DEFAULT now(),
	next_check   timestamptz NOT NULL DEFAULT now(),
	checked_at   timestamptz,
	last_error   text        NOT NULL DEFAULT '',
	seen         text        NOT NULL DEFAULT '',   -- digest the registry last gave for the tag
	pending      text[]      NOT NULL DEFAULT '{}', -- tags of a repository that were found and are yet to be added
	lease        text        NOT NULL DEFAULT '',   -- fences the check that holds it
	leased_until timestamptz NOT NULL DEFAULT '-infinity',
	PRIMARY KEY (account, key, type)
);
-- Two accounts may share an id: names can hold a plus. Within one it is unique.
CREATE UNIQUE INDEX subscriptions_id ON subscriptions (account, id);
CREATE INDEX subscriptions_due ON subscriptions (type, next_check) WHERE active;

-- Tags that were recorded before there were subscriptions get theirs.
INSERT INTO subscriptions (account, key, type, id, active)
SELECT t.account, t.key, k.type, md5(t.account || '+' || t.key || '+' || k.type), k.type = 'analysis_update'
  FROM (SELECT DISTINCT account, registry || '/' || repository || ':' || tag AS key FROM image_tags) t
 CROSS JOIN (VALUES ('policy_eval'), ('tag_update'), ('vuln_update'), ('analysis_update')) k (type);

-- +goose Down
DROP TABLE subscriptions;
