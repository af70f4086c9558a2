package store_test

import (
	"fmt"
	"slices"
	"testing"

	"windlass/internal/engine"
	"windlass/internal/engine/enginetest"
)

// A client may read its list for minutes: no list may keep a connection
// meanwhile, and a list of several pages is the whole list, in order.
func TestSlowReadersHoldNoConnection(t *testing.T) {
	ctx := t.Context()
	s := enginetest.Store(t)
	const n = 11
	for i := range n {
		putBundle(t, s, bundle("ann", fmt.Sprintf("p%02d", i), "x"))
		if _, err := s.AddImport(ctx, "ann"); err != nil {
			t.Fatal(err)
		}
		if err := s.AddEvent(ctx, engine.Event{ID: fmt.Sprintf("e%02d", i), Account: "ann", Type: "system.x", Level: engine.LevelInfo}); err != nil {
			t.Fatal(err)
		}
	}
	// A walk of one more than a page, all made at one moment: the second half
	// of the cursor has to tell them apart.
	_, err := s.Pool().Exec(ctx, `
		INSERT INTO import_operations (uuid, account, created_at, expires_at)
		SELECT md5(i::text), 'ann', '2020-01-01', now() FROM generate_series(1, 501) i`)
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Pool().Exec(ctx, `
		INSERT INTO policy_evaluations (account, policy, digest, tag, eval_id, action, active, bundle, facts, result, evaluated_at)
		SELECT 'ann', 'p00', 'sha256:1', 'docker.io/x:1', md5(i::text), 'go', true, 'd-x', '', '{}', '2020-01-01'
		  FROM generate_series(1, $1) i`, n)
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Pool().Exec(ctx, `
		INSERT INTO archived_images (account, digest, parent_digest, image_id, created_at)
		SELECT 'ann', 'sha256:' || i, '', '', '2020-01-01' FROM generate_series(1, 201) i`)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	read := func(id string) error {
		if held := s.Pool().Stat().AcquiredConns(); held != 0 {
			t.Errorf("%d connections wait for the reader of %s", held, id)
		}
		ids = append(ids, id)
		return nil
	}
	for name, tc := range map[string]struct {
		want int
		walk func() error
	}{
		"policies": {n, func() error {
			return s.EachPolicy(ctx, "ann", true, func(b engine.PolicyBundle) error { return read(b.ID) })
		}},
		"policies, bare": {n, func() error {
			return s.EachPolicy(ctx, "ann", false, func(b engine.PolicyBundle) error { return read(b.ID) })
		}},
		"evaluations": {n, func() error {
			return s.EachEvaluation(ctx, "ann", "", "sha256:1", "docker.io/x:1", func(e engine.Evaluation) error { return read(e.ID) })
		}},
		"imports": {n + 501, func() error {
			for o, err := range s.Imports(ctx, "ann") {
				if err != nil {
					return err
				}
				if err := read(o.ID); err != nil {
					return err
				}
			}
			return nil
		}},
		"archive": {201, func() error {
			for a, err := range s.ArchivedImages(ctx, "ann") {
				if err != nil {
					return err
				}
				if err := read(string(a.Digest)); err != nil {
					return err
				}
			}
			return nil
		}},
		"deleted events": {n, func() error {
			return s.DeleteEvents(ctx, "ann", engine.EventFilter{}, func(ids []string) error {
				for _, id := range ids {
					if err := read(id); err != nil {
						return err
					}
				}
				return nil
			})
		}},
	} {
		ids = nil
		if err := tc.walk(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		slices.Sort(ids)
		if got := len(slices.Compact(slices.Clone(ids))); got != tc.want || len(ids) != tc.want {
			t.Errorf("%s: %d elements, %d different, want %d", name, len(ids), got, tc.want)
		}
	}
}
