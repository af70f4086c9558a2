package apiv1

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/enginetest"
)

// fakeImports knows the imports "open", "done" and nothing else.
type fakeImports struct {
	testAuth
	finished *engine.FinishImport
	names    *[]string
}

func anImport(status engine.ImportStatus) engine.Import {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	return engine.Import{ID: strings.Repeat("ab", 16), Account: "bob", Status: status, CreatedAt: at, UpdatedAt: at, ExpiresAt: at.Add(engine.ImportLife)}
}

func (fakeImports) AddImport(context.Context, string) (engine.Import, error) {
	return anImport(engine.ImportPending), nil
}

func (fakeImports) Import(_ context.Context, _, id string) (engine.Import, error) {
	switch id {
	case "open":
		return anImport(engine.ImportPending), nil
	case "done":
		return anImport(engine.ImportComplete), nil
	}
	return engine.Import{}, fmt.Errorf("import: %w", engine.ErrNotFound)
}

func (f fakeImports) InvalidateImport(ctx context.Context, account, id string) (engine.Import, error) {
	o, err := f.Import(ctx, account, id)
	if o.Status == engine.ImportPending {
		o.Status = engine.ImportInvalidated
	}
	return o, err
}

func (fakeImports) Imports(context.Context, string) iter.Seq2[engine.Import, error] {
	return func(yield func(engine.Import, error) bool) {
		_ = yield(anImport(engine.ImportPending), nil) && yield(anImport(engine.ImportFailed), nil)
	}
}

func (fakeImports) AddImportContent(_ context.Context, _, id string, c engine.ImportContent, _ []byte) (engine.ImportContent, error) {
	c.CreatedAt = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	switch id {
	case "open":
		return c, nil
	case "done":
		return c, engine.Conflictf("import operation done is complete")
	}
	return c, engine.NotFoundf("no import operation")
}

func (fakeImports) ImportContents(_ context.Context, _, id string, _ engine.ImportKind) ([]engine.ImportContent, error) {
	if id != "open" {
		return nil, nil
	}
	return []engine.ImportContent{{Digest: strings.Repeat("a", 64), CreatedAt: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}}, nil
}

func (f fakeImports) FinishImport(_ context.Context, in engine.FinishImport, names []string) (engine.Image, error) {
	*f.finished, *f.names = in, names
	switch in.Import {
	case "open":
		return waiting, nil
	case "done":
		return engine.Image{}, engine.Conflictf("import operation status does not allow finalization")
	}
	return engine.Image{}, engine.NotFoundf("no import operation")
}

