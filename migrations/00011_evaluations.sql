-- +goose Up

-- How many attempts the analysis in hand may take; 0: not known.
ALTER TABLE images ADD COLUMN attempts int NOT NULL DEFAULT 0;

-- The walk over every analyzed image of an account that begins when another
-- bundle is made active: newest first, in steps, and how far it has come.
CREATE TABLE reevaluations (
	account    text        PRIMARY KEY,
	policy     text        NOT NULL, -- id of the bundle that was made active
	bundle     text        NOT NULL, -- digest of its document
	total      bigint      NOT NULL,
	done       bigint      NOT NULL DEFAULT 0,
	changed    bigint      NOT NULL DEFAULT 0, -- of which the final action is another than before
	undecided  bigint      NOT NULL DEFAULT 0, -- which the bundle could not judge
	after_at   timestamptz NOT NULL DEFAULT 'infinity', -- created_at and pk of the image that was done last
	after_pk   bigint      NOT NULL DEFAULT 9223372036854775807,
	started_at timestamptz NOT NULL DEFAULT now(),
	ended_at   timestamptz
);

-- +goose Down
DROP TABLE reevaluations;
ALTER TABLE images DROP COLUMN attempts;
