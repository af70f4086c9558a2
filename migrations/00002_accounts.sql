-- +goose Up

-- Roles of users in accounts: their own, or another they may work in. A user
-- with no row for its own account has full control of it.
CREATE TABLE user_roles (
	user_name  text        NOT NULL REFERENCES users ON DELETE CASCADE,
	account    text        NOT NULL, -- where the role counts
	role       text        NOT NULL,
	granted_by text        NOT NULL DEFAULT '',
	created_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (user_name, account, role)
);
CREATE INDEX user_roles_account ON user_roles (account, user_name);

CREATE INDEX users_account ON users (account, name);
CREATE INDEX users_uuid ON users (uuid);
CREATE INDEX accounts_deleting ON accounts (name) WHERE state = 'deleting';

-- Tokens that users make for scripts. Only a hash is kept: 130 random bits need
-- no slow one.
CREATE TABLE api_tokens (
	id         text PRIMARY KEY,
	user_name  text        NOT NULL REFERENCES users ON DELETE CASCADE,
	name       text        NOT NULL,
	hash       bytea       NOT NULL UNIQUE,   -- SHA-256
	role       text        NOT NULL DEFAULT '', -- empty: all that the user may
	account    text        NOT NULL DEFAULT '', -- the only one it counts in; empty: any
	created_by text        NOT NULL DEFAULT '',
	created_at timestamptz NOT NULL DEFAULT now(),
	expires_at timestamptz NOT NULL,
	used_at    timestamptz,
	UNIQUE (user_name, name)
);
CREATE INDEX api_tokens_account ON api_tokens (account) WHERE account <> '';

-- Who did what. Rows are only added, and removed when they are old.
CREATE TABLE audit_log (
	id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	at           timestamptz NOT NULL DEFAULT clock_timestamp(),
	user_name    text        NOT NULL,
	user_account text        NOT NULL,
	token        text        NOT NULL DEFAULT '', -- id of the API token that was used
	peer         text        NOT NULL DEFAULT '',
	account      text        NOT NULL,            -- what was done is this account's
	action       text        NOT NULL,
	subject      text        NOT NULL DEFAULT '',
	details      jsonb       NOT NULL DEFAULT '{}',
	status       int         NOT NULL,
	request_id   text        NOT NULL DEFAULT ''
);
CREATE INDEX audit_log_account ON audit_log (account, id DESC);
CREATE INDEX audit_log_user ON audit_log (user_name, id DESC);
CREATE INDEX audit_log_at ON audit_log (at);

-- +goose StatementBegin
CREATE FUNCTION audit_log_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF TG_OP = 'DELETE' AND OLD.at < now() - interval '1 day' THEN
		RETURN OLD;
	END IF;
	RAISE EXCEPTION 'the audit log is only added to';
END
$$;
-- +goose StatementEnd
CREATE TRIGGER audit_log_stays BEFORE UPDATE OR DELETE ON audit_log
	FOR EACH ROW EXECUTE FUNCTION audit_log_stays();

-- +goose Down
DROP TABLE audit_log, api_tokens, user_roles;
DROP FUNCTION audit_log_stays;
DROP INDEX users_account, users_uuid, accounts_deleting;
