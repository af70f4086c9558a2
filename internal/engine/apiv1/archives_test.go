package apiv1

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/enginetest"
)

// fakeArchives knows the archived image of ones, the rules "own" and "global",
// and restores what begins with 1.
type fakeArchives struct {
	testAuth
	added *engine.ArchiveRule
	err   error // of adding a rule
}

var archivedAt = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func (fakeArchives) ArchiveSummary(_ context.Context, account string) (engine.ArchiveSummary, error) {
	if account == "bob" {
		return engine.ArchiveSummary{}, nil
	}
	return engine.ArchiveSummary{Images: 2, Tags: 3, Bytes: 4, ImagesAt: archivedAt, Rules: 1, RulesAt: archivedAt}, nil
}

func (fakeArchives) ArchiveImages(_ context.Context, _ string, digests []string) ([]engine.ArchiveResult, error) {
	var list []engine.ArchiveResult
	for _, d := range digests {
		list = append(list, engine.ArchiveResult{Digest: d, Status: "archived", Detail: "Completed successfully"})
	}
	return list, nil
}

func anArchived() engine.ArchivedImage {
	return engine.ArchivedImage{
		Digest: engine.Digest("sha256:" + hex64("1")), ParentDigest: engine.Digest("sha256:" + hex64("2")), Status: engine.Archived, Size: 4096,
		AnalyzedAt: archivedAt, CreatedAt: archivedAt, UpdatedAt: archivedAt,
		Tags: []engine.ImageTag{{Registry: "docker.io", Repository: "team/app", Tag: "v1", DetectedAt: archivedAt, CreatedAt: archivedAt, UpdatedAt: archivedAt}},
	}
}

func (fakeArchives) ArchivedImages(_ context.Context, account string) iter.Seq2[engine.ArchivedImage, error] {
	return func(yield func(engine.ArchivedImage, error) bool) {
		if account != "bob" {
			yield(anArchived(), nil)
		}
	}
}

func (fakeArchives) ArchivedImage(_ context.Context, _, digest string) (engine.ArchivedImage, error) {
	a := anArchived()
	if digest == string(a.Digest) || digest == string(a.ParentDigest) {
		return a, nil
	}
	return a, fmt.Errorf("archived image: %w", engine.ErrNotFound)
}

func (f fakeArchives) DeleteArchived(ctx context.Context, account, digest string) error {
	if digest == "stuck" {
		return engine.Invalidf("Invalid object state: archiving")
	}
	_, err := f.ArchivedImage(ctx, account, digest)
	return err
}

func (fakeArchives) OpenArchived(context.Context, string, string) (io.Reader, int64, error) {
	return strings.NewReader("packed"), 6, nil
}

func (fakeArchives) RestoreArchived(_ context.Context, _, digest string) (engine.Image, error) {
	switch digest[7] {
	case '1':
		return analyzed, nil
	case '2':
		return engine.Image{}, fmt.Errorf("restore image: %w", engine.ErrConflict)
	case '3':
		return engine.Image{}, fmt.Errorf("archived image: %w", engine.ErrNotFound)
	}
	return engine.Image{}, errors.New("disk on fire")
}

func (fakeArchives) ImportArchive(_ context.Context, _ string, r io.Reader) (engine.Image, bool, error) {
	what, err := io.ReadAll(r)
	switch {
	case err != nil:
		return engine.Image{}, false, err
	case string(what) == "good":
		return analyzed, true, nil
	case string(what) == "there":
		return engine.Image{}, true, engine.ErrConflict
	case string(what) == "damaged":
		return engine.Image{}, true, engine.Invalidf("The archive is damaged.")
	case string(what) == "image":
		return waiting, false, nil
	}
	return engine.Image{}, false, engine.Invalidf("The archive cannot be used.")
}

func (f fakeArchives) AddArchiveRule(_ context.Context, r engine.ArchiveRule) (engine.ArchiveRule, error) {
	if f.added != nil {
		*f.added = r
	}
	r.ID, r.CreatedAt, r.UpdatedAt = hex64("e")[:32], archivedAt, archivedAt
	return r, f.err
}

