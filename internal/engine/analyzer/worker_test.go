package analyzer_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/analyzer"
	"windlass/internal/engine/enginetest"
	"windlass/internal/engine/registry"
	"windlass/internal/engine/store"
)

// bench is a worker over a real store and an in-process registry.
type bench struct {
	store  *store.Store
	reg    *enginetest.TestRegistry
	worker *analyzer.Worker
	spool  string
}

type matcherFunc func(context.Context, []byte) ([]engine.Match, string, error)

func (f matcherFunc) MatchJSON(ctx context.Context, doc []byte) ([]engine.Match, string, error) {
	return f(ctx, doc)
}

func newBench(t testing.TB) *bench {
	t.Helper()
	return benchWorker(t, enginetest.Registry(t))
}

func benchWorker(t testing.TB, reg *enginetest.TestRegistry) *bench {
	t.Helper()
	s := enginetest.Store(t) // before the spool: the database server must not start in its folder
	t.Setenv("TMPDIR", os.TempDir())
	dir := t.TempDir()
	spool, err := analyzer.OpenSpool(dir)
	if err != nil {
		t.Fatal(err)
	}
	return &bench{store: s, reg: reg, spool: dir, worker: &analyzer.Worker{
		Store: s, Registry: registry.New(registry.Options{}), Spool: spool, Host: "here",
		Credentials: func(context.Context, string) ([]engine.Registry, error) { return nil, nil },
		Source:      engine.Source{Service: engine.Analyzer, Host: "here"}, Log: enginetest.Logger(t),
	}}
}

