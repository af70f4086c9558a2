package analyzer_test

import (
	"bytes"
	"fmt"
	"strings"

	"windlass/internal/engine"
)

// manifest is an image whose manifest is just these bytes.
func manifest(mediaType string, body []byte) func() *image {
	return func() *image { return &image{manifest: body, mediaType: mediaType} }
}

// bent is a good image but for what is done to its documents.
func bent(f func(config, manifest doc)) func() *image {
	return func() *image {
		return build([]blob{gz(packed(text("app/"+fmt.Sprintf("%p", f), "x"))), gz(packed(text("b", "y")))}, f)
	}
}

// configured is a good image with these bytes as its configuration.
func configured(raw []byte) func() *image {
	return func() *image {
		return build([]blob{gz(packed(text("a", "x")))}, func(config, _ doc) { config["raw"] = raw })
	}
}

func typed(config, layer string) func() *image {
	return bent(func(_, m doc) {
		if config != "" {
			m["config"] = doc{"mediaType": config, "digest": digest([]byte("{}")), "size": 2}
		}
		if layer != "" {
			m["layers"].([]any)[1].(doc)["mediaType"] = layer
		}
	})
}

func layerField(n int, name string, value any) func(_, m doc) {
	return func(_, m doc) { m["layers"].([]any)[n].(doc)[name] = value }
}

