package notify

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/enginetest"
	"windlass/internal/engine/store"
)

func TestNextTry(t *testing.T) {
	at := func(s int) time.Time { return queued.Add(time.Duration(s) * time.Second) }
	var got []int
	now := at(0)
	for n := 1; ; n++ {
		next := nextTry(engine.Notification{QueuedAt: queued, Attempts: n}, 30*time.Second, now)
		if next.IsZero() {
			break
		}
		got = append(got, int(next.Sub(queued).Seconds()))
		now = next
	}
	want := []int{1, 3, 7, 15, 30}
	if len(got) != len(want) || got[3] != 15 || got[4] != 30 {
		t.Errorf("tries at %v, want %v", got, want)
	}
	if next := nextTry(engine.Notification{QueuedAt: queued, Attempts: 1}, 30*time.Second, at(3600)); !next.IsZero() {
		t.Errorf("a late one is tried again at %v", next)
	}
}

// world is a store whose account admin subscribes to one tag, and a deliverer.
func world(t *testing.T, s Settings) (*store.Store, *Deliverer) {
	t.Helper()
	db := enginetest.Store(t)
	db.SetSecretKey([32]byte{1})
	if err := db.SetWebhookSettings(t.Context(), s.Webhooks, nil); err != nil {
		t.Fatal(err)
	}
	const q = `INSERT INTO subscriptions (account, key, type, id, active) VALUES ('admin', 'reg/app:1', 'tag_update', 'x', true)`
	if _, err := db.Pool().Exec(t.Context(), q); err != nil {
		t.Fatal(err)
	}
	log := enginetest.Logger(t)
	return db, &Deliverer{Queue: db, Client: NewClient(s), Settings: s, Log: log}
}

func tell(t *testing.T, db *store.Store) {
	t.Helper()
	n := engine.Notification{Account: "admin", Type: "tag_update", Key: "reg/app:1", Payload: map[string]any{"curr_eval": []string{"sha256:1"}}}
	if err := db.Notify(t.Context(), n); err != nil {
		t.Fatal(err)
	}
}

func states(t *testing.T, db *store.Store) []engine.Notification {
	t.Helper()
	list, err := db.Notifications(t.Context(), "admin", engine.NotificationFilter{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// again makes all that waits due now.
func again(t *testing.T, db *store.Store) {
	t.Helper()
	if _, err := db.Pool().Exec(t.Context(), `UPDATE notifications SET next_try = now()`); err != nil {
		t.Fatal(err)
	}
}

func TestDeliveryIsRetried(t *testing.T) {
	var calls atomic.Int32
	r := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if calls.Add(1) == 1 {
			http.Error(w, "not yet", http.StatusInternalServerError)
		}
	}))
	t.Cleanup(r.Close)
	db, d := world(t, Settings{Webhooks: []engine.Webhook{{Type: "tag_update", URL: r.URL}}})
	tell(t, db)
	if n, err := d.step(t.Context(), "setting:tag_update"); n != 1 || err != nil {
		t.Fatalf("%d %v", n, err)
	}
	n := states(t, db)[0]
	if n.State != engine.DeliveryPending || n.Status != 500 || n.Attempts != 1 || !n.NextTry.After(n.TriedAt) {
		t.Fatalf("after the first attempt: %+v", n)
	}
	again(t, db)
	if _, err := d.step(t.Context(), "setting:tag_update"); err != nil {
		t.Fatal(err)
	}
	if n := states(t, db)[0]; n.State != engine.DeliveryDelivered || n.Attempts != 2 || n.Status != 200 || n.Error != "" {
		t.Errorf("after the second: %+v", n)
	}
}

func TestDeliveryIsGivenUp(t *testing.T) {
	r := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(r.Close)
	db, d := world(t, Settings{Webhooks: []engine.Webhook{{Type: "tag_update", URL: r.URL}}})
	tell(t, db)
	// No worker ran for an hour: there is one attempt all the same.
	if _, err := db.Pool().Exec(t.Context(), `UPDATE notifications SET queued_at = now() - interval '1 hour'`); err != nil {
		t.Fatal(err)
	}
	if _, err := d.step(t.Context(), "setting:tag_update"); err != nil {
		t.Fatal(err)
	}
	n := states(t, db)[0]
	if n.State != engine.DeliveryFailed || n.Error != "it answers 404 Not Found" {
		t.Fatalf("%+v", n)
	}
	if _, err := db.Redeliver(t.Context(), "admin", n.Seq); err != nil {
		t.Fatal(err)
	}
	if _, err := d.step(t.Context(), "setting:tag_update"); err != nil {
		t.Fatal(err)
	}
	if n := states(t, db)[0]; n.State != engine.DeliveryPending {
		t.Errorf("the time to give up did not begin anew: %+v", n)
	}
}

