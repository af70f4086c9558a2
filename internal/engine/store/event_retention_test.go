package store_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/enginetest"
	"windlass/internal/engine/store"
)

// aged stores n events of an account and level, the youngest of them days old
// and each an hour older than the one before.
func aged(t *testing.T, s *store.Store, account, level string, n, days int) {
	t.Helper()
	const q = `
		INSERT INTO events (id, account, type, level, message, at)
		SELECT md5($1 || $2 || i || $4::int), $1, 't', $2, 'm', now() - make_interval(days => $4, hours => i) FROM generate_series(1, $3::int) i`
	if _, err := s.Pool().Exec(context.Background(), q, account, level, n, days); err != nil {
		t.Fatal(err)
	}
}

func retain(t *testing.T, s *store.Store, rules ...engine.RetentionRule) {
	t.Helper()
	if err := s.SetEventRetention(t.Context(), rules, "ann"); err != nil {
		t.Fatal(err)
	}
}

func retentionAccounts(t *testing.T, s *store.Store, names ...string) {
	t.Helper()
	for _, name := range names {
		if _, err := s.AddAccount(t.Context(), engine.Account{Name: name, Type: engine.AccountUser}); err != nil {
			t.Fatal(err)
		}
	}
}

func runsOf(t *testing.T, s *store.Store) []engine.RetentionRun {
	t.Helper()
	list, err := s.RetentionRuns(t.Context(), 10)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestRetentionRules(t *testing.T) {
	s := enginetest.Store(t)
	rules, err := s.EventRetention(t.Context())
	if err != nil || len(rules) != 2 || rules[0].Level != "error" || rules[0].Enabled || rules[0].Days != 365 || rules[1].Days != 90 {
		t.Fatalf("rules at first %+v, %v", rules, err)
	}
	if _, err := s.StartRetention(t.Context(), "ann"); !errors.Is(err, engine.ErrConflict) {
		t.Errorf("a run without a rule: %v", err)
	}
	retain(t, s, engine.RetentionRule{Level: "info", Enabled: true, Days: 30}, engine.RetentionRule{Level: "error", Days: 365})
	rules, err = s.EventRetention(t.Context())
	if err != nil || rules[0].UpdatedBy != "" || rules[1].UpdatedBy != "ann" || !rules[1].Enabled || rules[1].Days != 30 {
		t.Errorf("rules %+v, %v", rules, err)
	}
	for name, bad := range map[string][]engine.RetentionRule{
		"level": {{Level: "warn", Days: 3}}, "none": {{Level: "info"}}, "beyond": {{Level: "info", Days: 3651}},
		"twice": {{Level: "info", Days: 3}, {Level: "info", Days: 4}},
	} {
		if err := s.SetEventRetention(t.Context(), bad, "ann"); !errors.Is(err, engine.ErrInvalid) {
			t.Errorf("%s: %v, want ErrInvalid", name, err)
		}
	}
	if next, err := s.NextRetention(t.Context()); err != nil || time.Until(next) < 55*time.Minute || time.Until(next) > time.Hour {
		t.Errorf("the next run is due at %v, %v; want in an hour", next, err)
	}
	if began, err := s.ScheduleRetention(t.Context()); began || err != nil {
		t.Errorf("a run right after the rules were altered: %v, %v", began, err)
	}
}

// A dry run says exactly what a run then deletes, of every account, and no more.
func TestRetentionRun(t *testing.T) {
	s := enginetest.Store(t)
	retentionAccounts(t, s, "admin", "team", "zoo")
	aged(t, s, "admin", "info", 12_000, 31)
	aged(t, s, "admin", "info", 5, 29)
	aged(t, s, "admin", "error", 40, 100)
	aged(t, s, "team", "info", 300, 400)
	aged(t, s, "team", "error", 7, 400)
	aged(t, s, "zoo", "error", 3, 1)
	rules := []engine.RetentionRule{{Level: "info", Enabled: true, Days: 30}, {Level: "error", Enabled: true, Days: 365}}
	plan, err := s.PlanRetention(t.Context(), rules)
	if err != nil || plan[0].Events != 12_300 || plan[1].Events != 7 || time.Since(plan[0].Oldest) < 500*24*time.Hour {
		t.Fatalf("planned %+v, %v", plan, err)
	}
	retain(t, s, rules...)
	run, err := s.StartRetention(t.Context(), "ann")
	if err != nil || run.Total() != 12_307 || run.By != "ann" || run.Trigger != "request" || run.Status != engine.RetentionRunning {
		t.Fatalf("began %+v, %v", run, err)
	}
	if _, err := s.StartRetention(t.Context(), "bob"); !errors.Is(err, engine.ErrConflict) {
		t.Errorf("a second run: %v, want ErrConflict", err)
	}
	steps := 0
	for ; ; steps++ {
		did, err := s.RetentionStep(t.Context(), "host-1", "host-1/a")
		if err != nil {
			t.Fatal(err)
		}
		if !did {
			break
		}
		if did, err := s.RetentionStep(t.Context(), "host-2", "host-2/b"); did || err != nil {
			t.Fatalf("another host works under the lease: %v, %v", did, err)
		}
	}
	run = runsOf(t, s)[0]
	if run.Status != engine.RetentionDone || run.Deleted != 12_307 || run.Host != "host-1" || run.EndedAt.IsZero() ||
		run.Rules[0].Level != "error" || run.Rules[0].Deleted != 7 || run.Rules[1].Deleted != 12_300 {
		t.Errorf("after %d steps %+v", steps, run)
	}
	if n := stored(t, s); n != 48 {
		t.Errorf("%d events are left, want 48", n)
	}
	if next, err := s.NextRetention(t.Context()); err != nil || time.Until(next) < 23*time.Hour {
		t.Errorf("the next run is due at %v, %v; want in a day", next, err)
	}
}

// A run whose host is gone is taken over where it stood; one that is cancelled
// stops there.
func TestRetentionTakenOverAndCancelled(t *testing.T) {
	s := enginetest.Store(t)
	retentionAccounts(t, s, "admin")
	aged(t, s, "admin", "info", 25_000, 40)
	retain(t, s, engine.RetentionRule{Level: "info", Enabled: true, Days: 30})
	exec(t, s, `UPDATE event_retention SET updated_at = now() - interval '2 hours'`)
	if began, err := s.ScheduleRetention(t.Context()); !began || err != nil {
		t.Fatalf("the regular run: %v, %v", began, err)
	}
	did, err := s.RetentionStep(t.Context(), "host-1", "host-1/a")
	if !did || err != nil {
		t.Fatal(did, err)
	}
	exec(t, s, `UPDATE event_retention_runs SET lease_ends = now() - interval '1 second'`)
	if did, err = s.RetentionStep(t.Context(), "host-2", "host-2/b"); !did || err != nil {
		t.Fatal(did, err)
	}
	if did, err = s.RetentionStep(t.Context(), "host-1", "host-1/a"); did || err != nil {
		t.Errorf("the host that lost the lease works on: %v, %v", did, err)
	}
	run := runsOf(t, s)[0]
	if run.Deleted != 20_000 || run.Host != "host-2" || run.Trigger != "schedule" || stored(t, s) != 5000 {
		t.Errorf("taken over %+v, %d left", run, stored(t, s))
	}
	if err := s.CancelRetention(t.Context(), run.ID); err != nil {
		t.Fatal(err)
	}
	if did, err = s.RetentionStep(t.Context(), "host-2", "host-2/b"); did || err != nil {
		t.Errorf("a cancelled run goes on: %v, %v", did, err)
	}
	if err := s.CancelRetention(t.Context(), run.ID); !errors.Is(err, engine.ErrConflict) {
		t.Errorf("second cancel: %v, want ErrConflict", err)
	}
}

func TestSavedFilters(t *testing.T) {
	s := enginetest.Store(t)
	ctx := t.Context()
	retentionAccounts(t, s, "team")
	for _, user := range []string{"ann", "bob"} {
		if err := s.AddUser(ctx, "team", user, "hash"); err != nil {
			t.Fatal(err)
		}
	}
	first, err := s.SaveFilter(ctx, "team", "ann", "  feed \t errors ", "?level=error&type=feed_*")
	if err != nil || first.Name != "feed errors" {
		t.Fatalf("%+v, %v", first, err)
	}
	again, err := s.SaveFilter(ctx, "team", "ann", "feed errors", "?level=error")
	if err != nil || again.ID != first.ID || again.Query != "?level=error" {
		t.Errorf("saved again %+v, %v", again, err)
	}
	other, err := s.SaveFilter(ctx, "team", "ann", "All", "?order=oldest")
	if err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"no name":        s.RenameFilter(ctx, "team", "ann", first.ID, " "),
		"a long name":    s.RenameFilter(ctx, "team", "ann", first.ID, fmt.Sprintf("%061d", 1)),
		"an odd name":    s.RenameFilter(ctx, "team", "ann", first.ID, "a\x00b"),
		"a name of ours": s.RenameFilter(ctx, "team", "ann", first.ID, "All"),
		"not one's own":  s.RenameFilter(ctx, "team", "bob", first.ID, "mine"),
		"elsewhere":      s.DeleteFilter(ctx, "admin", "ann", first.ID),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if err := s.RenameFilter(ctx, "team", "ann", first.ID, "broken feeds"); err != nil {
		t.Fatal(err)
	}
	list, err := s.SavedFilters(ctx, "team", "ann")
	if err != nil || len(list) != 2 || list[0].ID != other.ID || list[1].Name != "broken feeds" {
		t.Errorf("%+v, %v", list, err)
	}
	if err := s.DeleteFilter(ctx, "team", "ann", first.ID); err != nil {
		t.Fatal(err)
	}
	if err := s.DeleteFilter(ctx, "team", "ann", first.ID); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("second deletion: %v", err)
	}
	if list, err := s.SavedFilters(ctx, "team", "bob"); err != nil || len(list) != 0 {
		t.Errorf("of another user %+v, %v", list, err)
	}

	// Two windows at once do not go beyond the bound.
	var wg sync.WaitGroup
	for i := range engine.MaxSavedFilters + 4 {
		wg.Go(func() { s.SaveFilter(context.Background(), "team", "ann", fmt.Sprint("filter ", i), "?level=error") })
	}
	wg.Wait()
	if list, err := s.SavedFilters(ctx, "team", "ann"); err != nil || len(list) != engine.MaxSavedFilters {
		t.Errorf("%d filters, %v; want %d", len(list), err, engine.MaxSavedFilters)
	}
	if _, err := s.SaveFilter(ctx, "team", "ann", "All", "?level=info"); err != nil {
		t.Errorf("replacing at the bound: %v", err)
	}
}
