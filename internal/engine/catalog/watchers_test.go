package catalog

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/enginetest"
	"windlass/internal/engine/registry"
	"windlass/internal/engine/store"
)

// world is a catalog over a database and a registry whose temper can change.
type world struct {
	*Catalog
	t     *testing.T
	store *store.Store
	reg   *enginetest.TestRegistry
	fails atomic.Int32 // status of every answer of the registry; 0: it works
	asked atomic.Int32
	gets  atomic.Int32 // of manifests

	failAfter atomic.Int32 // so many of those it is down; 0: never
}

func newWorld(t *testing.T, o registry.Options) *world {
	w := &world{t: t, store: enginetest.Store(t)}
	w.reg = enginetest.Registry(t, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			w.asked.Add(1)
			if r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/manifests/") {
				w.gets.Add(1)
			}
			if limit := w.failAfter.Load(); limit > 0 && w.gets.Load() > limit {
				rw.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			if code := w.fails.Load(); code != 0 {
				if code == http.StatusUnauthorized {
					rw.Header().Set("WWW-Authenticate", `Basic realm="x"`)
				}
				rw.WriteHeader(int(code))
				return
			}
			next.ServeHTTP(rw, r)
		})
	})
	w.store.SetSecretKey([32]byte{1})
	w.exec(`INSERT INTO accounts (name, type) VALUES ('admin', 'admin') ON CONFLICT DO NOTHING`)
	w.Catalog = &Catalog{
		Store: w.store, Watches: w.store, Registry: registry.New(o), Credentials: w.store.Registries,
		Holder: "h/1", Host: "h", Log: enginetest.Logger(t),
	}
	return w
}

func (w *world) exec(q string, args ...any) {
	w.t.Helper()
	if _, err := w.store.Pool().Exec(context.Background(), q, args...); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) count(q string, args ...any) (n int) {
	w.t.Helper()
	if err := w.store.Pool().QueryRow(context.Background(), q, args...).Scan(&n); err != nil {
		w.t.Fatal(err)
	}
	return n
}

func (w *world) push(repoTag string, n int) string {
	w.t.Helper()
	return w.reg.Push(w.t, repoTag, enginetest.Image(w.t, enginetest.Files{"n": fmt.Sprint(n)}))
}

func (w *world) add(tag string, a engine.AddImage) engine.Image {
	w.t.Helper()
	a.Account, a.Tag = "admin", tag
	i, err := w.AddImage(w.t.Context(), a)
	if err != nil {
		w.t.Fatal(err)
	}
	return i
}

// looks makes everything of a type due and looks until nothing is.
func (w *world) looks(t engine.SubscriptionType) int {
	w.t.Helper()
	w.exec(`UPDATE subscriptions SET next_check = now() WHERE type = $1`, t)
	return w.drain(t)
}

func (w *world) drain(t engine.SubscriptionType) int {
	w.t.Helper()
	look := w.checkTag
	if t == engine.SubRepoUpdate {
		look = w.checkRepository
	}
	for n := 0; ; n++ {
		more, err := w.next(w.t.Context(), t, look)
		if err != nil {
			w.t.Fatal(err)
		}
		if !more {
			return n
		}
		if n > 200 {
			w.t.Fatal("the watcher finds no end")
		}
	}
}

// next looks at what is due for longest; false when nothing is.
func (w *world) next(ctx context.Context, t engine.SubscriptionType, look look) (bool, error) {
	held, ok, err := w.store.LeaseWatch(w.t.Context(), t, w.Holder, time.Minute)
	if err != nil || !ok {
		return false, err
	}
	return true, w.lookAt(ctx, held, time.Hour, look)
}

func (w *world) sub(key string, t engine.SubscriptionType) engine.Subscription {
	w.t.Helper()
	v, err := w.store.Subscription(w.t.Context(), "admin", engine.SubscriptionID("admin", key, t))
	if err != nil {
		w.t.Fatal(err)
	}
	return v
}

func (w *world) events(kind string) int {
	return w.count(`SELECT count(*) FROM events WHERE type = $1`, kind)
}