func TestSectionWithoutURLFails(t *testing.T) {
	db, d := world(t, Settings{Webhooks: []engine.Webhook{{Type: "tag_update"}, {Type: "general", URL: "http://127.0.0.1:1"}}})
	tell(t, db)
	if _, err := d.step(t.Context(), "setting:tag_update"); err != nil {
		t.Fatal(err)
	}
	list := states(t, db)
	if len(list) != 1 || list[0].State != engine.DeliveryFailed || list[0].Error != "the webhook tag_update has no url" {
		t.Errorf("%+v", list)
	}
}

// TestSlowReceiverHoldsNobody runs the worker whole: one receiver never
// answers, the other gets all of its own meanwhile.
func TestSlowReceiverHoldsNobody(t *testing.T) {
	got := make(chan struct{}, 16)
	fast := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { got <- struct{}{} }))
	t.Cleanup(fast.Close)
	stuck := make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-stuck }))
	t.Cleanup(slow.Close)
	t.Cleanup(func() { close(stuck) })
	db, d := world(t, Settings{Timeout: time.Minute, Webhooks: []engine.Webhook{{Type: "tag_update", URL: slow.URL}, {Type: "general", URL: fast.URL}}})
	for range 10 {
		tell(t, db)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- d.Run(ctx) }()
	for range 10 {
		<-got
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("stopped with %v", err)
	}
	waiting := 0
	for _, n := range states(t, db) {
		if n.Webhook == "setting:tag_update" && n.State == engine.DeliveryPending {
			waiting++
		}
	}
	if waiting != 10 {
		t.Errorf("%d of 10 still wait for the slow one", waiting)
	}
}

// TestHostsShareTheWork runs two workers on one database: each notification
// arrives once, whichever of them takes it.
func TestHostsShareTheWork(t *testing.T) {
	const all = 40
	got := make(chan string, 2*all)
	r := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var e envelope
		if err := json.NewDecoder(r.Body).Decode(&e); err != nil {
			t.Error(err)
		}
		got <- e.DataID
	}))
	t.Cleanup(r.Close)
	s := Settings{Webhooks: []engine.Webhook{{Type: "general", URL: r.URL}}}
	db, one := world(t, s)
	two := &Deliverer{Queue: db, Client: NewClient(s), Settings: s, Log: enginetest.Logger(t)}
	for range all {
		tell(t, db)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	for _, d := range []*Deliverer{one, two} {
		go func() { done <- d.Run(ctx) }()
	}
	seen := map[string]bool{}
	for range all {
		id := <-got
		if seen[id] {
			t.Errorf("%s came twice", id)
		}
		seen[id] = true
	}
	cancel()
	for range 2 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if len(got) != 0 {
		t.Errorf("%d more", len(got))
	}
}

// A webhook that goes or is switched off takes what waits for it along.
func TestNowhereToGo(t *testing.T) {
	for why, q := range map[string]string{
		"its webhook was removed":     `DELETE FROM webhooks`,
		"its webhook is switched off": `UPDATE webhooks SET enabled = false`,
	} {
		db, d := world(t, Settings{Webhooks: []engine.Webhook{{Type: "general", URL: "http://127.0.0.1:1"}}})
		tell(t, db)
		if _, err := db.Pool().Exec(t.Context(), q); err != nil {
			t.Fatal(err)
		}
		if _, err := d.step(t.Context(), "setting:general"); err != nil {
			t.Fatal(err)
		}
		if n := states(t, db)[0]; n.State != engine.DeliveryFailed || n.Error != why {
			t.Errorf("%+v, want %q", n, why)
		}
	}
}

func TestLanesTakeTurns(t *testing.T) {
	var d Deliverer
	var due []string
	for i := range 2 * maxLanes {
		due = append(due, fmt.Sprintf("%02d", i))
	}
	due = append(due, "setting:general")
	first := d.claim(slices.Clone(due))
	if len(first) != maxLanes+1 || first[maxLanes] != "setting:general" {
		t.Fatalf("lanes for %v", first)
	}
	if more := d.claim(slices.Clone(due)); len(more) != 0 {
		t.Errorf("more lanes for %v", more)
	}
	for _, id := range first {
		d.release(id, false)
	}
	second := d.claim(slices.Clone(due))
	if len(second) != maxLanes+1 || second[0] != "32" {
		t.Errorf("the second turn is for %v", second)
	}
	for _, id := range second {
		d.release(id, true)
	}
	if len(d.served) != maxLanes || d.taken != 0 {
		t.Errorf("remembers %d, %d lanes taken", len(d.served), d.taken)
	}
}