func (fakeArchives) ArchiveRules(_ context.Context, account string, global bool) ([]engine.ArchiveRule, error) {
	list := []engine.ArchiveRule{{ID: hex64("a")[:32], Account: account, Transition: engine.ToArchive, AgeDays: 30, VersionsNewer: 2, ExcludeDays: -1,
		Selector: engine.ImageSelector{Registry: "docker.io", Repository: "team/*", Tag: "*"}, CreatedAt: archivedAt, UpdatedAt: archivedAt}}
	if global {
		list = append(list, engine.ArchiveRule{ID: hex64("b")[:32], Account: "admin", Transition: engine.ToArchive, SystemGlobal: true, MaxImages: 7})
	}
	return list, nil
}

func (f fakeArchives) ArchiveRule(ctx context.Context, account, id string) (engine.ArchiveRule, error) {
	list, err := f.ArchiveRules(ctx, account, true)
	switch id {
	case "own":
		return list[0], err
	case "global":
		return list[1], err
	}
	return engine.ArchiveRule{}, fmt.Errorf("archive rule: %w", engine.ErrNotFound)
}

func (fakeArchives) RemoveArchiveRule(context.Context, string, string) error { return nil }

func (fakeArchives) ApplyArchiveRules(_ context.Context, account string, dry bool) (engine.ArchiveRun, error) {
	return engine.ArchiveRun{Task: hex64("c")[:32], Account: account, DryRun: dry, Archived: []engine.ArchiveMove{{Digest: "d"}, {Digest: "e", Error: "no"}}}, nil
}