// jobs is what stands in the folder of analyses in hand.
func (b *bench) jobs(t testing.TB) []os.DirEntry {
	t.Helper()
	list, err := os.ReadDir(filepath.Join(b.spool, "jobs"))
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// add records an image of the registry as POST /images does.
func (b *bench) add(t testing.TB, full string) engine.Digest {
	t.Helper()
	ref, err := registry.ParseReference(full)
	if err != nil {
		t.Fatal(err)
	}
	r, err := registry.New(registry.Options{}).Resolve(t.Context(), ref, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = b.store.PutImage(t.Context(), store.NewImage{
		Account: "admin", Digest: r.Digest, ParentDigest: r.ParentDigest, ID: r.ImageID, Manifest: r.Manifest,
		Tag:  engine.ImageTag{Registry: ref.Registry, Repository: ref.Repository, Tag: ref.Tag, Digest: r.Digest},
		Task: engine.AnalyzeTask{Source: engine.FromRegistry, Pull: ref.Registry + "/" + ref.Repository + "@" + string(r.Digest)},
	})
	if err != nil {
		t.Fatal(err)
	}
	return r.Digest
}

func (b *bench) lease(t testing.TB) engine.Job {
	t.Helper()
	j, ok, err := b.store.LeaseJob(t.Context(), engine.QueueAnalyze, "here", "here/1", time.Minute)
	if err != nil || !ok {
		t.Fatalf("lease = %v, %v", ok, err)
	}
	return j
}

func (b *bench) image(t testing.TB, d engine.Digest) engine.Image {
	t.Helper()
	i, err := b.store.Image(t.Context(), "admin", string(d))
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func (b *bench) events(t testing.TB) []string {
	t.Helper()
	rows, err := b.store.Pool().Query(t.Context(), `SELECT type || ' ' || resource_id FROM events ORDER BY seq`)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			t.Fatal(err)
		}
		list = append(list, s)
	}
	return list
}

func TestWorkerStoresAnAnalysis(t *testing.T) {
	b := newBench(t)
	b.worker.Matcher = matcherFunc(func(_ context.Context, doc []byte) ([]engine.Match, string, error) {
		var s struct {
			Artifacts []struct{ ID, Name, Version string }
		}
		if err := json.Unmarshal(doc, &s); err != nil {
			return nil, "", err
		}
		p := s.Artifacts[0]
		return []engine.Match{{PackageKey: p.ID, Package: p.Name, Version: p.Version, Vuln: "CVE-1", Severity: "High", Namespace: "debian:12"}}, "data1", nil
	})
	full := b.reg.Push(t, "demo/deb:1", enginetest.DebianLike(t, map[string]string{"openssl": "3.0.11", "zlib1g": "1.2"}))
	d := b.add(t, full)
	if err := b.worker.Handle(t.Context(), b.lease(t)); err != nil {
		t.Fatal(err)
	}
	i := b.image(t, d)
	if i.State != engine.Analyzed || i.AnalyzedAt.IsZero() || i.Packages != 2 || i.Severities.High != 1 || i.MatchedWith != "data1" || i.Meta == nil || i.Meta.Distro != "debian" {
		t.Errorf("image = %+v, meta %+v", i, i.Meta)
	}
	if i.Run.Took <= 0 || i.Run.Peak < 20e6 {
		t.Errorf("it took %+v", i.Run)
	}
	if i.Meta.DockerfileMode != "Guessed" || i.Tags[0].Dockerfile == "" {
		t.Errorf("dockerfile %s %q", i.Meta.DockerfileMode, i.Tags[0].Dockerfile)
	}
	if got := b.events(t); len(got) != 1 || got[0] != "user.image.analysis.completed "+full {
		t.Errorf("events = %q", got)
	}
	doc, err := b.store.Document(t.Context(), "admin", engine.DocSBOM, string(d))
	if err != nil || !json.Valid(doc) {
		t.Errorf("sbom: %v", err)
	}
	files, err := b.store.Files(t.Context(), "admin", string(d))
	if err != nil || len(files) != 2 {
		t.Errorf("files = %v, %v", files, err)
	}
	if _, ok, err := b.store.LeaseJob(t.Context(), engine.QueueAnalyze, "here", "here/1", time.Minute); ok || err != nil {
		t.Errorf("a job is left: %v", err)
	}

	// Once more: the guess of the first time is not taken for a submission.
	if err := b.store.RequeueImage(t.Context(), "admin", string(d)); err != nil {
		t.Fatal(err)
	}
	if err := b.worker.Handle(t.Context(), b.lease(t)); err != nil {
		t.Fatal(err)
	}
	if i := b.image(t, d); i.State != engine.Analyzed || i.Meta.DockerfileMode != "Guessed" {
		t.Errorf("image = %+v", i)
	}
}

func TestWorkerKeepsWhyItFailed(t *testing.T) {
	b := newBench(t)
	full := b.reg.Push(t, "demo/bad:1", enginetest.Append(t, enginetest.Image(t), []byte(strings.Repeat("no tar ", 200))))
	d := b.add(t, full)
	if err := b.worker.Handle(t.Context(), b.lease(t)); err != nil {
		t.Fatal(err)
	}
	i := b.image(t, d)
	if i.State != engine.Failed || i.Failure == nil || i.Failure.Cause != engine.CauseLayerInvalid || i.Failure.Stage != engine.StageSBOM || len(i.Failure.Log) == 0 || i.Failure.Attempt != 1 {
		t.Errorf("image = %+v, failure %+v", i, i.Failure)
	}
	want := []string{"user.image.analysis.failed " + full, "system.image_analysis.failed " + string(d)}
	if got := b.events(t); len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("events = %q, want %q", got, want)
	}
}

func TestWorkerTriesAgainWhatCanPass(t *testing.T) {
	b := newBench(t)
	d := b.add(t, b.reg.Push(t, "demo/x:1", enginetest.DebianLike(t, map[string]string{"a": "1"})))
	b.worker.Registry = unreachable{registry.New(registry.Options{})}
	j := b.lease(t)
	if err := b.worker.Handle(t.Context(), j); err != nil {
		t.Fatal(err)
	}
	if i := b.image(t, d); i.State != engine.NotAnalyzed || i.Failure == nil || i.Failure.Attempt != 1 { // the reason is shown while it waits
		t.Errorf("after the first attempt: %+v", i)
	}
	at, err := b.store.NextJobAt(t.Context(), engine.QueueAnalyze, "here")
	if err != nil || time.Until(at) < time.Second {
		t.Errorf("next try at %s, %v", at, err)
	}
	// The last attempt fails for good.
	if _, err := b.store.Pool().Exec(t.Context(), `UPDATE jobs SET available_at = now(), attempt = max_attempts - 1`); err != nil {
		t.Fatal(err)
	}
	if err := b.worker.Handle(t.Context(), b.lease(t)); err != nil {
		t.Fatal(err)
	}
	if i := b.image(t, d); i.State != engine.Failed || i.Failure.Cause != engine.CauseRegistryUnreachable {
		t.Errorf("after the last attempt: %+v", i)
	}
}

