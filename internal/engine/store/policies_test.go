package store_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"windlass/internal/engine"
	"windlass/internal/engine/enginetest"
	"windlass/internal/engine/store"
)

// bundle is a record with a document whose digest is its text.
func bundle(account, id, text string) engine.PolicyBundle {
	return engine.PolicyBundle{Account: account, ID: id, Name: id, Digest: "d-" + text, Document: []byte(`{"x":"` + text + `"}`)}
}

func putBundle(t *testing.T, s *store.Store, b engine.PolicyBundle) {
	t.Helper()
	if _, err := s.PutPolicy(t.Context(), b); err != nil {
		t.Fatal(err)
	}
}

func activate(t *testing.T, s *store.Store, b engine.PolicyBundle) {
	t.Helper()
	b.Active = true
	got, err := s.UpdatePolicy(t.Context(), b, engine.Source{Service: engine.Catalog})
	if err != nil || !got.Active {
		t.Fatalf("activate %s: %+v, %v", b.ID, got, err)
	}
}

// actives lists the active bundles of an account.
func actives(t *testing.T, s *store.Store, account string) string {
	t.Helper()
	var ids []string
	err := s.EachPolicy(t.Context(), account, false, func(b engine.PolicyBundle) error {
		if b.Document != nil {
			t.Error("a list without documents has one")
		}
		if b.Active {
			ids = append(ids, b.ID)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(ids, ",")
}

func policyEvents(t *testing.T, s *store.Store, account string) []engine.Event {
	t.Helper()
	l, err := s.Events(t.Context(), account, engine.EventFilter{Type: "user.policy.*"}, engine.EventPage{Limit: 100, Oldest: true})
	if err != nil {
		t.Fatal(err)
	}
	return l.Events
}

func TestPolicyLife(t *testing.T) {
	s := enginetest.Store(t)
	putBundle(t, s, bundle("one", "a", "1"))
	putBundle(t, s, bundle("one", "b", "1"))
	putBundle(t, s, bundle("two", "a", "9"))
	if got := actives(t, s, "one"); got != "" {
		t.Errorf("active after adding: %q", got)
	}
	if _, err := s.ActivePolicy(t.Context(), "one"); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("active policy of none: %v", err)
	}
	activate(t, s, bundle("one", "a", "1"))
	activate(t, s, bundle("two", "a", "9"))
	activate(t, s, bundle("one", "b", "1"))
	if one, two := actives(t, s, "one"), actives(t, s, "two"); one != "b" || two != "a" {
		t.Errorf("active %q and %q", one, two)
	}
	activate(t, s, bundle("one", "b", "2")) // as PUT of the active one with another document
	activate(t, s, bundle("one", "b", "2")) // and with the same
	if b, err := s.ActivePolicy(t.Context(), "one"); err != nil || string(b.Document) != `{"x":"2"}` || b.UpdatedAt.Before(b.DocumentAt) {
		t.Errorf("active %+v, %v", b, err)
	}

	if _, err := s.UpdatePolicy(t.Context(), bundle("one", "b", "3"), engine.Source{}); !errors.Is(err, engine.ErrConflict) {
		t.Errorf("deactivating the active: %v", err)
	}
	if _, err := s.UpdatePolicy(t.Context(), bundle("two", "b", "3"), engine.Source{}); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("updating another account's: %v", err)
	}
	if err := s.DeletePolicy(t.Context(), "one", "b"); !errors.Is(err, engine.ErrConflict) {
		t.Errorf("deleting the active: %v", err)
	}
	if err := s.DeletePolicy(t.Context(), "two", "b"); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("deleting another account's: %v", err)
	}
	if err := s.DeletePolicy(t.Context(), "one", "a\x00"); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("deleting what cannot be: %v", err)
	}
	putBundle(t, s, bundle("one", "b", "2"))
	if got := actives(t, s, "one"); got != "" {
		t.Errorf("added again, the active one stays active: %q", got)
	}
	if err := s.DeletePolicy(t.Context(), "one", "b"); err != nil {
		t.Error(err)
	}
	if _, err := s.Policy(t.Context(), "one", "b"); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("deleted, it is there: %v", err)
	}

	var told []string
	for _, e := range policyEvents(t, s, "one") {
		told = append(told, fmt.Sprint(strings.TrimPrefix(e.Type, "user.policy.active."), " ", e.ResourceID, " ", e.Details))
	}
	want := []string{
		"updated a map[current_policy_bundle_id:a last_policy_bundle_id:<nil>]",
		"updated b map[current_policy_bundle_id:b last_policy_bundle_id:a]",
		"content_change b map[current_policy_bundle_digest:d-2 last_policy_bundle_digest:d-1 policy_id:b]",
	}
	if fmt.Sprint(told) != fmt.Sprint(want) {
		t.Errorf("events %q\nwant %q", told, want)
	}
}

func TestOnePolicyIsActiveWhoeverAsksAtOnce(t *testing.T) {
	s := enginetest.Store(t)
	const n = 6
	for i := range n {
		putBundle(t, s, bundle("one", fmt.Sprint(i), "1"))
	}
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			b := bundle("one", fmt.Sprint(i), "1")
			b.Active = true
			// Another may be active by the time the answer is read; the
			// activation itself must not fail.
			if _, err := s.UpdatePolicy(t.Context(), b, engine.Source{}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := actives(t, s, "one"); len(got) != 1 {
		t.Errorf("active: %q", got)
	}
	if got := len(policyEvents(t, s, "one")); got != n {
		t.Errorf("%d events, want %d", got, n)
	}
}

func TestPoliciesAreInstalledOnce(t *testing.T) {
	s := enginetest.Store(t)
	exec(t, s, `INSERT INTO accounts (name, type) VALUES ('old', 'user'), ('own', 'user'), ('anchore-system', 'service')`)
	putBundle(t, s, bundle("own", "mine", "1"))
	s.SetPolicies(engine.PolicySet{Active: "std", Bundles: []engine.PolicyBundle{bundle("", "std", "1"), bundle("", "more", "1")}})
	install := func() {
		t.Helper()
		if err := s.InstallPolicies(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	install()
	count := func(account string) (n int) {
		_ = s.EachPolicy(context.Background(), account, true, func(engine.PolicyBundle) error { n++; return nil })
		return n
	}
	if actives(t, s, "old") != "std" || count("old") != 2 || count("own") != 1 || count("anchore-system") != 0 {
		t.Errorf("old %d (%s), own %d, system %d", count("old"), actives(t, s, "old"), count("own"), count("anchore-system"))
	}
	putBundle(t, s, bundle("old", "std", "2"))
	for _, id := range []string{"std", "more"} {
		if err := s.DeletePolicy(t.Context(), "old", id); err != nil {
			t.Fatal(err)
		}
	}
	install()
	if n := count("old"); n != 0 {
		t.Errorf("%d bundles are back after they were removed", n)
	}
	if _, err := s.AddAccount(t.Context(), engine.Account{Name: "fresh", Type: engine.AccountUser}); err != nil {
		t.Fatal(err)
	}
	if actives(t, s, "fresh") != "std" || count("fresh") != 2 {
		t.Errorf("a new account has %d bundles, active %q", count("fresh"), actives(t, s, "fresh"))
	}
	if events := policyEvents(t, s, "old"); len(events) != 0 {
		t.Errorf("the installation made events: %v", events)
	}
}