func TestArchives(t *testing.T) {
	one, two, three, four := "sha256:"+hex64("1"), "sha256:"+hex64("2"), "sha256:"+hex64("3"), "sha256:"+hex64("4")
	const image = `"status":"archived","image_detail":[{"pullstring":"docker.io/team/app:v1","registry":"docker.io","repository":"team/app","tag":"v1","detected_at":"2026-01-02T03:04:05Z","created_at":"2026-01-02T03:04:05Z","last_updated":"2026-01-02T03:04:05Z"}],"created_at":"2026-01-02T03:04:05Z","last_updated":"2026-01-02T03:04:05Z","analyzed_at":"2026-01-02T03:04:05Z","archive_size_bytes":4096}`
	many := `["` + strings.Repeat(one+`","`, engine.MaxArchiveRequest) + one + `"]`
	restore := func(digest string) string { return `{"source":{"archive":{"digest":"` + digest + `"}}}` }
	const exists = `{"message":"Conflict: Image already exists in system. No restore possible","httpcode":409,"detail":null}`
	tests := map[string]struct {
		method, path, body, auth string
		code                     int
		has                      string
	}{
		"summary":                {"GET", "/archives", "", asAdmin, 200, `{"images":{"last_updated":"2026-01-02T03:04:05Z","total_data_bytes":4,"total_image_count":2,"total_tag_count":3},"rules":{"count":1,"last_updated":"2026-01-02T03:04:05Z"}}`},
		"summary of nothing":     {"GET", "/archives", "", asBob, 200, `{"images":{"last_updated":"","total_data_bytes":0,"total_image_count":0,"total_tag_count":0},"rules":{"count":0,"last_updated":null}}`},
		"list":                   {"GET", "/archives/images", "", asAdmin, 200, `[{"imageDigest":"` + one + `","parentDigest":"` + two + `","annotations":{},` + image + `]`},
		"empty list":             {"GET", "/archives/images", "", asBob, 200, `[]`},
		"nobody":                 {"GET", "/archives/images", "", asNobody, 401, ""},
		"get":                    {"GET", "/archives/images/" + one, "", asAdmin, 200, `{"imageDigest":"` + one + `"`},
		"get by the parent":      {"GET", "/archives/images/" + two, "", asAdmin, 200, `{"imageDigest":"` + one + `"`},
		"get unknown":            {"GET", "/archives/images/" + three, "", asAdmin, 404, "Not found in archive"},
		"delete":                 {"DELETE", "/archives/images/" + one + "?force=True", "", asAdmin, 200, "null"},
		"delete unknown":         {"DELETE", "/archives/images/" + three, "", asAdmin, 404, "Not found in archive"},
		"delete in between":      {"DELETE", "/archives/images/stuck", "", asAdmin, 400, "Invalid object state: archiving"},
		"archive":                {"POST", "/archives/images", `["` + one + `"]`, asBob, 200, `[{"digest":"` + one + `","status":"archived","detail":"Completed successfully"}]`},
		"archive none":           {"POST", "/archives/images", `[]`, asBob, 400, "at least one"},
		"archive too many":       {"POST", "/archives/images", many, asBob, 400, "at most 100"},
		"archive no list":        {"POST", "/archives/images", `{}`, asBob, 400, "about:blank"},
		"archive numbers":        {"POST", "/archives/images", `[1]`, asBob, 400, "about:blank"},
		"archive nothing":        {"POST", "/archives/images", "", asBob, 400, "about:blank"},
		"download":               {"GET", "/console/archives/images/" + two + "/file", "", asAdmin, 200, "packed"},
		"download unknown":       {"GET", "/console/archives/images/" + three + "/file", "", asAdmin, 404, ""},
		"restore":                {"POST", "/images", restore(one), asBob, 200, `[{"imageDigest"`},
		"restore what is there":  {"POST", "/images", restore(two), asBob, 409, exists},
		"restore unknown":        {"POST", "/images", restore(three), asBob, 500, "Not found in archive"},
		"restore fails":          {"POST", "/images", restore(four), asBob, 500, `"httpcode":500`},
		"restore odd":            {"POST", "/images", restore("sha256:x"), asBob, 400, "archive.digest"},
		"restore no object":      {"POST", "/images", `{"source":{"archive":7}}`, asBob, 400, "validation_error"},
		"restore and a tag":      {"POST", "/images", `{"tag":"a","source":{"archive":{"digest":"` + one + `"}}}`, asBob, 400, "not both"},
		"rules":                  {"GET", "/archives/rules", "", asBob, 200, `"max_images_per_account":7`},
		"rules of its own":       {"GET", "/archives/rules?system_global=False", "", asBob, 200, `"transition":"archive","system_global":false,"max_images_per_account":null,"created_at":"2026-01-02T03:04:05Z","last_updated":"2026-01-02T03:04:05Z"}]`},
		"rule":                   {"GET", "/archives/rules/own", "", asBob, 200, `{"rule_id":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","selector":{"registry":"docker.io","repository":"team/*","tag":"*"},"exclude":{"selector":{"registry":"","repository":"","tag":""},"expiration_days":-1},"analysis_age_days":30,"tag_versions_newer":2,`},
		"global rule":            {"GET", "/archives/rules/global", "", asBob, 200, `"system_global":true`},
		"unknown rule":           {"GET", "/archives/rules/nope", "", asBob, 404, "Rule not found"},
		"delete rule":            {"DELETE", "/archives/rules/own", "", asBob, 200, "null"},
		"delete unknown rule":    {"DELETE", "/archives/rules/nope", "", asBob, 404, "Rule not found"},
		"delete global rule":     {"DELETE", "/archives/rules/global", "", asBob, 403, "Non-admins cannot modify/delete system global rules"},
		"admin deletes global":   {"DELETE", "/archives/rules/global", "", asAdmin, 200, "null"},
		"dry run by default":     {"POST", "/console/archives/run", "", asBob, 200, `"dry_run":true,"archived":[{"digest":"d","error":null},{"digest":"e","error":"no"}],"deleted":[]}`},
		"run":                    {"POST", "/console/archives/run?dry_run=FALSE", "", asBob, 200, `"dry_run":false`},
		"run of another account": {"POST", "/console/archives/run", "", asEve, 403, ""},
	}
	s := New(fakeArchives{}, Options{})
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			w := askServer(t, s, tc.method, tc.path, tc.body, tc.auth, nil)
			if w.Code != tc.code || !strings.Contains(w.Body.String(), tc.has) {
				t.Fatalf("%d %s\nwant %d with %q", w.Code, w.Body, tc.code, tc.has)
			}
		})
	}
}