type unreachable struct{ *registry.Client }

func (u unreachable) Resolve(ctx context.Context, ref registry.Reference, creds []engine.Registry) (registry.Resolved, error) {
	ref.Registry = "127.0.0.1:1" // nobody listens there
	return u.Client.Resolve(ctx, ref, creds)
}

func TestWorkerSurvivesAPanic(t *testing.T) {
	b := newBench(t)
	b.worker.Matcher = matcherFunc(func(context.Context, []byte) ([]engine.Match, string, error) { panic("boom") })
	d := b.add(t, b.reg.Push(t, "demo/x:1", enginetest.DebianLike(t, map[string]string{"a": "1"})))
	if err := b.worker.Handle(t.Context(), b.lease(t)); err != nil {
		t.Fatal(err)
	}
	if i := b.image(t, d); i.State != engine.Failed || i.Failure.Cause != "internal" {
		t.Errorf("image = %+v, failure %+v", i, i.Failure)
	}
}

func TestWorkerDropsWhatIsNotToBeDone(t *testing.T) {
	b := newBench(t)
	d := b.add(t, b.reg.Push(t, "demo/x:1", enginetest.DebianLike(t, map[string]string{"a": "1"})))
	j := b.lease(t)
	if err := b.store.CancelImage(t.Context(), "admin", string(d), "me"); err != nil {
		t.Fatal(err)
	}
	if err := b.worker.Handle(t.Context(), j); !errors.Is(err, engine.ErrLeaseLost) {
		t.Errorf("Handle of a cancelled job = %v, want ErrLeaseLost", err)
	}
	if i := b.image(t, d); i.State != engine.Failed || i.Failure.Cause != "cancelled" {
		t.Errorf("image = %+v", i)
	}
}

func TestWorkerThatLostItsLeaseChangesNothing(t *testing.T) {
	b := newBench(t)
	d := b.add(t, b.reg.Push(t, "demo/x:1", enginetest.DebianLike(t, map[string]string{"a": "1"})))
	j := b.lease(t)
	b.worker.Matcher = matcherFunc(func(ctx context.Context, _ []byte) ([]engine.Match, string, error) {
		// Meanwhile somebody asks for the image to be analyzed anew.
		return nil, "", b.store.RequeueImage(ctx, "admin", string(d))
	})
	if err := b.worker.Handle(t.Context(), j); !errors.Is(err, engine.ErrLeaseLost) {
		t.Errorf("Handle = %v, want ErrLeaseLost", err)
	}
	if i := b.image(t, d); i.State != engine.NotAnalyzed || i.Packages != 0 {
		t.Errorf("image = %+v", i)
	}
}

func TestWorkerThatStopsGivesTheImageBack(t *testing.T) {
	b := newBench(t)
	d := b.add(t, b.reg.Push(t, "demo/x:1", enginetest.DebianLike(t, map[string]string{"a": "1"})))
	ctx, stop := context.WithCancel(t.Context())
	b.worker.Matcher = matcherFunc(func(ctx context.Context, _ []byte) ([]engine.Match, string, error) {
		stop()
		return nil, "", ctx.Err()
	})
	if err := b.worker.Handle(ctx, b.lease(t)); !errors.Is(err, context.Canceled) {
		t.Errorf("Handle = %v, want cancelled", err)
	}
	if i := b.image(t, d); i.State != engine.NotAnalyzed {
		t.Errorf("image = %+v", i)
	}
}
