package store_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine/enginetest"
	"windlass/internal/engine/store"
)

// Of two transactions that wait for each other the database ends one. That is
// nobody's fault and is tried again, once, before anybody hears of it.
func TestDeadlocksAreTriedAgain(t *testing.T) {
	s := enginetest.Store(t)
	exec(t, s, `INSERT INTO accounts (name, type) VALUES ('one', 'user'), ('two', 'user')`)
	const touch = `UPDATE accounts SET email = email || 'x' WHERE name = $1`
	exec(t, s, `UPDATE accounts SET email = ''`)

	var both, wg sync.WaitGroup
	both.Add(2)
	errs := make([]error, 2)
	runs := make([]int, 2)
	for n, names := range [][]string{{"one", "two"}, {"two", "one"}} {
		wg.Go(func() {
			errs[n] = s.InTx(t.Context(), "cross", func(tx pgx.Tx) error {
				runs[n]++
				if _, err := tx.Exec(t.Context(), touch, names[0]); err != nil {
					return err
				}
				if runs[n] == 1 { // each holds one row before either asks for the other
					both.Done()
					both.Wait()
				}
				_, err := tx.Exec(t.Context(), touch, names[1])
				return err
			})
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Error(err)
	}
	if runs[0]+runs[1] != 3 {
		t.Errorf("the two ran %v times, want one of them once more", runs)
	}
	for _, name := range []string{"one", "two"} {
		if a, err := s.Account(t.Context(), name); err != nil || a.Email != "xx" {
			t.Errorf("%s was touched %q, %v; want each once", name, a.Email, err)
		}
	}
}

// A deletion takes its subscriptions in the order in which an add takes them:
// the one that another holds is waited for before any later one is taken.
func TestDeletionTakesSubscriptionsInOrder(t *testing.T) {
	s := enginetest.Store(t)
	for n := range 9 {
		put(t, s, 1, func(i *store.NewImage) { i.Tag.Tag, i.AutoSubscribe = fmt.Sprint("v", 9-n), true })
	}
	first, err := s.Pool().Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer first.Rollback(t.Context())
	const one = `SELECT FROM subscriptions WHERE key = $1 AND type = 'tag_update' FOR UPDATE`
	if _, err := first.Exec(t.Context(), one, "docker.io/app:v1"); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := s.DeleteImage(t.Context(), "admin", string(digestOf(1)), true)
		done <- err
	}()
	for waits := false; !waits; {
		const q = `SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')`
		if err := s.Pool().QueryRow(t.Context(), q).Scan(&waits); err != nil {
			t.Fatal(err)
		}
	}
	for n := range 8 {
		if _, err := first.Exec(t.Context(), one+` NOWAIT`, fmt.Sprint("docker.io/app:v", n+2)); err != nil {
			t.Fatalf("of v%d: %v", n+2, err)
		}
	}
	if err := first.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if on, _ := active(t, s, "docker.io/app:v5"); on != "" {
		t.Errorf("%q is active", on)
	}
}