func TestImports(t *testing.T) {
	oldDoc, newDoc := string(enginetest.OldSBOM(map[string]string{"musl": "1"})), string(enginetest.NewSBOM(map[string]string{"musl": "1"}))
	const op = `{"uuid":"abababababababababababababababab","account":"bob","status":"pending","expires_at":"2026-01-03T03:04:05Z","created_at":"2026-01-02T03:04:05Z","last_updated":"2026-01-02T03:04:05Z","last_update":"2026-01-02T03:04:05Z"}`
	edit := func(from, to string) string { return strings.ReplaceAll(oldDoc, from, to) }
	digestOf := func(s string) string { sum := sha256.Sum256([]byte(s)); return hex.EncodeToString(sum[:]) }
	type header = http.Header
	plain := header{"Content-Type": {"text/plain"}}
	tests := map[string]struct {
		method, path, body, auth string
		header                   http.Header
		code                     int
		has                      string
	}{
		"begin":                         {"POST", "/imports/images", "", asBob, nil, 200, op},
		"nobody begins":                 {"POST", "/imports/images", "", asNobody, nil, 401, ""},
		"another account's":             {"POST", "/imports/images", "", asBob, header{"X-Anchore-Account": {"admin"}}, 403, "action=importImage"},
		"list":                          {"GET", "/v1/imports/images", "", asBob, nil, 200, `[` + op + `,{"uuid"`},
		"get":                           {"GET", "/imports/images/open", "", asBob, nil, 200, op},
		"get unknown":                   {"GET", "/imports/images/nope", "", asBob, nil, 500, `\"httpcode\":404`},
		"delete":                        {"DELETE", "/imports/images/open", "", asBob, nil, 200, `"invalidated"`},
		"delete ended":                  {"DELETE", "/imports/images/done", "", asBob, nil, 200, `"complete"`},
		"delete unknown":                {"DELETE", "/imports/images/nope", "", asBob, nil, 500, `\"httpcode\":404`},
		"contents":                      {"GET", "/imports/images/open/packages", "", asBob, nil, 200, `[{"digest":"` + strings.Repeat("a", 64) + `","created_at":"2026-01-02T03:04:05Z"}]`},
		"contents of unknown":           {"GET", "/imports/images/nope/manifest", "", asBob, nil, 200, `[]`},
		"no parent":                     {"GET", "/imports/images/nope/parent_manifest", "", asBob, nil, 200, `[]`},
		"no configurations":             {"GET", "/imports/images/nope/image_config", "", asBob, nil, 200, `[]`},
		"no dockerfiles":                {"GET", "/imports/images/nope/dockerfile", "", asBob, nil, 200, `[]`},
		"packages of old":               {"POST", "/imports/images/open/packages", oldDoc, asBob, nil, 200, digestOf(oldDoc)},
		"packages of today":             {"POST", "/imports/images/open/packages", newDoc, asBob, nil, 200, digestOf(newDoc)},
		"packages with spaces":          {"POST", "/imports/images/open/packages", newDoc + " ", asBob, nil, 200, digestOf(newDoc + " ")},
		"no artifacts":                  {"POST", "/imports/images/open/packages", edit(`"artifacts"`, `"x"`), asBob, nil, 400, "artifacts"},
		"null artifacts":                {"POST", "/imports/images/open/packages", `{"artifacts":null,"source":{"type":""},"distro":{}}`, asBob, nil, 400, "artifacts"},
		"no artifacts but a list":       {"POST", "/imports/images/open/packages", `{"artifacts":[],"source":{"type":""},"distro":{}}`, asBob, nil, 200, "digest"},
		"no source":                     {"POST", "/imports/images/open/packages", edit(`"source"`, `"x"`), asBob, nil, 400, "source"},
		"no distro":                     {"POST", "/imports/images/open/packages", edit(`"distro"`, `"x"`), asBob, nil, 400, "distro"},
		"no source type":                {"POST", "/imports/images/open/packages", edit(`"type":"image"`, `"t":"image"`), asBob, nil, 400, "source.type"},
		"artifact without a name":       {"POST", "/imports/images/open/packages", edit(`"name":"musl"`, `"n":"musl"`), asBob, nil, 400, "artifacts.0"},
		"artifact without a version":    {"POST", "/imports/images/open/packages", edit(`"version":"1"`, `"v":"1"`), asBob, nil, 400, "version"},
		"artifact without a type":       {"POST", "/imports/images/open/packages", edit(`"type":"apk"`, `"t":"apk"`), asBob, nil, 400, "type"},
		"artifact's name of wrong type": {"POST", "/imports/images/open/packages", edit(`"name":"musl"`, `"name":7`), asBob, nil, 400, "artifacts.0"},
		"artifact that is none":         {"POST", "/imports/images/open/packages", `{"artifacts":[null],"source":{"type":""},"distro":{}}`, asBob, nil, 400, "object"},
		"location that is none":         {"POST", "/imports/images/open/packages", edit(`"locations":[{`, `"locations":[7,{`), asBob, nil, 400, "locations"},
		"a name beyond measure":         {"POST", "/imports/images/open/packages", edit(`"name":"musl"`, `"name":"`+strings.Repeat("x", 2000)+`"`), asBob, nil, 400, "longer"},
		"distro of wrong type":          {"POST", "/imports/images/open/packages", edit(`"version":"3.11.5"`, `"version":3`), asBob, nil, 400, "distro.version"},
		"packages as text":              {"POST", "/imports/images/open/packages", oldDoc, asBob, plain, 415, "JSON"},
		"packages that do not parse":    {"POST", "/imports/images/open/packages", "{", asBob, nil, 400, "not valid JSON"},
		"packages in a list":            {"POST", "/imports/images/open/packages", "[]", asBob, nil, 400, "object"},
		"nothing":                       {"POST", "/imports/images/open/packages", "", asBob, nil, 500, `"httpcode":400`},
		"upload by nobody":              {"POST", "/imports/images/open/packages", oldDoc, asNobody, nil, 401, ""},
		"unknown import":                {"POST", "/imports/images/nope/packages", oldDoc, asBob, nil, 500, `"httpcode":404`},
		"ended import":                  {"POST", "/imports/images/done/packages", oldDoc, asBob, nil, 500, `"httpcode":409`},
		"manifest":                      {"POST", "/imports/images/open/manifest", enginetest.ImportManifest, asBob, nil, 200, digestOf(enginetest.ImportManifest)},
		"manifest by its media type":    {"POST", "/imports/images/open/manifest", `{}`, asBob, header{"Content-Type": {"application/vnd.oci.image.manifest.v1+json"}}, 200, digestOf(`{}`)},
		"signed manifest":               {"POST", "/imports/images/open/manifest", `{}`, asBob, header{"Content-Type": {"application/vnd.docker.distribution.manifest.v1+prettyjws"}}, 200, "digest"},
		"manifest in a text":            {"POST", "/imports/images/open/manifest", `"x"`, asBob, nil, 400, "object"},
		"parent manifest":               {"POST", "/imports/images/open/parent_manifest", `{"manifests":[]}`, asBob, nil, 200, "digest"},
		"configuration":                 {"POST", "/imports/images/open/image_config", enginetest.ImportConfig, asBob, nil, 200, "digest"},
		"configuration not parsing":     {"POST", "/imports/images/open/image_config", `{"a":}`, asBob, nil, 400, "not valid JSON"},
		"dockerfile as text":            {"POST", "/imports/images/open/dockerfile", "FROM scratch\n", asBob, plain, 200, digestOf("FROM scratch\n")},
		"dockerfile as JSON":            {"POST", "/imports/images/open/dockerfile", `"FROM scratch"`, asBob, nil, 200, digestOf(`"FROM scratch"`)},
		"dockerfile raw as JSON":        {"POST", "/imports/images/open/dockerfile", "FROM scratch", asBob, nil, 200, "digest"},
		"dockerfile as a form":          {"POST", "/imports/images/open/dockerfile", "a=b", asBob, header{"Content-Type": {"multipart/form-data"}}, 415, ""},
		"dockerfile that is no text":    {"POST", "/imports/images/open/dockerfile", "FROM\x00", asBob, plain, 400, "text"},
		"dockerfile too large":          {"POST", "/imports/images/open/dockerfile", strings.Repeat("#", engine.MaxImportDockerfile+1), asBob, plain, 500, `"httpcode":400`},
		"put":                           {"PUT", "/imports/images/open/packages", "", asBob, nil, 405, ""},
	}
	s := New(fakeImports{}, Options{})
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			w := askServer(t, s, tc.method, tc.path, tc.body, tc.auth, tc.header)
			if w.Code != tc.code || !strings.Contains(w.Body.String(), tc.has) {
				t.Fatalf("%d %s\nwant %d with %q", w.Code, w.Body, tc.code, tc.has)
			}
		})
	}
}

