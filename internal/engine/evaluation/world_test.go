package evaluation

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/bundles"
	"windlass/internal/engine/enginetest"
	"windlass/internal/engine/store"
)

// world is a store with accounts one and two, which have the default bundle,
// and an evaluator whose clock stands.
type world struct {
	*testing.T
	s     *store.Store
	e     *Evaluator
	meter meter
	now   time.Time
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, s: enginetest.Store(t), now: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)}
	set, err := bundles.First("")
	if err != nil {
		t.Fatal(err)
	}
	w.s.SetPolicies(set)
	for _, name := range []string{"one", "two"} {
		if _, err := w.s.AddAccount(t.Context(), engine.Account{Name: name, Type: engine.AccountUser}); err != nil {
			t.Fatal(err)
		}
	}
	w.e = New(w.s, &w.meter, engine.Source{Service: engine.PolicyEngine, Host: "h"}, enginetest.Logger(t))
	w.e.now = func() time.Time { return w.now }
	return w
}

func (w *world) exec(q string, args ...any) {
	w.Helper()
	if _, err := w.s.Pool().Exec(w.Context(), q, args...); err != nil {
		w.Fatal(err)
	}
}

// analyzed adds an image to an account and stores an analysis of it.
func (w *world) analyzed(account string, n int, matches ...engine.Match) engine.Image {
	w.Helper()
	digest := digestOf(n)
	dockerfile := base64.StdEncoding.EncodeToString([]byte("FROM scratch\nEXPOSE 22/tcp 80\n"))
	_, err := w.s.PutImage(w.Context(), store.NewImage{
		Account: account, Digest: digest, ParentDigest: digest, ID: string(digest)[7:], Dockerfile: dockerfile,
		Tag:  engine.ImageTag{Registry: "docker.io", Repository: "library/app", Tag: "v1"},
		Task: engine.AnalyzeTask{Source: engine.FromRegistry},
	})
	if err != nil {
		w.Fatal(err)
	}
	j, ok, err := w.s.LeaseJob(w.Context(), engine.QueueAnalyze, "h", "h/1", time.Minute)
	if err != nil || !ok {
		w.Fatal(ok, err)
	}
	if _, ok, err := w.s.BeginAnalysis(w.Context(), j, "h"); err != nil || !ok {
		w.Fatal(ok, err)
	}
	a := engine.Analysis{
		Meta:     engine.ImageMeta{Arch: "amd64", Distro: "debian", DistroVersion: "12", DockerfileMode: "Guessed", Size: 4096, LayerCount: 2},
		Packages: []engine.Package{{Key: "k1", Name: "libssl3", Version: "3.0.1", Type: "dpkg", Class: "os", Path: "pkgdb", Licenses: []string{"Apache-2.0"}}},
		Files:    []engine.File{{Path: "/bin/su", Mode: "04755", Size: 9, Type: "file"}, {Path: "/etc/passwd", Mode: "00644", Type: "file"}},
		SBOM: []byte(`{"distro":{"id":"debian","idLike":["gnu"]},"artifacts":[{"name":"libssl3","type":"deb","metadata":{"files":[
			{"path":"/usr/lib/gone.so","digest":{"algorithm":"md5","value":"00"},"isConfigFile":false}]}}]}`),
		Documents: map[string][]byte{
			engine.DocConfig:  []byte(`{"os":"linux","architecture":"amd64"}`),
			"retrieved_files": []byte(`[{"path":"/etc/passwd","b64_content":"cm9vdDp4OjA6MDpyb290Oi9yb290Oi9iaW4vc2gK"}]`),
			"secret_search":   []byte(`[{"path":"/app/key","matches":[{"name":"PRIV_KEY","regex":"-+BEGIN","lines":[0]}]}]`),
		},
	}
	if err := w.s.SaveAnalysis(w.Context(), j, a, matches, "data1", engine.Source{}); err != nil {
		w.Fatal(err)
	}
	img, err := w.s.Image(w.Context(), account, string(digest))
	if err != nil {
		w.Fatal(err)
	}
	return img
}

func critical() engine.Match {
	return engine.Match{
		PackageKey: "k1", Package: "libssl3", Version: "3.0.1", PackageType: "dpkg", Path: "pkgdb", Vuln: "CVE-2026-1", Severity: "Critical",
		Fixes: []string{"3.0.2"}, URL: "https://example.org/CVE-2026-1", Namespace: "debian:distro:debian:12", Feed: "vulnerabilities", Group: "debian:12",
	}
}

func (w *world) check(q Request) engine.Evaluation {
	w.Helper()
	if q.Tag == "" {
		q.Tag = tag
	}
	e, err := w.e.Check(w.Context(), q)
	if err != nil {
		w.Fatal(err)
	}
	return e
}

// add stores a bundle of one policy with the given rules, as JSON, for all
// images; with on, it is made the active one.
func (w *world) add(account, id, rules string, on bool) engine.PolicyBundle {
	w.Helper()
	doc := `{"id":"` + id + `","version":"1_0","name":"` + id + `","policies":[{"id":"p","version":"1_0","rules":[` + rules + `]}],"whitelists":[],
		"mappings":[{"name":"m","registry":"*","repository":"*","image":{"type":"tag","value":"*"},"policy_ids":["p"],"whitelist_ids":[]}]}`
	b, err := bundles.Read(account, []byte(doc))
	if err != nil {
		w.Fatal(err)
	}
	if b, err = w.s.PutPolicy(w.Context(), b); err != nil {
		w.Fatal(err)
	}
	if b.Active = on; on {
		if b, err = w.s.UpdatePolicy(w.Context(), b, engine.Source{}); err != nil {
			w.Fatal(err)
		}
	}
	return b
}

const (
	ruleAlwaysStop = `{"id":"r","gate":"always","trigger":"always","action":"STOP","params":[]}`
	ruleAlwaysWarn = `{"id":"r","gate":"always","trigger":"always","action":"warn","params":[]}`
	ruleCritical   = `{"gate":"vulnerabilities","trigger":"package","action":"STOP","params":[{"name":"package_type","value":"all"},{"name":"severity","value":"high"},{"name":"severity_comparison","value":">="}]}`
)

// history lists the actions that are stored, newest first.
func (w *world) history(account, policy string, n int) string {
	w.Helper()
	var list []string
	err := w.s.EachEvaluation(w.Context(), account, policy, string(digestOf(n)), tag, func(e engine.Evaluation) error {
		if e.Bundle == nil {
			w.Error("an evaluation without its bundle")
		}
		list = append(list, e.Action)
		return nil
	})
	if err != nil {
		w.Fatal(err)
	}
	return strings.Join(list, " ")
}

func (w *world) events(account string) []engine.Event {
	w.Helper()
	l, err := w.s.Events(w.Context(), account, engine.EventFilter{Type: engine.EvPolicyEvalUpdate}, engine.EventPage{Limit: 100, Oldest: true})
	if err != nil {
		w.Fatal(err)
	}
	return l.Events
}
