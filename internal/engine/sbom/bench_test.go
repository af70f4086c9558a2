package sbom

import (
	"encoding/json"
	"fmt"
	"maps"
	"testing"

	"windlass/internal/engine"
)

// BenchmarkLargest converts an SBOM of some hundred megabytes: a real one, forty
// times over.
func BenchmarkLargest(b *testing.B) {
	doc := enlarged(b, "debian12-app.syft.json", 40)
	c := New(b.TempDir())
	for _, f := range engine.SBOMFormats[1:] {
		b.Run(f.Name, func(b *testing.B) {
			b.SetBytes(int64(len(doc)))
			b.ReportAllocs()
			for b.Loop() {
				body, size, err := c.Convert(b.Context(), sourceOf(doc), f.Name)
				if err != nil {
					b.Fatal(err)
				}
				body.Close()
				b.ReportMetric(float64(size)/1e6, "MB-out")
			}
		})
	}
}

// enlarged repeats the packages of a document under ids of their own.
func enlarged(t testing.TB, name string, times int) []byte {
	t.Helper()
	var doc map[string]any
	if err := json.Unmarshal(reference(t, name), &doc); err != nil {
		t.Fatal(err)
	}
	list, _ := doc["artifacts"].([]any)
	var all []any
	for n := range times {
		for _, a := range list {
			p := maps.Clone(a.(map[string]any))
			p["id"] = fmt.Sprintf("%v%03d", p["id"], n)
			p["version"] = fmt.Sprintf("%v.%d", p["version"], n)
			all = append(all, p)
		}
	}
	doc["artifacts"] = all
	raw, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
