package enginetest

import (
	"encoding/json"
	"maps"
	"slices"
)

// OldSBOM is a document as syft's first releases (0.12) wrote it for an Alpine
// image: no ids, plain texts for licences and CPEs, three fields for the
// distribution and a target for the source.
func OldSBOM(packages map[string]string) []byte {
	artifacts := []map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(packages)) {
		version := packages[name]
		artifacts = append(artifacts, map[string]any{
			"name": name, "version": version, "type": "apk", "foundBy": "apkdb-cataloger", "language": "",
			"locations": []any{map[string]any{"path": "/lib/apk/db/installed", "layerID": "sha256:" + hex("a")}},
			"licenses":  []string{"MIT"}, "cpes": []string{"cpe:2.3:a:" + name + ":" + name + ":" + version + ":*:*:*:*:*:*:*"},
			"purl": "pkg:alpine/" + name + "@" + version + "?arch=x86_64", "metadataType": "ApkMetadata",
			"metadata": map[string]any{
				"package": name, "originPackage": name, "maintainer": "Some One <one@example.org>", "version": version, "license": "MIT",
				"architecture": "x86_64", "url": "https://example.org", "description": "made for a test", "size": 1000, "installedSize": 4096,
				"pullDependencies": "so:libc", "pullChecksum": "Q1p78yvTLG094tHE1+dToJGbmYzQE=", "gitCommitOfApkPort": "0",
				"files": []any{map[string]any{"path": "/lib"}, map[string]any{"path": "/lib/x", "checksum": "Q1x="}},
			},
		})
	}
	return document(artifacts, map[string]any{"name": "alpine", "version": "3.11.5", "idLike": ""},
		map[string]any{"type": "image", "target": map[string]any{
			"userInput": "alpine:latest", "imageID": "sha256:" + hex("b"), "manifestDigest": "sha256:" + hex("c"), "scope": "Squashed",
			"mediaType": "application/vnd.docker.distribution.manifest.v2+json", "tags": []string{"alpine:latest"}, "imageSize": 100,
			"layers": []any{map[string]any{"mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip", "digest": "sha256:" + hex("a"), "size": 100}},
		}}, "0.12.2", "1.0.1")
}

// NewSBOM is the same document as syft writes it today.
func NewSBOM(packages map[string]string) []byte {
	artifacts := []map[string]any{}
	for n, name := range slices.Sorted(maps.Keys(packages)) {
		version := packages[name]
		artifacts = append(artifacts, map[string]any{
			"id": hex("e")[:15] + string(rune('a'+n%26)), "name": name, "version": version, "type": "apk", "foundBy": "apk-db-cataloger", "language": "",
			"locations": []any{map[string]any{"path": "/lib/apk/db/installed", "accessPath": "/lib/apk/db/installed", "annotations": map[string]any{"evidence": "primary"}}},
			"licenses":  []any{map[string]any{"value": "MIT", "spdxExpression": "MIT", "type": "declared", "urls": []any{}, "locations": []any{}}},
			"cpes":      []any{map[string]any{"cpe": "cpe:2.3:a:" + name + ":" + name + ":" + version + ":*:*:*:*:*:*:*", "source": "syft-generated"}},
			"purl":      "pkg:apk/alpine/" + name + "@" + version + "?arch=x86_64", "metadataType": "apk-db-entry",
			"metadata": map[string]any{
				"package": name, "originPackage": name, "maintainer": "Some One <one@example.org>", "version": version, "architecture": "x86_64",
				"url": "https://example.org", "description": "made for a test", "size": 1000, "installedSize": 4096,
				"pullDependencies": []string{"so:libc"}, "pullChecksum": "Q1p78yvTLG094tHE1+dToJGbmYzQE=", "gitCommitOfApkPort": "0", "files": []any{},
			},
		})
	}
	return document(artifacts, map[string]any{"name": "Alpine Linux", "id": "alpine", "versionID": "3.11.5"},
		map[string]any{"id": hex("d"), "name": "alpine", "version": "latest", "type": "image", "metadata": map[string]any{"userInput": "alpine:latest"}},
		"1.54.1", "16.1.11")
}

func document(artifacts []map[string]any, distro, source map[string]any, tool, schema string) []byte {
	doc, err := json.Marshal(map[string]any{
		"artifacts": artifacts, "artifactRelationships": []any{}, "source": source, "distro": distro,
		"descriptor": map[string]any{"name": "syft", "version": tool},
		"schema":     map[string]any{"version": schema, "url": "https://raw.githubusercontent.com/anchore/syft/main/schema/json/schema-" + schema + ".json"},
	})
	if err != nil {
		panic(err) // strings and numbers always marshal
	}
	return doc
}

// ImportManifest and ImportConfig belong to an image of two layers.
const (
	ImportManifest = `{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json",` +
		`"config":{"mediaType":"application/vnd.docker.container.image.v1+json","size":500,"digest":"sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"},` +
		`"layers":[{"mediaType":"application/vnd.docker.image.rootfs.diff.tar.gzip","size":1000,"digest":"sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},` +
		`{"mediaType":"application/vnd.docker.image.rootfs.diff.tar.gzip","size":234,"digest":"sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"}]}`
	ImportConfig = `{"architecture":"amd64","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":[]},` +
		`"history":[{"created":"2020-01-01T00:00:00Z","created_by":"/bin/sh -c #(nop) ADD file:x in / "},` +
		`{"created":"2020-01-01T00:00:01Z","created_by":"/bin/sh -c #(nop)  CMD [\"sh\"]","empty_layer":true},` +
		`{"created":"2020-01-01T00:00:02Z","created_by":"apk add curl"}]}`
)

func hex(c string) string {
	s := c
	for len(s) < 64 {
		s += c
	}
	return s
}
