package apiv1

import (
	"context"
	"slices"
	"testing"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/enginetest"
	"windlass/internal/engine/store"
)

// storeBackend is the engine's store without the engine.
type storeBackend struct {
	Backend
	store *store.Store
}

func (storeBackend) Enter(ctx context.Context, _ string) (context.Context, error) { return ctx, nil }

func (b storeBackend) Authenticate(context.Context, string, engine.Secret) (engine.Identity, error) {
	return engine.Identity{User: "admin", Account: "admin", Admin: true}, nil
}

func (b storeBackend) ImageMatches(ctx context.Context, account, digest string) (engine.Image, []engine.Match, error) {
	return b.store.ImageMatches(ctx, account, digest)
}

// Reading the vulnerabilities of an image with 600 matches, from the database
// to the last byte: the 99th percentile is what counts.
func BenchmarkVulnAllStored(b *testing.B) {
	st := enginetest.Store(b)
	const images = `
		INSERT INTO images (account, digest, parent_digest, image_id, state, arch, distro, distro_version, layer_count)
		SELECT 'admin', 'sha256:' || lpad(to_hex(n), 64, '0'), 'sha256:' || lpad(to_hex(n), 64, '0'), n::text, 'analyzed', 'amd64', 'debian', '12', 1
		  FROM generate_series(1, 200) n`
	const matches = `
		INSERT INTO matches (image, package_key, package, version, package_type, path, vuln, severity, fixes, url, feed, feed_group, namespace, description, cves, scores)
		SELECT pk, 'key-' || n, 'package-' || n, '1.2.3-' || n, 'dpkg', 'pkgdb', 'CVE-2024-' || (10000 + n),
		       (ARRAY['Critical','High','Medium','Low','Negligible'])[1 + n % 5], ARRAY['1.2.4'], 'https://security-tracker.debian.org/tracker/CVE-2024-' || n,
		       'vulnerabilities', 'debian:12', 'debian:distro:debian:12', repeat('A flaw was found. ', 20), ARRAY['CVE-2024-' || n],
		       '{"nvd":[{"ID":"CVE-2024-1","V2":{"Base":-1,"Exploitability":-1,"Impact":-1},"V3":{"Base":7.5,"Exploitability":3.9,"Impact":3.6},"Vector":"CVSS:3.1/AV:N"}]}'::jsonb
		  FROM images, generate_series(1, 600) n`
	for _, q := range []string{images, matches, `ANALYZE`} {
		if _, err := st.Pool().Exec(b.Context(), q); err != nil {
			b.Fatal(err)
		}
	}
	s := New(storeBackend{store: st}, Options{})
	digest := "sha256:" + hex64("0")[:62] + "64"
	var took []time.Duration
	for b.Loop() {
		began := time.Now()
		askQuick(b, s, "/v1/images/"+digest+"/vuln/all")
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
}
