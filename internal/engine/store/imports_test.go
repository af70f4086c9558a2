package store_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/enginetest"
	"windlass/internal/engine/store"
)

func newImport(t *testing.T, s *store.Store, account string) engine.Import {
	t.Helper()
	o, err := s.AddImport(t.Context(), account)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func upload(t *testing.T, s *store.Store, o engine.Import, kind engine.ImportKind, digest, body string) (engine.ImportContent, error) {
	t.Helper()
	return s.AddImportContent(t.Context(), o.Account, o.ID, engine.ImportContent{Kind: kind, Digest: digest}, []byte(body))
}

func TestImportContents(t *testing.T) {
	s := enginetest.Store(t)
	o := newImport(t, s, "admin")
	first, err := upload(t, s, o, engine.ImportPackages, "d1", "{}")
	if err != nil {
		t.Fatal(err)
	}
	again, err := upload(t, s, o, engine.ImportPackages, "d1", "{}")
	if err != nil || !again.CreatedAt.Equal(first.CreatedAt) {
		t.Errorf("the same bytes again: %+v, %v; want %+v", again, err, first)
	}
	if _, err := upload(t, s, engine.Import{ID: o.ID, Account: "bob"}, engine.ImportPackages, "d2", "{}"); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("another account uploads: %v", err)
	}
	for n := 1; n < engine.MaxImportContents; n++ {
		if _, err := upload(t, s, o, engine.ImportManifest, strings.Repeat("x", n), "{}"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := upload(t, s, o, engine.ImportManifest, "one more", "{}"); !errors.Is(err, engine.ErrInvalid) {
		t.Errorf("one upload too many: %v", err)
	}
	list, err := s.ImportContents(t.Context(), "admin", o.ID, engine.ImportPackages)
	if err != nil || len(list) != 1 || list[0].Digest != "d1" {
		t.Errorf("%+v, %v", list, err)
	}
	if list, err := s.ImportContents(t.Context(), "bob", o.ID, engine.ImportPackages); err != nil || len(list) != 0 {
		t.Errorf("another account lists %+v, %v", list, err)
	}
	if got, err := s.InvalidateImport(t.Context(), "admin", o.ID); err != nil || got.Status != engine.ImportInvalidated {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := upload(t, s, o, engine.ImportPackages, "late", "{}"); !errors.Is(err, engine.ErrConflict) {
		t.Errorf("an upload after the end: %v", err)
	}
}

func TestFinishImport(t *testing.T) {
	s := enginetest.Store(t)
	digest := engine.Digest("sha256:" + strings.Repeat("1", 64))
	finish := func(o engine.Import, force bool, tag string, contents map[engine.ImportKind]string) error {
		return s.FinishImport(t.Context(), engine.FinishImport{
			Account: o.Account, Import: o.ID, Digest: digest, ParentDigest: digest, ImageID: "id", Contents: contents, Force: force,
			Tags: []engine.ImageTag{{Registry: "docker.io", Repository: "a", Tag: tag}}, Annotations: map[string]any{"by": tag},
		}, engine.Source{})
	}
	ready := func() (engine.Import, map[engine.ImportKind]string) {
		o := newImport(t, s, "admin")
		if _, err := upload(t, s, o, engine.ImportPackages, "p", "{}"); err != nil {
			t.Fatal(err)
		}
		return o, map[engine.ImportKind]string{engine.ImportPackages: "p"}
	}
	o, contents := ready()
	var f *engine.Fault
	if err := finish(o, false, "1", map[engine.ImportKind]string{engine.ImportManifest: "nope"}); !errors.As(err, &f) || f.Detail["digest"] != "nope" {
		t.Errorf("what was not uploaded: %v", err)
	}
	if err := finish(engine.Import{ID: o.ID, Account: "bob"}, false, "1", contents); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("another account: %v", err)
	}
	if err := finish(o, false, "1", contents); err != nil {
		t.Fatal(err)
	}
	if err := finish(o, false, "1", contents); !errors.Is(err, engine.ErrConflict) {
		t.Errorf("finished twice: %v", err)
	}
	got, err := s.Import(t.Context(), "admin", o.ID)
	if err != nil || got.Status != engine.ImportProcessing || got.Digest != string(digest) {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := s.InvalidateImport(t.Context(), "admin", o.ID); err != nil || got.Status != engine.ImportProcessing {
		t.Errorf("one in work was given up: %+v, %v", got, err)
	}
	j, ok, err := s.LeaseJob(t.Context(), engine.QueueAnalyze, "h", "h/1", time.Minute)
	if err != nil || !ok || !strings.Contains(string(j.Payload), o.ID) {
		t.Fatalf("job %+v, %v", j, err)
	}
	if _, _, err := s.BeginAnalysis(t.Context(), j, "h"); err != nil {
		t.Fatal(err)
	}
	if err := s.SaveAnalysis(t.Context(), j, engine.Analysis{SBOM: []byte("{}"), Manifest: []byte("{}")}, nil, "", engine.Source{}); err != nil {
		t.Fatal(err)
	}
	if got, _ := s.Import(t.Context(), "admin", o.ID); got.Status != engine.ImportComplete {
		t.Errorf("after the analysis it is %s", got.Status)
	}

	// Again without force: what is analyzed stays, tags and annotations come.
	o2, contents := ready()
	if err := finish(o2, false, "2", contents); err != nil {
		t.Fatal(err)
	}
	i, err := s.Image(t.Context(), "admin", string(digest))
	if err != nil || i.State != engine.Analyzed || len(i.Tags) != 2 || i.Annotations["by"] != "2" || i.Annotations[engine.AnnotationImport] != o2.ID {
		t.Errorf("%+v, %v", i, err)
	}
	// With force it is analyzed again.
	o3, contents := ready()
	if err := finish(o3, true, "2", contents); err != nil {
		t.Fatal(err)
	}
	if i, _ := s.Image(t.Context(), "admin", string(digest)); i.State != engine.NotAnalyzed {
		t.Errorf("forced, it is %s", i.State)
	}
}

func TestImportsAreCollected(t *testing.T) {
	s := enginetest.Store(t)
	ctx := t.Context()
	late, open, given, lost := newImport(t, s, "admin"), newImport(t, s, "admin"), newImport(t, s, "admin"), newImport(t, s, "admin")
	if _, err := upload(t, s, late, engine.ImportPackages, "p", "{}"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Pool().Exec(ctx, `UPDATE import_operations SET expires_at = now() - interval '1 second' WHERE uuid = $1`, late.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Pool().Exec(ctx, `UPDATE import_operations SET status = 'processing', digest = 'gone' WHERE uuid = $1`, lost.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := s.InvalidateImport(ctx, "admin", given.ID); err != nil {
		t.Fatal(err)
	}
	if n, err := s.CollectImports(ctx, time.Hour, 10); err != nil || n != 0 {
		t.Errorf("collected %d at once, %v", n, err)
	}
	for id, want := range map[string]engine.ImportStatus{late.ID: engine.ImportExpired, open.ID: engine.ImportPending, given.ID: engine.ImportInvalidated, lost.ID: engine.ImportFailed} {
		if o, err := s.Import(ctx, "admin", id); err != nil || o.Status != want {
			t.Errorf("%+v, %v; want %s", o, err, want)
		}
	}
	if n, err := s.CollectImports(ctx, 0, 10); err != nil || n != 3 {
		t.Errorf("collected %d, %v", n, err)
	}
	var left int
	if err := s.Pool().QueryRow(ctx, `SELECT count(*) FROM import_contents`).Scan(&left); err != nil || left != 0 {
		t.Errorf("%d contents are left, %v", left, err)
	}
	n := 0
	for _, err := range s.Imports(ctx, "admin") {
		if n++; err != nil {
			t.Fatal(err)
		}
	}
	if n != 1 {
		t.Errorf("%d imports are left, want the open one", n)
	}
}
