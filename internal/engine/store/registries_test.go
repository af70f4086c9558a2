package store_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/enginetest"
)

func TestRepositoryUses(t *testing.T) {
	s := enginetest.Store(t)
	insertImages(t, s, "one", 1, 4)
	exec(t, s, `INSERT INTO subscriptions (account, key, type, id, active) VALUES
		('one', 'registry.test:5000/team/app:v1', 'tag_update', '1', true), ('one', 'registry.test:5000/team/app', 'repo_update', '2', true),
		('one', 'registry.test:5000/team/off:v1', 'tag_update', '3', false), ('one', 'docker.io/x:1', 'policy_eval', '4', true), ('two', 'docker.io/x:1', 'tag_update', '5', true)`)
	list, err := s.RepositoryUses(t.Context(), "one")
	if err != nil {
		t.Fatal(err)
	}
	tags := 0
	for _, u := range list {
		tags += u.Tags
		if want := map[bool]int{true: 2}[u.Repository == "team/app" && u.Registry == "registry.test:5000"]; u.Subscriptions != want {
			t.Errorf("%+v", u)
		}
	}
	if tags < 4 || list[len(list)-1].Subscriptions+list[0].Subscriptions == 0 {
		t.Errorf("%+v", list)
	}
}

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

	// What was found of one credential says nothing of the next.
	got.Check = engine.CheckedRegistry(time.Now().Add(-time.Second), time.Now(), engine.Invalidf("refused"))
	if err := s.NoteRegistryCheck(t.Context(), got); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.NoteRegistryUse(t.Context(), "admin", r.Name, "reg:5000/a:1"); err != nil {
			t.Fatal(err)
		}
	}
	stale := got
	if got, err = s.Registry(t.Context(), "admin", r.Name); err != nil || got.Check.OK() || got.Check.Text != "refused" || got.Check.Took != time.Second || got.UsedFor != "reg:5000/a:1" || got.UsedAt.IsZero() {
		t.Errorf("after a check %+v, %v", got, err)
	}
	r.Check = engine.CheckedRegistry(time.Now(), time.Now(), nil)
	if got, err = s.UpdateRegistry(t.Context(), r); err != nil || !got.Check.OK() || got.UsedFor != "reg:5000/a:1" {
		t.Errorf("after an update %+v, %v", got, err)
	}
	if err := s.NoteRegistryCheck(t.Context(), stale); err != nil {
		t.Fatal(err)
	}
	if got, err = s.Registry(t.Context(), "admin", r.Name); err != nil || !got.Check.OK() {
		t.Errorf("a check of the credential before counts: %+v, %v", got, err)
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
