-- +goose Up

-- How each user likes the console drawn. An empty text, or a page of 0, has
-- not been chosen.
CREATE TABLE user_preferences (
	user_name  text        PRIMARY KEY REFERENCES users ON DELETE CASCADE,
	theme      text        NOT NULL DEFAULT '',
	zone       text        NOT NULL DEFAULT '',
	rail       text        NOT NULL DEFAULT '',
	density    text        NOT NULL DEFAULT '',
	page_size  int         NOT NULL DEFAULT 0,
	updated_at timestamptz NOT NULL DEFAULT now()
);

-- +goose Down

DROP TABLE user_preferences;
