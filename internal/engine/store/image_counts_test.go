package store_test

import (
	"fmt"
	"sync"
	"testing"

	"windlass/internal/engine"
	"windlass/internal/engine/enginetest"
	"windlass/internal/engine/store"
)

// Whatever writes images keeps the counts, and drawing them together while it
// does loses nothing.
func TestCountsAreExact(t *testing.T) {
	s := enginetest.Store(t)
	agree := func(what string) {
		t.Helper()
		checkCounts(t, s, what)
	}
	insertImages(t, s, "one", 1, 50)
	insertImages(t, s, "two", 51, 7)
	agree("added")
	exec(t, s, `UPDATE images SET state = 'analyzed' WHERE pk % 3 = 0`)
	exec(t, s, `UPDATE images SET status = 'deleting', state = 'analysis_failed' WHERE pk % 7 = 0`)
	exec(t, s, `UPDATE image_tags SET repository = 'moved' WHERE image % 5 = 0`)
	agree("moved")
	if err := s.DrawCounts(t.Context()); err != nil {
		t.Fatal(err)
	}
	agree("drawn together")
	exec(t, s, `DELETE FROM image_tags WHERE image % 2 = 0`)
	exec(t, s, `DELETE FROM images WHERE pk % 4 = 0`)
	agree("deleted")

	var all sync.WaitGroup
	for n := range 4 {
		all.Go(func() {
			for k := range 10 {
				insertImages(t, s, fmt.Sprint("busy-", n), 1000+n*100+k*10, 5)
			}
		})
		all.Go(func() {
			for range 10 {
				if err := s.DrawCounts(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	agree("all at once")
	exec(t, s, `DELETE FROM images`)
	if err := s.DrawCounts(t.Context()); err != nil {
		t.Fatal(err)
	}
	agree("nothing left")
	var rows int
	if err := s.Pool().QueryRow(t.Context(), `SELECT (SELECT count(*) FROM image_counts) + (SELECT count(*) FROM tag_counts)`).Scan(&rows); err != nil || rows != 0 {
		t.Errorf("%d rows count nothing, %v", rows, err)
	}
}

func checkCounts(t *testing.T, s *store.Store, what string) {
	t.Helper()
	for _, account := range []string{"one", "two", "busy-0", "busy-1", "busy-2", "busy-3"} {
		for _, status := range []engine.ImageStatus{engine.ImageActive, engine.ImageDeleting} {
			for _, state := range append([]engine.AnalysisState{""}, engine.AnalysisStates...) {
				n, err := s.CountImages(t.Context(), account, engine.ImageFilter{Status: status, State: state})
				if err != nil {
					t.Fatal(err)
				}
				var want int
				const q = `SELECT count(*) FROM images WHERE account = $1 AND status = $2 AND ($3 = '' OR state = $3)`
				if err := s.Pool().QueryRow(t.Context(), q, account, status, string(state)).Scan(&want); err != nil {
					t.Fatal(err)
				}
				if n != want {
					t.Errorf("%s: %d images of %s %s %s, want %d", what, n, account, status, state, want)
				}
			}
		}
		registries, repositories, err := s.ImageNames(t.Context(), account, 100)
		if err != nil {
			t.Fatal(err)
		}
		var g, p int
		const q = `SELECT count(DISTINCT registry), count(DISTINCT repository) FROM image_tags WHERE account = $1`
		if err := s.Pool().QueryRow(t.Context(), q, account).Scan(&g, &p); err != nil {
			t.Fatal(err)
		}
		if len(registries) != g || len(repositories) != p {
			t.Errorf("%s: %s names %v, %v", what, account, registries, repositories)
		}
	}
}
