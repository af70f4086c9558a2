package store_test

import (
	"context"
	"errors"
	"testing"

	"windlass/internal/engine"
	"windlass/internal/engine/enginetest"
	"windlass/internal/engine/store"
)

// A request that outlasts its account leaves nothing behind, whether another
// account has the name meanwhile or not.
func TestRequestsThatOutlastTheirAccount(t *testing.T) {
	s := enginetest.Store(t)
	add := func(name string) {
		t.Helper()
		if _, err := s.AddAccount(t.Context(), engine.Account{Name: name, Type: engine.AccountUser}); err != nil {
			t.Fatal(err)
		}
	}
	enter := func(name string) context.Context {
		t.Helper()
		ctx, err := s.Enter(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		return ctx
	}
	write := func(ctx context.Context, name string) error {
		_, err := s.PutImage(ctx, store.NewImage{
			Account: name, Digest: digestOf(1), ParentDigest: digestOf(1), ID: string(digestOf(1))[7:], Manifest: []byte(`{}`),
			Tag:  engine.ImageTag{Registry: "docker.io", Repository: "app", Tag: "v1"},
			Task: engine.AnalyzeTask{Source: engine.FromRegistry},
		})
		if err == nil {
			_, err = s.AddImport(ctx, name)
		} else if _, err2 := s.AddImport(ctx, name); err2 == nil {
			t.Error("an import began")
		}
		return err
	}
	remove := func(name string) {
		t.Helper()
		for _, to := range []engine.AccountState{engine.AccountDisabled, engine.AccountDeleting} {
			if err := s.SetAccountState(t.Context(), name, to); err != nil {
				t.Fatal(err)
			}
		}
	}
	clean := func(name string) {
		t.Helper()
		for gone := false; !gone; {
			var err error
			if _, gone, err = s.CleanAccount(t.Context(), name, 100); err != nil {
				t.Fatal(err)
			}
			if _, err := s.CollectImages(t.Context(), 100); err != nil {
				t.Fatal(err)
			}
		}
	}
	refused := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, engine.ErrForbidden) {
			t.Errorf("%s: %v, want ErrForbidden", what, err)
		}
	}
	add("team")
	ctx := enter("team")
	if err := write(ctx, "team"); err != nil {
		t.Fatal(err)
	}
	remove("team")
	refused("begun before the deletion", write(ctx, "team"))
	refused("begun in it", write(enter("team"), "team"))
	clean("team")
	refused("ended after it", write(ctx, "team"))
	if list, _, err := s.Images(t.Context(), "team", engine.ImageFilter{AnyStatus: true}); len(list) != 0 || err != nil {
		t.Errorf("left are %d images, %v", len(list), err)
	}
	add("team")
	refused("ended in another account of the name", write(ctx, "team"))
	if err := write(enter("team"), "team"); err != nil {
		t.Errorf("in the new one: %v", err)
	}
	if err := write(enter("nobody's"), "nobody's"); err != nil {
		t.Errorf("in an account that there is not: %v", err)
	}
}
