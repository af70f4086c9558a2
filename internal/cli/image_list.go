package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"windlass/internal/cli/python"
)

func (a *app) imageList() *cobra.Command {
	var full, all bool
	c := a.command("list", "List images", func(ctx context.Context, _ []string) error {
		r, err := a.client.get(ctx, "/images")
		if err != nil {
			return err
		}
		return a.show(r, "image list", a.imageTable(full, all))
	})
	c.Flags().BoolVar(&full, "full", false, "more columns")
	c.Flags().BoolVar(&all, "show-all", false, "also images whose tags stand for newer ones by now")
	return c
}

func (a *app) imageTable(full, all bool) shape {
	return func(r *reader, payload any) string {
		t := columns("Full Tag", "Image Digest", "Analysis Status")
		if full {
			t.header = append(t.header, "Image ID")
		}
		images := r.list(payload)
		if !all {
			images = newest(r, images)
		}
		seen := map[string]bool{}
		for _, image := range images {
			for _, d := range r.list(r.at(image, "image_detail")) {
				row := []any{fullTag(r, d), r.at(image, "imageDigest"), r.at(image, "analysis_status")}
				if full {
					row = append(row, r.at(d, "imageId"))
				}
				if key := python.Repr(row); !seen[key] {
					seen[key] = true
					t.row(row...)
				}
			}
		}
		t.sort(r, 0, false)
		return a.plain(t)
	}
}

// newest keeps the records that a tag stands for by now: those whose detail of
// the tag was made last.
func newest(r *reader, images []any) []any {
	type record struct {
		index int
		at    time.Time
	}
	latest := map[string]record{}
	for i, image := range images {
		for _, d := range r.list(r.at(image, "image_detail")) {
			at, err := parseTime(python.Str(r.at(d, "created_at")))
			if err != nil {
				r.fault("%s", err)
			}
			tag := fullTag(r, d)
			if had, ok := latest[tag]; !ok || at.After(had.at) {
				latest[tag] = record{i, at}
			}
		}
	}
	keep := make([]bool, len(images))
	for _, l := range latest {
		keep[l.index] = true
	}
	var kept []any
	for i, image := range images {
		if keep[i] {
			kept = append(kept, image)
		}
	}
	return kept
}

// parseTime reads the forms that servers of this API write.
func parseTime(s string) (time.Time, error) {
	for _, form := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05", "2006-01-02"} {
		if t, err := time.Parse(form, strings.TrimSpace(s)); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("time %q has an unknown form", s)
}
