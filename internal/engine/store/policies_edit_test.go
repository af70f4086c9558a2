package store_test

import (
	"errors"
	"sync"
	"testing"

	"windlass/internal/engine"
	"windlass/internal/engine/enginetest"
)

// Somebody edits what somebody else has changed in the meantime.
func TestAnEditReplacesOnlyWhatWasSeen(t *testing.T) {
	s, src := enginetest.Store(t), engine.Source{Service: engine.Catalog}
	if _, err := s.AddAccount(t.Context(), engine.Account{Name: "one", Type: engine.AccountUser}); err != nil {
		t.Fatal(err)
	}
	edit := func(b engine.PolicyBundle, seen string) (engine.PolicyBundle, error) {
		return s.EditPolicy(t.Context(), b, seen, src)
	}

	first, err := edit(bundle("one", "a", "1"), "")
	if err != nil || first.Active || first.Digest != "d-1" {
		t.Fatalf("added: %+v, %v", first, err)
	}
	if _, err := edit(bundle("one", "a", "2"), ""); !errors.Is(err, engine.ErrConflict) {
		t.Errorf("an id that is taken: %v", err)
	}
	if _, err := edit(bundle("one", "gone", "2"), "d-1"); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("a bundle that is gone: %v", err)
	}
	if _, err := edit(engine.PolicyBundle{Account: "one", ID: "new"}, ""); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("a new bundle without a document: %v", err)
	}

	// Activation leaves the document, and an edit leaves it active.
	active, err := edit(engine.PolicyBundle{Account: "one", ID: "a", Active: true}, "d-1")
	if err != nil || !active.Active || active.Digest != "d-1" || string(active.Document) != string(first.Document) || active.Name != "a" {
		t.Fatalf("activated: %+v, %v", active, err)
	}
	if b, err := edit(bundle("one", "a", "2"), "d-1"); err != nil || !b.Active || b.Digest != "d-2" {
		t.Errorf("edited: %+v, %v", b, err)
	}
	if _, err := edit(bundle("one", "a", "3"), "d-1"); !errors.Is(err, engine.ErrConflict) {
		t.Errorf("a version from before: %v", err)
	}
	if b, err := s.Policy(t.Context(), "one", "a"); err != nil || b.Digest != "d-2" {
		t.Errorf("stored is %s, %v", b.Digest, err)
	}

	// Of those who edit one version at once, one does.
	var wait sync.WaitGroup
	results := make([]error, 6)
	for i := range results {
		wait.Go(func() { _, results[i] = edit(bundle("one", "a", string(rune('p'+i))), "d-2") })
	}
	wait.Wait()
	won := 0
	for _, err := range results {
		switch {
		case err == nil:
			won++
		case !errors.Is(err, engine.ErrConflict):
			t.Error(err)
		}
	}
	if won != 1 {
		t.Errorf("%d of six edits were stored, want one", won)
	}
}
