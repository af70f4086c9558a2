package store_test

import (
	"fmt"
	"testing"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/enginetest"
)

// BenchmarkVEXUpload uploads 10,000 statements into an account of 1,000 images
// with 100 matches each, a tenth of which go by another id than their CVE, and
// takes them away again.
func BenchmarkVEXUpload(b *testing.B) {
	s := enginetest.Store(b)
	insertImages(b, s, "one", 1, 1000)
	exec(b, s, `UPDATE images SET state = 'analyzed'`)
	exec(b, s, `
		INSERT INTO matches (image, package_key, package, version, package_type, vuln, severity, cves)
		SELECT i.pk, 'p' || k, 'package-' || k, '1.0', 'dpkg', CASE WHEN k % 10 = 0 THEN 'GHSA-' ELSE 'CVE-2023-' END || (i.pk * 7 + k) % 20000, 'High',
		       ARRAY['CVE-2023-' || (i.pk * 7 + k) % 20000] FROM images i, generate_series(1, 100) k`)
	exec(b, s, `ANALYZE`)
	d, _ := document("one", "a", time.Now(), engine.VEXNotAffected, "CVE-1")
	var list []engine.VEXStatement
	for k := range 10_000 {
		list = append(list, engine.VEXStatement{
			Place: k + 1, Vulns: []string{fmt.Sprintf("CVE-2023-%d", k)}, Status: engine.VEXNotAffected, At: time.Now(),
			Products: []engine.VEXProduct{{IDs: []string{fmt.Sprintf("pkg:deb/debian/package-%d?distro=debian-12", k)}}},
		})
	}
	var jobs int
	for b.Loop() {
		d := addVEX(b, s, d, list)
		if err := s.Pool().QueryRow(b.Context(), `SELECT count(*) FROM jobs WHERE queue = $1`, engine.QueueEvaluate).Scan(&jobs); err != nil {
			b.Fatal(err)
		}
		if err := s.DeleteVEX(b.Context(), "one", d.ID, engine.Source{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(jobs), "images")
}
