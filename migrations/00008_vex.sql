-- +goose Up

-- Exploitability documents of accounts. Their content never changes.
CREATE TABLE vex_documents (
	pk          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	id          text        NOT NULL UNIQUE,
	account     text        NOT NULL,
	image       text        NOT NULL DEFAULT '', -- digest of the only image it speaks of
	enabled     boolean     NOT NULL DEFAULT true,
	format      text        NOT NULL CHECK (format IN ('openvex', 'cyclonedx')),
	name        text        NOT NULL DEFAULT '', -- its own id
	version     text        NOT NULL DEFAULT '',
	author      text        NOT NULL DEFAULT '',
	issued_at   timestamptz,
	statements  int         NOT NULL,
	unplaced    int         NOT NULL DEFAULT 0, -- statements that name neither image nor package
	sha256      text        NOT NULL,
	bytes       int         NOT NULL,
	encoding    text        NOT NULL DEFAULT '', -- '' or gzip
	body        bytea       NOT NULL,            -- as it came
	uploaded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	uploaded_by text        NOT NULL DEFAULT '',
	updated_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
	UNIQUE (account, image, sha256)
);
ALTER TABLE vex_documents ALTER COLUMN body SET STORAGE EXTERNAL; -- already compressed
CREATE INDEX vex_documents_account ON vex_documents (account, uploaded_at DESC, pk DESC);

CREATE TABLE vex_statements (
	document      bigint      NOT NULL REFERENCES vex_documents ON DELETE CASCADE,
	place         int         NOT NULL, -- in the document, from 1
	vulns         text[]      NOT NULL, -- ids of the vulnerability, aliases included
	status        text        NOT NULL CHECK (status IN ('not_affected', 'fixed', 'affected', 'under_investigation')),
	justification text        NOT NULL DEFAULT '',
	impact        text        NOT NULL DEFAULT '',
	said_at       timestamptz NOT NULL,
	products      jsonb       NOT NULL, -- [{"ids": [...], "parts": [[...], ...]}, ...]
	PRIMARY KEY (document, place)
);

-- The statements by what they are about. The account stands here too, so that
-- those of an image's vulnerabilities are found by one probe for each.
CREATE TABLE vex_vulns (
	account  text   NOT NULL,
	vuln     text   NOT NULL,
	document bigint NOT NULL,
	place    int    NOT NULL,
	PRIMARY KEY (account, vuln, document, place),
	FOREIGN KEY (document, place) REFERENCES vex_statements ON DELETE CASCADE
);
CREATE INDEX vex_vulns_statement ON vex_vulns (document, place);

-- How many matches of an image carry a mark of a document, as last counted.
CREATE TABLE vex_marks (
	document      bigint NOT NULL REFERENCES vex_documents ON DELETE CASCADE,
	image         bigint NOT NULL REFERENCES images ON DELETE CASCADE,
	not_affected  int    NOT NULL,
	fixed         int    NOT NULL,
	affected      int    NOT NULL,
	investigating int    NOT NULL,
	PRIMARY KEY (document, image)
);
CREATE INDEX vex_marks_image ON vex_marks (image);

-- Records that go by another id than the CVE they are about. Without a list of
-- pending entries: each of some thousand probes would read all of it.
CREATE INDEX matches_cves ON matches USING gin (cves) WITH (fastupdate = off) WHERE vuln NOT LIKE 'CVE-%';

-- +goose Down
DROP INDEX matches_cves;
DROP TABLE vex_marks, vex_vulns, vex_statements, vex_documents;
