package store_test

import (
	"errors"
	"strings"
	"testing"

	"windlass/internal/engine"
	"windlass/internal/engine/enginetest"
)

func TestRegistriesKeepTheirPasswordSealed(t *testing.T) {
	s := enginetest.Store(t)
	s.SetSecretKey([32]byte{1})
	r := engine.Registry{Account: "admin", Name: "reg:5000", Label: "ours", Type: "docker_v2", User: "me", Password: "s3cret", Verify: true}
	got, err := s.AddRegistry(t.Context(), r)
	if err != nil || got.Password != "s3cret" || got.CreatedAt.IsZero() {
		t.Fatalf("AddRegistry = %+v, %v", got, err)
	}
	var box []byte
	if err := s.Pool().QueryRow(t.Context(), `SELECT password FROM registries`).Scan(&box); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(box), "s3cret") {
		t.Error("the password stands in the table")
	}
	if _, err := s.AddRegistry(t.Context(), r); !errors.Is(err, engine.ErrConflict) {
		t.Errorf("a second one = %v, want ErrConflict", err)
	}
	r.Password = "other"
	if got, err = s.UpdateRegistry(t.Context(), r); err != nil || got.Password != "other" {
		t.Errorf("UpdateRegistry = %+v, %v", got, err)
	}
	if _, err := s.Registry(t.Context(), "bob", r.Name); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("another account's = %v, want ErrNotFound", err)
	}

	s.SetSecretKey([32]byte{2}) // the key was lost: the record stays, the password does not
	if list, err := s.Registries(t.Context(), "admin"); err != nil || len(list) != 1 || list[0].Password != "" {
		t.Errorf("with another key = %+v, %v", list, err)
	}
	for range 2 {
		if err := s.RemoveRegistry(t.Context(), "admin", r.Name); err != nil {
			t.Error(err)
		}
	}
	if _, err := s.UpdateRegistry(t.Context(), r); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("update of a removed one = %v, want ErrNotFound", err)
	}
}
