package store_test

import (
	"strings"
	"testing"

	"windlass/internal/engine"
	"windlass/internal/engine/enginetest"
)

// Pages of images follow each other without a gap whatever ends them, and hold
// each Dockerfile with its tag.
func TestImagePagesAreBoundedByBytes(t *testing.T) {
	s := enginetest.Store(t)
	const images = 30
	for n := range images {
		put(t, s, n+1, nil)
	}
	exec(t, s, `UPDATE image_tags SET dockerfile = chr(65 + (image % 26)::int) || repeat('x', 1000000)`)
	exec(t, s, `UPDATE images SET annotations = '{"a": "b"}'`)

	type page = func(engine.ImageFilter) ([]engine.Image, string, error)
	for name, list := range map[string]page{
		"list": func(f engine.ImageFilter) ([]engine.Image, string, error) { return s.Images(t.Context(), "admin", f) },
		"history": func(f engine.ImageFilter) ([]engine.Image, string, error) {
			return s.ImagesByTag(t.Context(), "admin", engine.ImageTag{Registry: "docker.io", Repository: "app", Tag: "v1"}, f)
		},
	} {
		t.Run(name, func(t *testing.T) {
			seen := map[engine.Digest]bool{}
			f := engine.ImageFilter{Limit: 500}
			for pages := 0; ; pages++ {
				found, next, err := list(f)
				if err != nil || len(found) == 0 || pages > images {
					t.Fatal(len(found), pages, err)
				}
				bytes := 0
				for _, i := range found {
					seen[i.Digest] = true
					if len(i.Tags) != 1 || !strings.HasSuffix(i.Tags[0].Dockerfile, "xx") {
						t.Fatalf("%s has tags %d", i.Digest.Short(), len(i.Tags))
					}
					bytes += len(i.Tags[0].Dockerfile)
				}
				if bytes > 9<<20 {
					t.Errorf("a page of %d bytes", bytes)
				}
				if next == "" {
					break
				}
				f.After = next
			}
			if len(seen) != images {
				t.Errorf("%d images, want %d", len(seen), images)
			}
		})
	}
}
