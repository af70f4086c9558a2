package store_test

import (
	"fmt"
	"testing"

	"windlass/internal/engine"
	"windlass/internal/engine/enginetest"
	"windlass/internal/engine/listing"
)

// A page of an image of 100,000 files, by what it asks for.
func BenchmarkFilePage(b *testing.B) {
	s := enginetest.Store(b)
	var a engine.Analysis
	for i := range 100_000 {
		a.Files = append(a.Files, engine.File{
			Path: fmt.Sprintf("/usr/lib/python3/site-packages/package%d/module%d/file%d.py", i/500, i/50, i), Type: "file", Size: int64(i),
			Mode: "00644", SHA256: fmt.Sprintf("%064x", i*7919),
		})
	}
	body, err := listing.Of(a)
	if err != nil {
		b.Fatal(err)
	}
	exec(b, s, `INSERT INTO documents (account, bucket, key, body) VALUES ('admin', 'file_listing', 'd', $1)`, body)
	for name, q := range map[string]engine.FileQuery{
		"number": {Offset: 50_000}, "search": {Text: "file9"}, "root": {Browse: true}, "folder": {Browse: true, Folder: "/usr/lib/python3/site-packages/package7"},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := s.FilePage(b.Context(), "admin", "d", q); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