// A body is refused by its announced length before a byte of it is read.
func TestImportLengths(t *testing.T) {
	for name, length := range map[string]int64{"too large": engine.MaxImportContent + 1, "unknown": -1, "beyond all": 1 << 50} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest("POST", "/imports/images/open/packages", unread{t})
			r.ContentLength = length
			r.Header.Set("Content-Type", "application/json")
			r.SetBasicAuth("bob", "right")
			w := httptest.NewRecorder()
			New(fakeImports{}, Options{}).ServeHTTP(w, r)
			if w.Code != 500 || !strings.Contains(w.Body.String(), `"httpcode":400`) {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		})
	}
}

type unread struct{ t *testing.T }

func (u unread) Read([]byte) (int, error) {
	u.t.Error("the body was read")
	return 0, io.EOF
}

func TestFinishImport(t *testing.T) {
	good := `{"digest":"sha256:` + hex64("1") + `","tags":["docker.io/a:1","b"],"operation_uuid":"open","contents":{"packages":"` + hex64("a") + `","manifest":"` + hex64("b") + `","image_config":"` + hex64("c") + `","parent_manifest":null}}`
	edit := func(from, to string) string {
		if !strings.Contains(good, from) {
			t.Fatalf("no %s", from)
		}
		return strings.Replace(good, from, to, 1)
	}
	tests := map[string]struct {
		manifest string
		code     int
		has      string
	}{
		"good":             {good, 200, `[{"imageDigest"`},
		"ended":            {edit(`"open"`, `"done"`), 409, "finalization"},
		"unknown":          {edit(`"open"`, `"nope"`), 404, "no import operation"},
		"no operation":     {edit(`"operation_uuid"`, `"x"`), 400, "validation_error"},
		"no digest":        {edit(`"digest"`, `"x"`), 400, "import.digest"},
		"odd digest":       {edit(`sha256:`, `sha1:`), 400, "import.digest"},
		"no tags":          {edit(`"tags"`, `"x"`), 400, "import.tags"},
		"tags are a text":  {edit(`["docker.io/a:1","b"]`, `"a"`), 400, "import.tags"},
		"no contents":      {edit(`"contents"`, `"x"`), 400, "import.contents"},
		"no packages":      {edit(`"packages"`, `"x"`), 400, "import.contents.packages"},
		"no manifest":      {edit(`"manifest"`, `"x"`), 400, "import.contents.manifest"},
		"no configuration": {edit(`"image_config"`, `"x"`), 400, "import.contents.image_config"},
		"odd parent":       {edit(`"digest"`, `"parent_digest":"x","digest"`), 400, "parent_digest"},
		"odd id":           {edit(`"digest"`, `"local_image_id":"a b","digest"`), 400, "local_image_id"},
		"not an object":    {`7`, 400, "not an object"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			var in engine.FinishImport
			var names []string
			w := ask(t, fakeImports{finished: &in, names: &names}, "POST", "/images?force=True&autosubscribe=true",
				`{"annotations":{"k":"v"},"source":{"import":`+tc.manifest+`}}`, asBob)
			if w.Code != tc.code || !strings.Contains(w.Body.String(), tc.has) {
				t.Fatalf("%d %s\nwant %d with %q", w.Code, w.Body, tc.code, tc.has)
			}
			if w.Code == 200 && (!in.Force || !in.AutoSubscribe || in.Account != "bob" || in.Annotations["k"] != "v" || len(names) != 2 || len(in.Contents) != 3) {
				t.Errorf("%+v, %q", in, names)
			}
		})
	}
}

