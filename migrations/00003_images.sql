-- +goose Up

-- The product names by which CPEs know a package, in lower case. Queries by
-- package find what another tool or an advisory calls by its CPE.
-- +goose StatementBegin
CREATE FUNCTION cpe_products(cpes text[]) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT coalesce(array_agg(DISTINCT lower(split_part(c, ':', CASE WHEN c LIKE 'cpe:2.3:%' THEN 5 ELSE 4 END))), '{}')
	  FROM unnest(cpes) c
$$;
-- +goose StatementEnd
-- Packages of distributions are known by their names, and are the most.
CREATE INDEX packages_cpe_product ON packages USING gin (cpe_products(cpes)) WHERE class <> 'os';

-- The images that people look for first: listed and counted without a walk over
-- all the others.
CREATE INDEX images_critical ON images (account, status, created_at DESC, pk DESC) WHERE sev_critical > 0;
CREATE INDEX images_sample ON images (account, status, created_at DESC, pk DESC) WHERE sample;
CREATE INDEX images_high ON images (account, status, created_at DESC, pk DESC) WHERE sev_high > 0;

-- How many images there are by status and state, and tags by repository, as a
-- sum of rows: each change of an image adds rows of its own, so that writers
-- never wait for each other as they would at a counter, and a count is exact in
-- the transaction that asks. They are drawn together from time to time.
CREATE TABLE image_counts (
	account text   NOT NULL,
	status  text   NOT NULL,
	state   text   NOT NULL,
	n       bigint NOT NULL
);
CREATE INDEX image_counts_account ON image_counts (account, status, state);
CREATE TABLE tag_counts (
	account    text   NOT NULL,
	registry   text   NOT NULL,
	repository text   NOT NULL,
	n          bigint NOT NULL
);
CREATE INDEX tag_counts_account ON tag_counts (account, registry, repository);
INSERT INTO image_counts SELECT account, status, state, count(*) FROM images GROUP BY 1, 2, 3;
INSERT INTO tag_counts SELECT account, registry, repository, count(*) FROM image_tags GROUP BY 1, 2, 3;

-- +goose StatementBegin
CREATE FUNCTION count_images() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	CASE TG_OP
	WHEN 'INSERT' THEN
		INSERT INTO image_counts SELECT account, status, state, count(*) FROM added GROUP BY 1, 2, 3;
	WHEN 'DELETE' THEN
		INSERT INTO image_counts SELECT account, status, state, -count(*) FROM gone GROUP BY 1, 2, 3;
	ELSE
		INSERT INTO image_counts VALUES (OLD.account, OLD.status, OLD.state, -1), (NEW.account, NEW.status, NEW.state, 1);
	END CASE;
	RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER images_added AFTER INSERT ON images REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION count_images();
CREATE TRIGGER images_gone AFTER DELETE ON images REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION count_images();
CREATE TRIGGER images_moved AFTER UPDATE OF account, status, state ON images FOR EACH ROW
	WHEN ((OLD.account, OLD.status, OLD.state) IS DISTINCT FROM (NEW.account, NEW.status, NEW.state)) EXECUTE FUNCTION count_images();

-- +goose StatementBegin
CREATE FUNCTION count_tags() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	CASE TG_OP
	WHEN 'INSERT' THEN
		INSERT INTO tag_counts SELECT account, registry, repository, count(*) FROM added GROUP BY 1, 2, 3;
	WHEN 'DELETE' THEN
		INSERT INTO tag_counts SELECT account, registry, repository, -count(*) FROM gone GROUP BY 1, 2, 3;
	ELSE
		INSERT INTO tag_counts VALUES (OLD.account, OLD.registry, OLD.repository, -1), (NEW.account, NEW.registry, NEW.repository, 1);
	END CASE;
	RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER tags_added AFTER INSERT ON image_tags REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION count_tags();
CREATE TRIGGER tags_gone AFTER DELETE ON image_tags REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION count_tags();
CREATE TRIGGER tags_moved AFTER UPDATE OF account, registry, repository ON image_tags FOR EACH ROW
	WHEN ((OLD.account, OLD.registry, OLD.repository) IS DISTINCT FROM (NEW.account, NEW.registry, NEW.repository)) EXECUTE FUNCTION count_tags();

-- +goose Down
DROP TRIGGER images_added ON images;
DROP TRIGGER images_gone ON images;
DROP TRIGGER images_moved ON images;
DROP TRIGGER tags_added ON image_tags;
DROP TRIGGER tags_gone ON image_tags;
DROP TRIGGER tags_moved ON image_tags;
DROP FUNCTION count_images, count_tags;
DROP TABLE image_counts, tag_counts;
DROP INDEX packages_cpe_product, images_critical, images_high, images_sample;
DROP FUNCTION cpe_products;
