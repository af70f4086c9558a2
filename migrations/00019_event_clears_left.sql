-- +goose Up

-- What a clear by text left of the events that its other conditions meet, by
-- number: a list finds them at once, where a text would have to be looked for
-- in every event that is hidden. NULL: too many to keep, or not by text.
ALTER TABLE event_clears ADD COLUMN spared_seqs bigint[];

-- +goose Down
ALTER TABLE event_clears DROP COLUMN spared_seqs;