func TestLeaseOfAWatchIsExclusiveAndFences(t *testing.T) {
	w := newWorld(t, registry.Options{})
	ctx := t.Context()
	w.exec(`INSERT INTO accounts (name, type, state) VALUES ('off', 'user', 'disabled'), ('svc', 'service', 'enabled')`)
	w.exec(`INSERT INTO subscriptions (account, key, type, id, active)
		SELECT a, 'docker.io/app:v1', 'tag_update', md5(a || '+docker.io/app:v1+tag_update'), true FROM unnest(ARRAY['admin', 'off', 'svc']) a`)
	held, ok, err := w.store.LeaseWatch(ctx, engine.SubTagUpdate, "h/1", time.Minute)
	if err != nil || !ok || held.Account != "admin" {
		t.Fatalf("leased %+v %v %v", held, ok, err)
	}
	if other, ok, err := w.store.LeaseWatch(ctx, engine.SubTagUpdate, "h/2", time.Minute); ok || err != nil {
		t.Errorf("a second watcher has %+v %v", other, err)
	}
	// The process dies, the next one of its host frees what it held.
	if err := w.store.ReleaseWatches(ctx, engine.SubTagUpdate, "h", "h/2"); err != nil {
		t.Fatal(err)
	}
	again, ok, err := w.store.LeaseWatch(ctx, engine.SubTagUpdate, "h/2", time.Minute)
	if err != nil || !ok {
		t.Fatalf("after the release: %v %v", ok, err)
	}
	if err := w.store.ReleaseWatches(ctx, engine.SubTagUpdate, "h", "h/2"); err != nil {
		t.Fatal(err)
	}
	if err := w.store.FinishWatch(ctx, held, store.WatchResult{Next: time.Hour}); err != engine.ErrLeaseLost && !strings.Contains(fmt.Sprint(err), "lease lost") {
		t.Errorf("the dead one finishes with %v, want ErrLeaseLost", err)
	}
	if err := w.store.FinishWatch(ctx, again, store.WatchResult{Next: time.Hour}); err != nil {
		t.Error(err)
	}
	v := w.sub("docker.io/app:v1", engine.SubTagUpdate)
	if left := time.Until(v.NextCheck); left < 59*time.Minute || v.CheckedAt.IsZero() {
		t.Errorf("next look in %v, last at %v", left, v.CheckedAt)
	}
	// Who asks for a look while one goes on gets another.
	if _, err := w.store.CheckNow(ctx, "admin", v.ID); err != nil {
		t.Fatal(err)
	}
	held, _, _ = w.store.LeaseWatch(ctx, engine.SubTagUpdate, "h/2", time.Minute)
	if _, err := w.store.CheckNow(ctx, "admin", v.ID); err != nil {
		t.Fatal(err)
	}
	if err := w.store.FinishWatch(ctx, held, store.WatchResult{Next: time.Hour}); err != nil {
		t.Fatal(err)
	}
	if left := time.Until(w.sub("docker.io/app:v1", engine.SubTagUpdate).NextCheck); left > 0 {
		t.Errorf("the look that was asked for comes in %v", left)
	}
}

func TestTagThatMoves(t *testing.T) {
	w := newWorld(t, registry.Options{})
	w.exec(`INSERT INTO webhooks (account, id, type, url, password) VALUES ('admin', 'w', 'general', 'http://127.0.0.1:1/', '')`)
	name := w.push("team/app:v1", 1)
	first := w.add(name, engine.AddImage{AutoSubscribe: true, Annotations: map[string]any{"team": "blue"}})
	w.add(w.push("team/quiet:v1", 2), engine.AddImage{})

	if n := w.looks(engine.SubTagUpdate); n != 1 {
		t.Errorf("%d looks, want one at what is active", n)
	}
	gets := w.gets.Load()
	w.looks(engine.SubTagUpdate)
	if got := w.gets.Load(); got != gets || w.count(`SELECT count(*) FROM images`) != 2 {
		t.Errorf("an unchanged tag cost %d manifests", got-gets)
	}

	w.push("team/app:v1", 3)
	w.exec(`UPDATE subscriptions SET active = false WHERE type = 'analysis_update'`)
	w.looks(engine.SubTagUpdate)
	list, _, err := w.store.ImagesByTag(t.Context(), "admin", first.Tags[0], engine.ImageFilter{Limit: 1})
	if err != nil || len(list) != 1 || list[0].Digest == first.Digest || list[0].Annotations["team"] != "blue" {
		t.Fatalf("newest of the tag %+v, %v", list, err)
	}
	notes, err := w.store.Notifications(t.Context(), "admin", engine.NotificationFilter{Limit: 10})
	if err != nil || len(notes) != 1 {
		t.Fatalf("%d notifications, %v; want 1", len(notes), err)
	}
	n := notes[0]
	want := fmt.Sprintf("map[annotations:map[team:blue] curr_eval:[%s] last_eval:[%s]]", list[0].Digest, first.Digest)
	var payload map[string]any
	if err := w.store.Pool().QueryRow(t.Context(), `SELECT payload FROM notifications`).Scan(&payload); err != nil {
		t.Fatal(err)
	}
	if n.Type != "tag_update" || n.Key != name || fmt.Sprint(payload) != want {
		t.Errorf("notification %s %s %v, want %s", n.Type, n.Key, payload, want)
	}
	if v := w.sub(name, engine.SubAnalysisUpdate); v.Active {
		t.Error("what somebody switched off came on because the tag moved")
	}
	// And back: the first image is the newest again, and that is told too.
	w.push("team/app:v1", 1)
	w.looks(engine.SubTagUpdate)
	list, _, _ = w.store.ImagesByTag(t.Context(), "admin", first.Tags[0], engine.ImageFilter{Limit: 1})
	notes, _ = w.store.Notifications(t.Context(), "admin", engine.NotificationFilter{Limit: 10})
	if list[0].Digest != first.Digest || len(notes) != 2 {
		t.Errorf("moved back: newest %s, %d notifications", list[0].Digest, len(notes))
	}
	w.looks(engine.SubTagUpdate)
	if n := w.count(`SELECT count(*) FROM notifications`); n != 2 {
		t.Errorf("%d notifications after a look at nothing new", n)
	}
}

