package store_test

import (
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
	"windlass/internal/engine/enginetest"
	"windlass/internal/engine/store"
)

// Whoever adds a table with a column account must say what becomes of its rows
// when the account is deleted: in account_cleanup.go.
func TestDeletionKnowsEveryTable(t *testing.T) {
	s := enginetest.Store(t)
	const q = `
		SELECT c.table_name FROM information_schema.columns c
		  JOIN information_schema.tables t USING (table_schema, table_name)
		 WHERE c.table_schema = 'public' AND c.column_name = 'account' AND t.table_type = 'BASE TABLE'`
	rows, err := s.Pool().Query(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	cleaned := store.CleanedTables()
	for _, name := range tables {
		if !cleaned[name] {
			t.Errorf("table %s: the deletion of an account does not look after it", name)
		}
		delete(cleaned, name)
	}
	for name := range cleaned {
		t.Errorf("table %s has no column account", name)
	}
}

// TestDeletedAccount deletes an account that owns something of everything, in
// passes of two, beside one that owns the same and keeps it.
func TestDeletedAccount(t *testing.T) {
	ctx, s := t.Context(), enginetest.Store(t)
	for _, name := range []string{"gone", "stays"} {
		if _, err := s.AddAccount(ctx, engine.Account{Name: name, Type: engine.AccountUser}); err != nil {
			t.Fatal(err)
		}
		if err := s.AddUser(ctx, name, "user-of-"+name, "hash"); err != nil {
			t.Fatal(err)
		}
		own(t, s, name)
	}
	// Each works in the other's account too.
	for user, account := range map[string]string{"user-of-gone": "stays", "user-of-stays": "gone"} {
		if err := s.SetRoles(ctx, account, user, []engine.Role{engine.ReadOnly}, "admin"); err != nil {
			t.Fatal(err)
		}
	}
	before := owned(t, s, "stays")

	var fault *engine.Fault
	if err := s.SetAccountState(ctx, "gone", engine.AccountDeleting); !errors.As(err, &fault) {
		t.Fatalf("deleted while enabled: %v", err)
	}
	if n, gone, err := s.CleanAccount(ctx, "stays", 2); n != 0 || !gone || err != nil {
		t.Fatalf("an account that is not in deletion: %d, %v, %v", n, gone, err)
	}
	for _, to := range []engine.AccountState{engine.AccountDisabled, engine.AccountDeleting} {
		if err := s.SetAccountState(ctx, "gone", to); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Login(ctx, "user-of-gone"); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("its user: %v", err)
	}
	if l, err := s.Login(ctx, "user-of-stays"); err != nil || len(l.Grants) != 0 {
		t.Errorf("who had a role in it: %+v, %v", l.Grants, err)
	}
	passes := 0
	for gone := false; !gone; passes++ {
		if passes > 20 {
			t.Fatalf("no end: %v", owned(t, s, "gone"))
		}
		var err error
		if _, gone, err = s.CleanAccount(ctx, "gone", 2); err != nil {
			t.Fatal(err)
		}
		if _, err := s.CollectImages(ctx, 1); err != nil {
			t.Fatal(err)
		}
	}
	if passes < 3 {
		t.Errorf("%d passes: they are not bounded", passes)
	}
	if err := s.DrawCounts(ctx); err != nil {
		t.Fatal(err)
	}
	for table, n := range owned(t, s, "gone") {
		if n > 0 && table != "changes" && table != "audit_log" {
			t.Errorf("%d rows left in %s", n, table)
		}
	}
	if _, err := s.Account(ctx, "gone"); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("the account: %v", err)
	}
	delete(before, "user_roles") // of the user who is gone
	for table, n := range before {
		if now := owned(t, s, "stays")[table]; now != n && table != "changes" {
			t.Errorf("the other account had %d rows in %s, and has %d", n, table, now)
		}
	}
	if _, err := s.AddAccount(ctx, engine.Account{Name: "gone", Type: engine.AccountUser}); err != nil {
		t.Errorf("the name again: %v", err)
	}
}

// owned is how many rows of each table belong to an account.
func owned(t *testing.T, s *store.Store, account string) map[string]int {
	t.Helper()
	n := map[string]int{}
	for table := range store.CleanedTables() {
		var c int
		if err := s.Pool().QueryRow(t.Context(), `SELECT count(*) FROM `+table+` WHERE account = $1`, account).Scan(&c); err != nil {
			t.Fatal(err)
		}
		n[table] = c
	}
	return n
}

