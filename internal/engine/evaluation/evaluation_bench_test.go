package evaluation

import (
	"bytes"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/bundles"
	"windlass/internal/engine/enginetest"
	"windlass/internal/engine/policy"
	"windlass/internal/engine/store"
)

// BenchmarkCheck asks bundles about a large image: 100,000 files, 3,000
// packages, 3,000 matches. What is kept is left out but in the last case.
func BenchmarkCheck(b *testing.B) {
	s := enginetest.Store(b)
	set, err := bundles.First("")
	if err != nil {
		b.Fatal(err)
	}
	s.SetPolicies(set)
	if _, err := s.AddAccount(b.Context(), engine.Account{Name: "one", Type: engine.AccountUser}); err != nil {
		b.Fatal(err)
	}
	img := large(b, s)
	const files = `{"id":"files","version":"1_0","policies":[{"id":"p","version":"1_0","rules":[
		{"gate":"files","trigger":"suid_or_guid_set","action":"STOP","params":[]},
		{"gate":"files","trigger":"name_match","action":"STOP","params":[{"name":"regex","value":".*\\.pem$"}]}]}],
		"mappings":[{"name":"m","registry":"*","repository":"*","image":{"type":"tag","value":"*"},"policy_ids":["p"],"whitelist_ids":[]}]}`
	bundle, err := bundles.Read("one", []byte(files))
	if err != nil {
		b.Fatal(err)
	}
	if _, err := s.PutPolicy(b.Context(), bundle); err != nil {
		b.Fatal(err)
	}
	e := New(s, nil, engine.Source{}, enginetest.Logger(b))
	for _, bc := range []struct {
		name string
		q    Request
	}{
		{"default bundle", Request{Image: img, Tag: tag, Interactive: true}},
		{"files", Request{Image: img, Tag: tag, Policy: "files", Interactive: true}},
		{"default bundle, stored", Request{Image: img, Tag: tag}},
	} {
		b.Run(bc.name, func(b *testing.B) {
			b.ReportAllocs()
			for range b.N {
				if _, err := s.Pool().Exec(b.Context(), `UPDATE images SET matched_at = clock_timestamp()`); err != nil {
					b.Fatal(err)
				}
				if _, err := e.Check(b.Context(), bc.q); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("default bundle, kept", func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			if _, err := e.Check(b.Context(), Request{Image: img, Tag: tag, Interactive: true}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func large(b *testing.B, s *store.Store) engine.Image {
	b.Helper()
	digest := digestOf(1)
	_, err := s.PutImage(b.Context(), store.NewImage{
		Account: "one", Digest: digest, ParentDigest: digest, ID: string(digest)[7:],
		Tag: engine.ImageTag{Registry: "docker.io", Repository: "library/app", Tag: "v1"}, Task: engine.AnalyzeTask{Source: engine.FromRegistry},
	})
	if err != nil {
		b.Fatal(err)
	}
	j, _, err := s.LeaseJob(b.Context(), engine.QueueAnalyze, "h", "h/1", time.Minute)
	if err != nil {
		b.Fatal(err)
	}
	if _, _, err := s.BeginAnalysis(b.Context(), j, "h"); err != nil {
		b.Fatal(err)
	}
	a := engine.Analysis{Meta: engine.ImageMeta{Distro: "debian", DistroVersion: "12", DockerfileMode: "Guessed"}, SBOM: []byte(`{}`), Dockerfile: "FROM scratch\n"}
	for n := range 100_000 {
		a.Files = append(a.Files, engine.File{
			Path: fmt.Sprintf("/usr/lib/x86_64-linux-gnu/dir%d/file-%06d.so", n%500, n), Mode: "00644", Size: int64(n), Type: "file",
			SHA256: fmt.Sprintf("%064x", n),
		})
	}
	var matches []engine.Match
	for n := range 3_000 {
		key := fmt.Sprintf("k%d", n)
		a.Packages = append(a.Packages, engine.Package{Key: key, Name: "lib" + key, Version: "1.2.3-4", Type: "dpkg", Class: "os", Path: "pkgdb"})
		m := critical()
		m.PackageKey, m.Package, m.Vuln = key, "lib"+key, fmt.Sprintf("CVE-2026-%d", n)
		m.Severity = engine.SeverityNames[n%6]
		matches = append(matches, m)
	}
	if err := s.SaveAnalysis(b.Context(), j, a, matches, "data1", engine.Source{}); err != nil {
		b.Fatal(err)
	}
	img, err := s.Image(b.Context(), "one", string(digest))
	if err != nil {
		b.Fatal(err)
	}
	return img
}

// BenchmarkReevaluation walks over images of a usual size, 400 packages and 200
// matches each, by another bundle.
func BenchmarkReevaluation(b *testing.B) {
	const n = 300
	s := enginetest.Store(b)
	set, err := bundles.First("")
	if err != nil {
		b.Fatal(err)
	}
	s.SetPolicies(set)
	if _, err := s.AddAccount(b.Context(), engine.Account{Name: "one", Type: engine.AccountUser}); err != nil {
		b.Fatal(err)
	}
	for _, q := range []string{
		`INSERT INTO images (account, digest, parent_digest, image_id, state, arch, distro, distro_version, dockerfile_mode, image_size, layer_count, analyzed_at, matched_with)
		 SELECT 'one', 'sha256:' || lpad(to_hex(k), 64, '0'), 'sha256:' || lpad(to_hex(k), 64, '0'), lpad(to_hex(k), 64, '0'), 'analyzed', 'amd64', 'debian', '12', 'Guessed', 1, 1, now(), 'd'
		   FROM generate_series(1, 300) k`,
		`INSERT INTO image_tags (image, account, registry, repository, tag) SELECT pk, account, 'docker.io', 'app', 'v' || pk FROM images`,
		`INSERT INTO packages (image, key, name, version, type, class, path) SELECT pk, 'k' || k, 'lib' || k, '1.2.3-4', 'dpkg', 'os', 'pkgdb' FROM images, generate_series(1, 400) k`,
		`INSERT INTO matches (image, package_key, package, version, package_type, path, vuln, severity, fixes, namespace)
		 SELECT pk, 'k' || k, 'lib' || k, '1.2.3-4', 'dpkg', 'pkgdb', 'CVE-2026-' || k, CASE k % 4 WHEN 0 THEN 'Critical' WHEN 1 THEN 'High' WHEN 2 THEN 'Medium' ELSE 'Low' END, '{1.2.4}', 'debian:distro:debian:12'
		   FROM images, generate_series(1, 200) k`,
		`INSERT INTO documents (account, bucket, key, body) SELECT account, 'dockerfile', digest, 'FROM scratch' FROM images`,
		`ANALYZE`,
	} {
		if _, err := s.Pool().Exec(b.Context(), q); err != nil {
			b.Fatal(err)
		}
	}
	w := &Worker{Queue: s, Evaluator: New(s, nil, engine.Source{}, enginetest.Logger(b)), Log: slog.New(slog.DiscardHandler)}
	b.ResetTimer()
	for i := range b.N {
		doc := bytes.Replace(policy.Default(), []byte("Default bundle"), fmt.Appendf(nil, "bundle %d", i), 1)
		bundle, err := bundles.Read("one", doc)
		if err != nil {
			b.Fatal(err)
		}
		bundle.Active = true
		if _, err := s.UpdatePolicy(b.Context(), bundle, engine.Source{}); err != nil {
			b.Fatal(err)
		}
		j, _, err := s.LeaseJob(b.Context(), engine.QueueReevaluate, "h", "h/1", time.Hour)
		if err != nil {
			b.Fatal(err)
		}
		if err := w.Reevaluate(b.Context(), j); err != nil {
			b.Fatal(err)
		}
	}
	if r, err := s.Reevaluation(b.Context(), "one"); err != nil || r.Done != n {
		b.Fatal(r, err)
	}
	b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "images/s")
}