func TestAddArchiveRule(t *testing.T) {
	const all = `"selector":{"registry":"*","repository":"a","tag":"b"}`
	selected := engine.ImageSelector{Registry: "*", Repository: "a", Tag: "b"}
	tests := map[string]struct {
		body, auth string
		fails      error
		code       int
		has        string
		want       engine.ArchiveRule
	}{
		"the least": {`{"transition":"archive",` + all + `}`, asBob, nil, 200, `"rule_id"`, engine.ArchiveRule{Transition: "archive", Selector: selected, AgeDays: -1, VersionsNewer: -1, ExcludeDays: -1}},
		"zeros are not left out": {`{"transition":"delete",` + all + `,"analysis_age_days":0,"tag_versions_newer":0,"exclude":{"expiration_days":0,"selector":{"tag":"x"}}}`, asBob, nil, 200, "",
			engine.ArchiveRule{Transition: "delete", Selector: selected, Exclude: engine.ImageSelector{Tag: "x"}}},
		"nulls are":                {`{"transition":"archive",` + all + `,"analysis_age_days":null,"system_global":null,"max_images_per_account":null,"exclude":null}`, asBob, nil, 200, "", engine.ArchiveRule{Transition: "archive", Selector: selected, AgeDays: -1, VersionsNewer: -1, ExcludeDays: -1}},
		"as the client sends it":   {`{"tag_versions_newer":2,"analysis_age_days":30,"transition":"archive","system_global":false,` + all + `,"exclude":{"expiration_days":-1,"selector":{"registry":"","repository":"","tag":""}}}`, asBob, nil, 200, "", engine.ArchiveRule{Transition: "archive", Selector: selected, AgeDays: 30, VersionsNewer: 2, ExcludeDays: -1}},
		"global by an admin":       {`{"transition":"archive","system_global":true,` + all + `}`, asAdmin, nil, 200, `"system_global":true`, engine.ArchiveRule{Transition: "archive", SystemGlobal: true, Selector: selected, AgeDays: -1, VersionsNewer: -1, ExcludeDays: -1}},
		"global by another":        {`{"transition":"archive","system_global":true,` + all + `}`, asBob, nil, 403, "Not authorized", engine.ArchiveRule{}},
		"a bound":                  {`{"transition":"archive","system_global":true,"max_images_per_account":5}`, asAdmin, nil, 200, `"max_images_per_account":5`, engine.ArchiveRule{Transition: "archive", SystemGlobal: true, MaxImages: 5, AgeDays: -1, VersionsNewer: -1, ExcludeDays: -1}},
		"a bound for one":          {`{"transition":"archive","max_images_per_account":5}`, asAdmin, nil, 400, "system_global", engine.ArchiveRule{}},
		"a bound and a selector":   {`{"transition":"archive","system_global":true,"max_images_per_account":5,` + all + `}`, asAdmin, nil, 500, "Error adding rule: ", engine.ArchiveRule{}},
		"a bound below":            {`{"transition":"archive","system_global":true,"max_images_per_account":-5}`, asAdmin, nil, 500, "Error adding rule: ", engine.ArchiveRule{}},
		"a bound of the archive":   {`{"transition":"delete","system_global":true,"max_images_per_account":5}`, asAdmin, nil, 500, "Error adding rule: ", engine.ArchiveRule{}},
		"the second bound":         {`{"transition":"archive","system_global":true,"max_images_per_account":5}`, asAdmin, engine.Conflictf("only one"), 500, "Error adding rule: only one", engine.ArchiveRule{}},
		"no selector":              {`{"transition":"archive"}`, asBob, nil, 500, "Error adding rule: ", engine.ArchiveRule{}},
		"no selector, for all":     {`{"transition":"archive","system_global":true}`, asAdmin, nil, 500, "Error adding rule: ", engine.ArchiveRule{}},
		"half a selector":          {`{"transition":"archive","selector":{"registry":"*","repository":"","tag":"*"}}`, asBob, nil, 500, "Error adding rule: ", engine.ArchiveRule{}},
		"a pattern beyond measure": {`{"transition":"archive","selector":{"registry":"*","repository":"` + strings.Repeat("*", 600) + `","tag":"*"}}`, asBob, nil, 500, "Error adding rule: ", engine.ArchiveRule{}},
		"no transition":            {`{` + all + `}`, asBob, nil, 400, "transition", engine.ArchiveRule{}},
		"odd transition":           {`{"transition":"burn",` + all + `}`, asBob, nil, 400, "transition", engine.ArchiveRule{}},
		"an age in words":          {`{"transition":"archive",` + all + `,"analysis_age_days":"ten"}`, asBob, nil, 400, "analysis_age_days", engine.ArchiveRule{}},
		"nothing":                  {``, asBob, nil, 400, "about:blank", engine.ArchiveRule{}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			var got engine.ArchiveRule
			w := ask(t, fakeArchives{added: &got, err: tc.fails}, "POST", "/archives/rules", tc.body, tc.auth)
			if w.Code != tc.code || !strings.Contains(w.Body.String(), tc.has) {
				t.Fatalf("%d %s\nwant %d with %q", w.Code, w.Body, tc.code, tc.has)
			}
			tc.want.Account = strings.TrimSuffix(tc.auth, ":right")
			if w.Code == 200 && got != tc.want {
				t.Errorf("stored %+v\nwant %+v", got, tc.want)
			}
		})
	}
}