func TestTagWhoseRegistryFails(t *testing.T) {
	for name, tc := range map[string]struct {
		code int
		user string
		rest bool // all of the registry or the credential are left alone
	}{
		"is down":                     {503, "", true},
		"wants a password":            {401, "", false},
		"takes not the password":      {401, "me", true},
		"does not have the image now": {404, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, registry.Options{})
			a, b := w.push("team/a:1", 1), w.push("team/b:1", 2)
			w.add(a, engine.AddImage{AutoSubscribe: true})
			w.add(b, engine.AddImage{AutoSubscribe: true})
			if tc.user != "" {
				if _, err := w.store.AddRegistry(t.Context(), engine.Registry{Account: "admin", Name: w.reg.Host, Label: "x", Type: "docker_v2", User: tc.user, Password: "x"}); err != nil {
					t.Fatal(err)
				}
			}
			w.fails.Store(int32(tc.code))
			want := 2
			if tc.rest {
				want = 1
			}
			if n := w.looks(engine.SubTagUpdate); n != want {
				t.Errorf("%d looks, want %d", n, want)
			}
			if tc.rest {
				first, last := time.Hour, time.Duration(0)
				for _, k := range []string{a, b} {
					left := time.Until(w.sub(k, engine.SubTagUpdate).NextCheck)
					first, last = min(first, left), max(last, left)
				}
				if first < 50*time.Second || last > 100*time.Second {
					t.Errorf("the next looks are in %v and %v", first, last)
				}
			}
			w.looks(engine.SubTagUpdate) // again, at one or both
			w.looks(engine.SubTagUpdate)
			if n := w.events(engine.EvRegistryLookupFailed); n < 1 || n > 2 {
				t.Errorf("%d events, want one for each tag at most", n)
			}
			if failed, _, _ := w.store.Subscriptions(t.Context(), "admin", engine.SubscriptionFilter{Failed: true}); len(failed) == 0 || failed[0].LastError == "" {
				t.Error("the failure is not kept")
			}
			w.fails.Store(0)
			w.looks(engine.SubTagUpdate)
			if failed, _, _ := w.store.Subscriptions(t.Context(), "admin", engine.SubscriptionFilter{Failed: true}); len(failed) != 0 {
				t.Errorf("still failed: %+v", failed)
			}
		})
	}
}

func TestTagWhoseImageIsTooLarge(t *testing.T) {
	w := newWorld(t, registry.Options{})
	name := w.push("team/app:v1", 1)
	w.add(name, engine.AddImage{AutoSubscribe: true})
	w.Registry = registry.New(registry.Options{MaxImageSize: 1 << 20})
	w.reg.Push(t, "team/app:v1", enginetest.Image(t, enginetest.Files{"big": noise(2 << 20)}))
	w.looks(engine.SubTagUpdate)
	v := w.sub(name, engine.SubTagUpdate)
	if !strings.HasPrefix(v.LastError, "Image size is too large") || w.events(engine.EvRegistryLookupFailed) != 0 || w.count(`SELECT count(*) FROM images`) != 1 {
		t.Errorf("%+v", v)
	}
	w.Registry = registry.New(registry.Options{})
	w.looks(engine.SubTagUpdate)
	if w.count(`SELECT count(*) FROM images`) != 2 {
		t.Error("with a higher limit it is not added")
	}
}

