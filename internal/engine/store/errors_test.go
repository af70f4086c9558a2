package store_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"windlass/internal/engine"
	"windlass/internal/engine/enginetest"
	"windlass/internal/engine/store"
)

// What may succeed when it is asked for again is told as such: a deadlock is
// nobody's fault, and the client that is told 503 tries again.
func TestDriverErrors(t *testing.T) {
	for code, want := range map[string]error{
		"40P01": engine.ErrUnavailable, "40001": engine.ErrUnavailable, "53300": engine.ErrUnavailable, "53100": engine.ErrUnavailable,
		"57P01": engine.ErrUnavailable, "08006": engine.ErrUnavailable, "23505": engine.ErrConflict, "22021": engine.ErrInvalid,
	} {
		if err := store.Domain(&pgconn.PgError{Code: code}); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", code, err, want)
		}
	}
	if err := store.Domain(&pgconn.PgError{Code: "42601"}); errors.Is(err, engine.ErrUnavailable) {
		t.Errorf("a fault of ours: %v", err)
	}
}

// Every add may bring annotations: together they stay bounded.
func TestAnnotationsAreBounded(t *testing.T) {
	s := enginetest.Store(t)
	add := func(key string, size int) error {
		_, err := s.PutImage(t.Context(), store.NewImage{
			Account: "ann", Digest: digestOf(1), ParentDigest: digestOf(1), ID: "id",
			Tag:         engine.ImageTag{Registry: "docker.io", Repository: "x", Tag: "1"},
			Annotations: map[string]any{key: strings.Repeat("x", size)},
			Task:        engine.AnalyzeTask{Source: engine.FromRegistry},
		})
		return err
	}
	if err := add("a", engine.MaxAnnotations/2); err != nil {
		t.Fatal(err)
	}
	for key, size := range map[string]int{"b": engine.MaxAnnotations / 2, "c": engine.MaxAnnotations} {
		if err := add(key, size); !errors.Is(err, engine.ErrInvalid) {
			t.Errorf("%d bytes more: %v", size, err)
		}
	}
	if err := add("a", engine.MaxAnnotations-100); err != nil {
		t.Errorf("the same key anew: %v", err)
	}
}