func hostileManifests() []hostile {
	deep := []byte(`{"schemaVersion":2,"layers":` + strings.Repeat("[", 200_000) + strings.Repeat("]", 200_000) + `}`)
	entry := func(platform string) string {
		return fmt.Sprintf(`{"mediaType":%q,"digest":%q,"size":2,"platform":%s}`, manifestType, digest([]byte(platform)), platform)
	}
	index := func(entries ...string) []byte {
		return []byte(`{"schemaVersion":2,"mediaType":"` + indexType + `","manifests":[` + strings.Join(entries, ",") + `]}`)
	}
	steps := func(n int) []byte {
		return []byte(`{"os":"linux","rootfs":{"type":"layers","diff_ids":["` + digest(nil) + `"]},"history":[` + strings.TrimSuffix(strings.Repeat("{},", n), ",") + `]}`)
	}
	return []hostile{
		{name: "manifest of schema 1", make: manifest("application/vnd.docker.distribution.manifest.v1+prettyjws", []byte(`{"schemaVersion":1,"name":"x","fsLayers":[{"blobSum":"sha256:a"}]}`)), cause: engine.CauseUnsupported, says: "version 1"},
		{name: "manifest that is no JSON", make: manifest(manifestType, []byte("hello")), cause: engine.CauseManifestInvalid, says: "JSON"},
		{name: "manifest nested without end", make: manifest(manifestType, deep), cause: engine.CauseManifestInvalid},
		{name: "layers that are no list", make: manifest(manifestType, []byte(`{"schemaVersion":2,"config":{},"layers":{"a":1}}`)), cause: engine.CauseManifestInvalid},
		{name: "manifest that is a list", make: manifest(manifestType, []byte(`[1,2]`)), cause: engine.CauseManifestInvalid},
		{name: "10,000 layers", make: bent(func(_, m doc) {
			l := m["layers"].([]any)
			for len(l) < 10_000 {
				l = append(l, l[0])
			}
			m["layers"] = l
		}), cause: engine.CauseTooManyEntries, says: "layers"},
		{name: "a million empty layers", make: manifest(manifestType, []byte(`{"schemaVersion":2,"config":{},"layers":[`+strings.Repeat("{},", 999_999)+`{}]}`)), cause: engine.CauseTooManyEntries, says: "layers"},
		{name: "no layers", make: func() *image { return build(nil, nil) }},
		{name: "one layer twice", make: func() *image {
			l := gz(packed(text("a", "twice")))
			return build([]blob{l, l}, nil)
		}},
		{name: "one layer twice, of two sizes", make: bent(func(_, m doc) {
			l := m["layers"].([]any)
			l[1].(doc)["digest"] = l[0].(doc)["digest"]
			l[1].(doc)["size"] = 1 << 20
		}), cause: engine.CauseManifestInvalid, says: "layer 2"},
		{name: "negative size", make: bent(layerField(1, "size", -1)), cause: engine.CauseManifestInvalid, says: "layer 2"},
		{name: "size that is no number", make: bent(layerField(1, "size", "many")), cause: engine.CauseManifestInvalid},
		{name: "an exabyte", make: bent(layerField(1, "size", int64(1)<<60)), cause: engine.CauseTooLarge, says: "bytes"},
		{name: "sizes that overflow", make: bent(func(_, m doc) {
			layerField(0, "size", int64(1)<<62)(nil, m)
			layerField(1, "size", int64(1)<<62)(nil, m)
		}), cause: engine.CauseManifestInvalid},
		{name: "digest that climbs", make: bent(layerField(0, "digest", "sha256:../../../../etc/passwd")), cause: engine.CauseManifestInvalid},
		{name: "digest of another kind", make: bent(layerField(1, "digest", "sha512:"+strings.Repeat("a", 128))), cause: engine.CauseManifestInvalid, says: "layer 2"},
		{name: "index in an index", make: func() *image {
			inner := index(entry(`{"os":"linux","architecture":"amd64"}`))
			outer := index(fmt.Sprintf(`{"mediaType":%q,"digest":%q,"size":%d,"platform":{"os":"linux","architecture":"amd64"}}`, indexType, digest(inner), len(inner)))
			i := &image{manifest: outer, mediaType: indexType}
			return both(i, inner, indexType)
		}, cause: engine.CauseUnsupported, says: "index within an index"},
		{name: "index of other machines", make: manifest(indexType, index(entry(`{"os":"linux","architecture":"arm64"}`), entry(`{"os":"linux","architecture":"s390x"}`))), cause: engine.CausePlatform, says: "amd64"},
		{name: "index of nothing", make: manifest(indexType, index()), cause: engine.CausePlatform},
		{name: "index of 100,000 entries", make: manifest(indexType, index(strings.TrimSuffix(strings.Repeat("{},", 100_000), ","))), cause: engine.CauseTooManyEntries, says: "entries"},
		{name: "index and manifest at once", make: manifest("", []byte(`{"schemaVersion":2,"manifests":[],"layers":[],"config":{}}`)), cause: engine.CauseManifestInvalid, says: "at once"},
		{name: "index whose entry is not there", make: manifest(indexType, index(entry(`{"os":"linux","architecture":"amd64"}`))), cause: engine.CauseManifestUnknown},
		{name: "Windows image", make: bent(func(c, _ doc) { c["os"] = "windows" }), cause: engine.CausePlatform, says: "windows"},
		{name: "Windows image with layers that are elsewhere", make: bent(func(c, m doc) {
			c["os"] = "windows"
			l := m["layers"].([]any)[0].(doc)
			l["mediaType"], l["digest"] = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", digest([]byte("elsewhere"))
			l["urls"] = []string{"http://127.0.0.1:1/layer"}
		}), cause: engine.CauseMediaType, says: "foreign"},
		{name: "Helm chart", make: typed("application/vnd.cncf.helm.config.v1+json", "application/vnd.cncf.helm.chart.content.v1.tar+gzip"), cause: engine.CauseMediaType, says: "helm"},
		{name: "WebAssembly module", make: typed("", "application/vnd.wasm.content.layer.v1+wasm"), cause: engine.CauseMediaType, says: "layer 2"},
		{name: "attestation", make: typed("", "application/vnd.in-toto+json"), cause: engine.CauseMediaType, says: "in-toto"},
		{name: "encrypted layer", make: typed("", "application/vnd.oci.image.layer.v1.tar+gzip+encrypted"), cause: engine.CauseMediaType, says: "encrypted"},
		{name: "media type of a kilobyte", make: typed("", "application/"+strings.Repeat("x", 1000)), cause: engine.CauseMediaType},
		{name: "no configuration", make: bent(func(_, m doc) { m["config"] = doc{} }), cause: engine.CauseConfigInvalid},
		{name: "configuration that is not there", make: bent(func(_, m doc) {
			m["config"] = doc{"mediaType": configType, "digest": digest([]byte("lost")), "size": 4}
		}), cause: engine.CauseManifestUnknown, says: "configuration"},
		{name: "configuration of 9 MB", make: configured(bytes.Repeat([]byte(" "), 9<<20)), cause: engine.CauseConfigInvalid, says: "bytes"},
		{name: "configuration that is no JSON", make: configured([]byte("os=linux")), cause: engine.CauseConfigInvalid, says: "JSON"},
		{name: "configuration that is a list", make: configured([]byte("[]")), cause: engine.CauseConfigInvalid},
		{name: "configuration nested without end", make: configured([]byte(strings.Repeat(`{"config":`, 200_000) + "1" + strings.Repeat("}", 200_000))), cause: engine.CauseConfigInvalid},
		{name: "history of a million steps", make: configured(steps(1_000_000)), cause: engine.CauseConfigInvalid, says: "steps"},
		{name: "history that is text", make: configured([]byte(`{"rootfs":{"diff_ids":["` + digest(nil) + `"]},"history":"long"}`)), cause: engine.CauseConfigInvalid},
		{name: "configuration of fewer layers", make: bent(func(c, _ doc) { c["rootfs"] = doc{"type": "layers", "diff_ids": []string{digest(nil)}} }), cause: engine.CauseConfigInvalid, says: "manifest 2"},
		{name: "configuration of other layers", make: bent(func(c, _ doc) {
			ids := c["rootfs"].(doc)["diff_ids"].([]any)
			ids[0], ids[1] = ids[1], ids[0]
		}), cause: engine.CauseDigest, says: "layer"},
		{name: "configuration of what no database takes", make: bent(func(c, _ doc) {
			c["architecture"] = "am\x00d64"
			c["config"] = doc{"Labels": doc{"a\x00": "\x00"}, "Env": []string{"A=\x00"}, "User": "\x00"}
			c["history"] = []doc{{"created_by": "RUN \x00 \u202e"}, {"created_by": strings.Repeat("long ", 100_000)}}
		})},
		{name: "configuration from the year 9999", make: bent(func(c, _ doc) {
			c["created"] = "9999-12-31T23:59:59Z"
			c["history"] = []doc{{"created": "0001-01-01T00:00:00Z"}, {"created": "9999-12-31T23:59:59Z"}}
		})},
	}
}
