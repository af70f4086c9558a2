-- +goose Up

-- The last transition before a moment is asked of each instance by every page
-- that draws a history.
CREATE INDEX service_transitions_instance ON service_transitions (host, name, at DESC, id DESC);

-- +goose Down
DROP INDEX service_transitions_instance;
