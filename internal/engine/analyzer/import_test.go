package analyzer_test

import (
	"context"
	"strings"
	"testing"

	"windlass/internal/engine"
	"windlass/internal/engine/enginetest"
)

// imported uploads what an import needs and makes an image of it, as the API
// does.
func (b *bench) imported(t testing.TB, sbom []byte, dockerfile string) (engine.Import, engine.Digest) {
	t.Helper()
	ctx := t.Context()
	o, err := b.store.AddImport(ctx, "admin")
	if err != nil {
		t.Fatal(err)
	}
	f := engine.FinishImport{
		Account: "admin", Import: o.ID, Digest: engine.Digest("sha256:" + strings.Repeat("1", 64)), ParentDigest: engine.Digest("sha256:" + strings.Repeat("1", 64)),
		ImageID: strings.Repeat("2", 64), Contents: map[engine.ImportKind]string{},
		Tags: []engine.ImageTag{{Registry: "docker.io", Repository: "team/app", Tag: "1"}, {Registry: "docker.io", Repository: "team/app", Tag: "2"}},
	}
	for kind, body := range map[engine.ImportKind]string{
		engine.ImportPackages: string(sbom), engine.ImportManifest: enginetest.ImportManifest, engine.ImportImageConfig: enginetest.ImportConfig, engine.ImportDockerfile: dockerfile,
	} {
		if body == "" {
			continue
		}
		if _, err := b.store.AddImportContent(ctx, "admin", o.ID, engine.ImportContent{Kind: kind, Digest: string(kind)}, []byte(body)); err != nil {
			t.Fatal(err)
		}
		f.Contents[kind] = string(kind)
	}
	if err := b.store.FinishImport(ctx, f, engine.Source{}); err != nil {
		t.Fatal(err)
	}
	return o, f.Digest
}

func (b *bench) importStatus(t testing.TB, id string) engine.ImportStatus {
	t.Helper()
	o, err := b.store.Import(t.Context(), "admin", id)
	if err != nil {
		t.Fatal(err)
	}
	return o.Status
}

func TestWorkerStoresAnImport(t *testing.T) {
	b := newBench(t)
	b.worker.Imports = b.store
	o, d := b.imported(t, enginetest.OldSBOM(map[string]string{"musl": "1.1.24-r2", "busybox": "1.31.1-r9"}), `"FROM scratch\nCOPY . /\n"`)
	if got := b.importStatus(t, o.ID); got != engine.ImportProcessing {
		t.Fatalf("the import is %s", got)
	}
	if err := b.worker.Handle(t.Context(), b.lease(t)); err != nil {
		t.Fatal(err)
	}
	i := b.image(t, d)
	if i.State != engine.Analyzed || i.Packages != 2 || i.Source != engine.FromImport || i.Annotations[engine.AnnotationImport] != o.ID || len(i.Tags) != 2 {
		t.Fatalf("image = %+v", i)
	}
	if *i.Meta != (engine.ImageMeta{Arch: "amd64", Distro: "alpine", DistroVersion: "3.11.5", DockerfileMode: "Actual", Size: 1234, LayerCount: 2}) {
		t.Errorf("meta = %+v", i.Meta)
	}
	text, err := b.store.Document(t.Context(), "admin", engine.DocDockerfile, string(d))
	if err != nil || string(text) != "FROM scratch\nCOPY . /\n" {
		t.Errorf("dockerfile %q, %v", text, err)
	}
	history, err := b.store.Document(t.Context(), "admin", engine.DocHistory, string(d))
	if err != nil || strings.Count(string(history), `"Id"`) != 3 || !strings.Contains(string(history), `"Size":234`) {
		t.Errorf("history %s, %v", history, err)
	}
	if got := b.importStatus(t, o.ID); got != engine.ImportComplete {
		t.Errorf("the import is %s", got)
	}
	if got := b.events(t); len(got) != 2 {
		t.Errorf("events = %q, want one a tag", got)
	}

	// Its uploads are collected; the image can be analyzed again nevertheless.
	if n, err := b.store.CollectImports(t.Context(), 0, 10); err != nil || n != 1 {
		t.Fatalf("collected %d, %v", n, err)
	}
	if err := b.store.RequeueImage(t.Context(), "admin", string(d)); err != nil {
		t.Fatal(err)
	}
	if err := b.worker.Handle(t.Context(), b.lease(t)); err != nil {
		t.Fatal(err)
	}
	if i := b.image(t, d); i.State != engine.Analyzed || i.Packages != 2 || i.Meta.DockerfileMode != "Actual" {
		t.Errorf("again: %+v, %+v", i, i.Meta)
	}
}

func TestFailedImport(t *testing.T) {
	b := newBench(t)
	b.worker.Imports = b.store
	b.worker.Matcher = matcherFunc(func(context.Context, []byte) ([]engine.Match, string, error) { panic("not reached") })
	o, d := b.imported(t, []byte(`{"artifacts":7}`), "")
	if err := b.worker.Handle(t.Context(), b.lease(t)); err != nil {
		t.Fatal(err)
	}
	i := b.image(t, d)
	if i.State != engine.Failed || i.Failure == nil || i.Failure.Cause != "import_invalid" || i.Failure.Stage != engine.StageSBOM {
		t.Fatalf("image = %+v, %+v", i, i.Failure)
	}
	if got := b.importStatus(t, o.ID); got != engine.ImportFailed {
		t.Errorf("the import is %s", got)
	}
	if n, err := b.store.CollectImports(t.Context(), 0, 10); err != nil || n != 1 {
		t.Fatalf("collected %d, %v", n, err)
	}
	if err := b.store.RequeueImage(t.Context(), "admin", string(d)); err != nil {
		t.Fatal(err)
	}
	if err := b.worker.Handle(t.Context(), b.lease(t)); err != nil {
		t.Fatal(err)
	}
	if i := b.image(t, d); i.State != engine.Failed || !strings.Contains(i.Failure.Message, "Import it again") {
		t.Errorf("without its uploads: %+v", i.Failure)
	}
}