func TestImportArchive(t *testing.T) {
	for what, want := range map[string]struct {
		code int
		has  string
	}{
		"good":    {200, `"analysis_status":"analyzed"`},
		"image":   {200, `"analysis_status":"analyzing"`},
		"there":   {500, "already exists"},
		"damaged": {500, "damaged"},
		"junk":    {409, "cannot be used"},
	} {
		t.Run(what, func(t *testing.T) {
			var b bytes.Buffer
			form := multipart.NewWriter(&b)
			part, err := form.CreateFormFile("archive_file", "x.tar.gz")
			if err != nil {
				t.Fatal(err)
			}
			io.WriteString(part, what)
			form.Close()
			s := New(fakeArchives{}, Options{Log: enginetest.Logger(t)})
			w := askServer(t, s, "POST", "/import/images", b.String(), asBob, http.Header{"Content-Type": {form.FormDataContentType()}})
			if w.Code != want.code || !strings.Contains(w.Body.String(), want.has) {
				t.Errorf("%d %s\nwant %d with %q", w.Code, w.Body, want.code, want.has)
			}
		})
	}
}

func FuzzArchiveRule(f *testing.F) {
	f.Add(`{"transition":"archive","selector":{"registry":"*","repository":"*","tag":"*"},"exclude":{"selector":{"tag":"["}}}`)
	f.Add(`{"transition":"archive","system_global":true,"max_images_per_account":5}`)
	f.Add(`{"transition":"delete","analysis_age_days":1e3,"selector":null}`)
	s := New(fakeArchives{}, Options{})
	f.Fuzz(func(t *testing.T, body string) {
		r, err := http.NewRequest("POST", "http://h/archives/rules", strings.NewReader(body))
		if err != nil {
			t.Skip()
		}
		r.Header.Set("Content-Type", "application/json")
		r.SetBasicAuth("admin", "right")
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		switch w.Code {
		case 200, 400:
		case 500:
			if !strings.Contains(w.Body.String(), "Error adding rule: ") {
				t.Errorf("%q: %s", body, w.Body)
			}
		default:
			t.Errorf("%q: %d %s", body, w.Code, w.Body)
		}
	})
}