// noise is text that does not compress.
func noise(n int) string {
	b := make([]byte, n)
	x := uint32(1)
	for i := range b {
		x = x*1664525 + 1013904223
		b[i] = byte(x >> 24)
	}
	return string(b)
}

// A subscription that is switched off while its watcher is at the registry
// adds nothing.
func TestSwitchedOffWhileItIsLookedAt(t *testing.T) {
	w := newWorld(t, registry.Options{})
	name := w.push("team/app:v1", 1)
	w.add(name, engine.AddImage{AutoSubscribe: true})
	w.push("team/app:v1", 2)
	more, err := w.next(t.Context(), engine.SubTagUpdate, func(ctx context.Context, held store.Watched) (store.WatchResult, error) {
		off := false
		if _, err := w.store.UpdateSubscription(ctx, "admin", held.ID, engine.SubscriptionUpdate{Active: &off}); err != nil {
			t.Fatal(err)
		}
		return w.checkTag(ctx, held)
	})
	if err != nil || !more || w.count(`SELECT count(*) FROM images`) != 1 {
		t.Errorf("%v %v, %d images", more, err, w.count(`SELECT count(*) FROM images`))
	}
}

func TestWatcherThatNeverEnds(t *testing.T) {
	w := newWorld(t, registry.Options{})
	w.add(w.push("team/app:v1", 1), engine.AddImage{AutoSubscribe: true})
	broken := func(context.Context, store.Watched) (store.WatchResult, error) {
		return store.WatchResult{}, fmt.Errorf("boom")
	}
	if _, err := w.next(t.Context(), engine.SubTagUpdate, broken); err != nil {
		t.Fatal(err)
	}
	if more, err := w.next(t.Context(), engine.SubTagUpdate, broken); more || err != nil {
		t.Errorf("one that is broken is looked at again at once: %v %v", more, err)
	}
	// A stop in the middle leaves it due.
	w.exec(`UPDATE subscriptions SET next_check = now()`)
	ctx, cancel := context.WithCancel(t.Context())
	_, err := w.next(ctx, engine.SubTagUpdate, func(ctx context.Context, _ store.Watched) (store.WatchResult, error) {
		cancel()
		return store.WatchResult{}, ctx.Err()
	})
	if n := w.drain(engine.SubTagUpdate); err != nil || n != 1 {
		t.Errorf("after a stop: %v, %d looks; want 1", err, n)
	}
}

// Several processes over one database share the work: nothing is looked at
// twice, and all ends when they are told to stop.
func TestWatchersShareTheWork(t *testing.T) {
	w := newWorld(t, registry.Options{})
	const n = 40
	w.exec(`INSERT INTO subscriptions (account, key, type, id, active)
		SELECT 'admin', $1 || '/app:t' || k, 'tag_update', md5('admin+' || $1 || '/app:t' || k || '+tag_update'), true FROM generate_series(1, $2::int) k`, w.reg.Host, n)
	ctx, cancel := context.WithTimeout(t.Context(), watchFirst+3*time.Minute)
	defer cancel()
	var looks sync.Map
	var total atomic.Int32
	look := func(_ context.Context, held store.Watched) (store.WatchResult, error) {
		if _, twice := looks.LoadOrStore(held.Key, true); twice {
			t.Errorf("%s is looked at twice", held.Key)
		}
		if total.Add(1) == n {
			cancel()
		}
		return store.WatchResult{}, nil
	}
	var g sync.WaitGroup
	for k := range 3 {
		other := *w.Catalog
		other.Holder = fmt.Sprintf("h%d/1", k)
		g.Go(func() {
			if err := other.watch(ctx, engine.SubTagUpdate, 2, time.Hour, look); err != nil {
				t.Error(err)
			}
		})
	}
	g.Wait()
	if total.Load() != n {
		t.Errorf("%d looks, want %d", total.Load(), n)
	}
	if left := w.count(`SELECT count(*) FROM subscriptions WHERE lease <> ''`); left != 0 {
		t.Errorf("%d leases are left", left)
	}
}

func TestCycle(t *testing.T) {
	for set, want := range map[time.Duration]time.Duration{
		0: 0, time.Second: TagWatchMin, time.Hour: time.Hour, 1000 * time.Hour: TagWatchMax, -time.Second: time.Second, -1000 * time.Hour: 1000 * time.Hour,
	} {
		if got := engine.Cycle(set, TagWatchMin, TagWatchMax); got != want {
			t.Errorf("Cycle(%v) = %v, want %v", set, got, want)
		}
	}
}
