-- +goose Up

-- What the last analysis took: time, and the memory that its process held at
-- most. 0: not known.
ALTER TABLE images
	ADD COLUMN analysis_ms   bigint NOT NULL DEFAULT 0,
	ADD COLUMN analysis_peak bigint NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE images DROP COLUMN analysis_ms, DROP COLUMN analysis_peak;