func FuzzImportBodies(f *testing.F) {
	f.Add("packages", enginetest.OldSBOM(map[string]string{"musl": "1"}), "application/json")
	f.Add("packages", enginetest.NewSBOM(map[string]string{"musl": "1"}), "application/json")
	f.Add("dockerfile", []byte(`"FROM x"`), "text/plain")
	f.Add("manifest", []byte(enginetest.ImportManifest), "application/vnd.oci.image.manifest.v1+json")
	f.Fuzz(func(t *testing.T, kind string, body []byte, contentType string) {
		for _, u := range importUploads {
			if string(u.kind) != kind || len(body) == 0 {
				continue
			}
			if err := u.check(body, contentType); err == nil && kind != "dockerfile" && !json.Valid(body) {
				t.Errorf("%q was taken", body)
			}
		}
	})
}

func FuzzImportManifest(f *testing.F) {
	f.Add([]byte(`{"digest":"sha256:` + hex64("1") + `","tags":["a"],"operation_uuid":"x","contents":{"packages":"a","manifest":"b","image_config":"c"}}`))
	f.Add([]byte(`{"contents":{"packages":null},"tags":[null]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		in, _, err := readImportManifest(raw)
		if err == nil && (in.Digest == "" || len(in.Contents) < 3) {
			t.Errorf("%q was taken as %+v", raw, in)
		}
	})
}
