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

func TestFilePage(t *testing.T) {
	s := enginetest.Store(t)
	ctx := t.Context()
	digest := digestOf(1)
	analyze := func(files ...engine.File) {
		t.Helper()
		_, err := s.PutImage(ctx, store.NewImage{
			Account: "admin", Digest: digest, ParentDigest: digest, ID: string(digest)[7:], Force: true,
			Tag:  engine.ImageTag{Registry: "docker.io", Repository: "a", Tag: "1"},
			Task: engine.AnalyzeTask{Source: engine.FromRegistry},
		})
		if err != nil {
			t.Fatal(err)
		}
		j, ok, err := s.LeaseJob(ctx, engine.QueueAnalyze, "h", "h/1", time.Minute)
		if err != nil || !ok {
			t.Fatal(ok, err)
		}
		if _, ok, err := s.BeginAnalysis(ctx, j, "h"); err != nil || !ok {
			t.Fatal(ok, err)
		}
		a := engine.Analysis{
			SBOM:     []byte(`{"artifacts":[{"id":"k","name":"tool","version":"2","type":"deb","metadata":{"files":[{"path":"/bin/tool"}]}}]}`),
			Manifest: []byte("{}"), Files: files,
		}
		if err := s.SaveAnalysis(ctx, j, a, nil, "", engine.Source{}); err != nil {
			t.Fatal(err)
		}
	}
	shown := func(account string, q engine.FileQuery) (string, error) {
		page, err := s.FilePage(ctx, account, string(digest), q)
		var list []string
		for _, e := range page.Entries {
			list = append(list, strings.TrimSpace(e.Path+" "+e.Owner.Name))
		}
		return strings.Join(list, ", "), err
	}
	want := func(q engine.FileQuery, text string) {
		t.Helper()
		if got, err := shown("admin", q); got != text || err != nil {
			t.Errorf("%+v: %q, %v, want %q", q, got, err, text)
		}
	}
	if _, err := shown("admin", engine.FileQuery{}); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("an image that there is not: %v", err)
	}
	analyze(engine.File{Path: "/etc/x", Type: "file"}, engine.File{Path: "/bin/tool", Type: "file"})
	want(engine.FileQuery{}, "/bin/tool tool, /etc/x")
	want(engine.FileQuery{Browse: true, Folder: "/etc"}, "/etc/x")
	want(engine.FileQuery{Owner: "k"}, "/bin/tool tool")
	if _, err := shown("other", engine.FileQuery{}); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("another account: %v", err)
	}
	// One from before there were listings gets its own when it is looked at.
	exec(t, s, `DELETE FROM documents WHERE bucket = 'file_listing'`)
	want(engine.FileQuery{}, "/bin/tool tool, /etc/x")
	want(engine.FileQuery{Text: "etc"}, "/etc/x")
	analyze(engine.File{Path: "/new", Type: "file"})
	want(engine.FileQuery{}, "/new")
}