// own gives an account three of whatever an account can own.
func own(t *testing.T, s *store.Store, account string) {
	t.Helper()
	for _, q := range []string{
		`INSERT INTO images (account, digest, parent_digest, image_id) SELECT $1, 'sha256:' || i, 'sha256:' || i, i FROM generate_series(1, 3) i`,
		`INSERT INTO image_tags (image, account, registry, repository, tag) SELECT pk, $1, 'docker.io', 'a', 'b' FROM images WHERE account = $1`,
		`INSERT INTO documents (account, bucket, key, body) SELECT $1, 'b', i, '' FROM generate_series(1, 3) i`,
		`INSERT INTO registries (account, name, label, type, user_name, password) SELECT $1, i, i, 'docker_v2', 'u', '' FROM generate_series(1, 3) i`,
		`INSERT INTO jobs (queue, account, subject) SELECT 'q', $1, i FROM generate_series(1, 3) i`,
		`INSERT INTO queue_drops (batch, account, queue, subject, payload, priority, host, max_attempts) SELECT 'b', $1, 'q', i, '{}', 0, '', 1 FROM generate_series(1, 3) i`,
		`INSERT INTO event_clears (account, filter, max_seq) SELECT $1, '{}', 0 FROM generate_series(1, 3) i`,
		`INSERT INTO events (id, account, type, level, message, at)
		 SELECT md5($1 || i), $1, 't', 'info', 'm', now() FROM generate_series(1, 5) i`,
		`INSERT INTO event_filters (account, user_name, name, query)
		 SELECT $1, 'user-of-' || $1, i, '?level=error' FROM generate_series(1, 3) i`,
		`INSERT INTO subscriptions (account, key, type, id) SELECT $1, i, 'tag_update', i FROM generate_series(1, 3) i`,
		`INSERT INTO webhooks (id, account, type, password) SELECT $1 || i, $1, 'general', '' FROM generate_series(1, 3) i`,
		`INSERT INTO notifications (id, account, type, key, payload, webhook) SELECT gen_random_uuid(), $1, 't', 'k', '{}', 'w' FROM generate_series(1, 3) i`,
		`INSERT INTO vex_documents (account, id, format, statements, sha256, bytes, body) SELECT $1, $1 || i, 'openvex', 1, i, 0, '' FROM generate_series(1, 3) i`,
		`INSERT INTO vex_statements (document, place, vulns, status, said_at, products) SELECT pk, 1, '{CVE-1}', 'fixed', now(), '[]' FROM vex_documents WHERE account = $1`,
		`INSERT INTO vex_vulns (account, vuln, document, place) SELECT account, 'CVE-1', pk, 1 FROM vex_documents WHERE account = $1`,
		`INSERT INTO policies (account, id, digest) SELECT $1, i, i FROM generate_series(1, 3) i`,
		`INSERT INTO policy_documents (account, policy, digest, body) SELECT $1, i, i, '{}' FROM generate_series(1, 3) i`,
		`INSERT INTO reevaluations (account, policy, bundle, total) VALUES ($1, 'b', 'd', 1)`,
		`INSERT INTO policy_evaluations (account, policy, digest, tag, eval_id, action, active, bundle, facts, result)
		 SELECT $1, i, 'd', 't', 'e', 'go', false, i, '', '' FROM generate_series(1, 3) i`,
		`INSERT INTO import_operations (uuid, account, expires_at) SELECT $1 || i, $1, now() FROM generate_series(1, 3) i`,
		`INSERT INTO import_contents (operation, account, kind, digest, size, body) SELECT $1 || i, $1, 'k', 'd', 0, '' FROM generate_series(1, 3) i`,
		`INSERT INTO archived_images (account, digest, parent_digest, image_id) SELECT $1, i, i, i FROM generate_series(1, 3) i`,
		`INSERT INTO archived_tags SELECT pk, account, 'r', 'r', 't', now(), now(), now() FROM archived_images WHERE account = $1`,
		`INSERT INTO archive_rules (id, account, transition) SELECT $1 || i, $1, 'archive' FROM generate_series(1, 3) i`,
		`INSERT INTO api_tokens (id, user_name, name, hash, account, expires_at)
		 SELECT $1 || i, 'user-of-' || $1, i, ($1 || i)::bytea, $1, now() FROM generate_series(1, 3) i`,
		`INSERT INTO audit_log (user_name, user_account, account, action, status) VALUES ('u', $1, $1, 'a', 200)`,
	} {
		if _, err := s.Pool().Exec(t.Context(), q, account); err != nil {
			t.Fatalf("%s: %v", q, err)
		}
	}
	for table, n := range owned(t, s, account) {
		if n == 0 && table != "user_roles" {
			t.Errorf("table %s: the test gives the account nothing of it", table)
		}
	}
}
