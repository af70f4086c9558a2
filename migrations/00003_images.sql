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

-- +goose Down
DROP INDEX packages_cpe_product;
DROP FUNCTION cpe_products;
