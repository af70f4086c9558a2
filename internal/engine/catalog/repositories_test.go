package catalog

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"

	"windlass/internal/engine"
	"windlass/internal/engine/enginetest"
	"windlass/internal/engine/registry"
)

type value struct {
	AutoSubscribe bool
	LookupTag     string
	RepoTags      []string
	TagCount      int
}

func valueOf(t *testing.T, v engine.Subscription) (out value) {
	t.Helper()
	if v.Value == nil {
		t.Fatal("no value")
	}
	if err := json.Unmarshal([]byte(*v.Value), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func (w *world) repo(a engine.AddRepository) engine.Subscription {
	w.t.Helper()
	a.Account, a.Repository = "admin", w.reg.Host+"/team/app"
	v, err := w.AddRepository(w.t.Context(), a)
	if err != nil {
		w.t.Fatal(err)
	}
	return v
}

func TestRepositoryIsAddedAndFollowed(t *testing.T) {
	w := newWorld(t, registry.Options{})
	w.push("team/app:1", 1)
	w.push("team/app:2", 2)
	key := w.reg.Host + "/team/app"

	dry := w.repo(engine.AddRepository{DryRun: true})
	if got := valueOf(t, dry); dry.Active || got.TagCount != 2 || w.count(`SELECT count(*) FROM subscriptions`) != 0 {
		t.Errorf("dry run %+v %+v", dry, got)
	}
	v := w.repo(engine.AddRepository{AutoSubscribe: true})
	if got := valueOf(t, v); !v.Active || v.Key != key || !got.AutoSubscribe || got.LookupTag != "latest" || got.TagCount != 2 || !slices.Equal(got.RepoTags, []string{"1", "2"}) {
		t.Errorf("added %+v %+v", v, got)
	}
	if n := w.drain(engine.SubRepoUpdate); n != 1 {
		t.Errorf("%d looks, want one at once", n)
	}
	if n := w.count(`SELECT count(*) FROM image_tags`); n != 2 {
		t.Errorf("%d tags were added, want the 2 that there were", n)
	}
	if v := w.sub(key+":1", engine.SubTagUpdate); !v.Active {
		t.Error("its tags are not watched")
	}
	// A second request changes the wishes alone.
	off := false
	if _, err := w.store.UpdateSubscription(t.Context(), "admin", v.ID, engine.SubscriptionUpdate{Active: &off}); err != nil {
		t.Fatal(err)
	}
	w.push("team/app:3", 3)
	v = w.repo(engine.AddRepository{})
	if got := valueOf(t, v); v.Active || got.AutoSubscribe || got.TagCount != 2 {
		t.Errorf("added again %+v %+v", v, got)
	}
	if n := w.looks(engine.SubRepoUpdate); n != 0 {
		t.Errorf("%d looks at what is not active", n)
	}
	on := true
	if _, err := w.store.UpdateSubscription(t.Context(), "admin", v.ID, engine.SubscriptionUpdate{Active: &on}); err != nil {
		t.Fatal(err)
	}
	w.drain(engine.SubRepoUpdate)
	if got := valueOf(t, w.sub(key, engine.SubRepoUpdate)); got.TagCount != 3 {
		t.Errorf("after a new tag %+v", got)
	}
	if v := w.sub(key+":3", engine.SubTagUpdate); v.Active {
		t.Error("the new tag is watched although that was not wanted")
	}
	if v := w.sub(key+":3", engine.SubAnalysisUpdate); !v.Active {
		t.Error("the analysis of the new tag is not subscribed to")
	}
	gets := w.gets.Load()
	w.looks(engine.SubRepoUpdate)
	if got := w.gets.Load() - gets; got != 0 {
		t.Errorf("a look at nothing new cost %d manifests", got)
	}
	if n := w.count(`SELECT count(*) FROM images`); n != 3 {
		t.Errorf("%d images", n)
	}
}

func TestRepositoryThatCannotBeListed(t *testing.T) {
	w := newWorld(t, registry.Options{})
	w.push("team/app:1", 1)
	key := w.reg.Host + "/team/app"
	_, err := w.AddRepository(t.Context(), engine.AddRepository{Account: "admin", Repository: w.reg.Host + "/team/none"})
	if !errors.Is(err, engine.ErrNotFound) || engine.MessageOf(err, "") != "no tags could be added from input regrepo ("+w.reg.Host+"/team/none)" {
		t.Errorf("an unknown repository: %v", err)
	}
	if _, err := w.AddRepository(t.Context(), engine.AddRepository{Account: "admin", Repository: "a b"}); !errors.Is(err, engine.ErrInvalid) {
		t.Errorf("no repository: %v", err)
	}
	if n := w.events(engine.EvListTagsFailed); n != 1 {
		t.Errorf("%d events, want 1", n)
	}
	w.repo(engine.AddRepository{})
	w.drain(engine.SubRepoUpdate)
	for round, want := range []int{2, 2, 2, 3} { // one each time that it begins to fail
		w.fails.Store(http.StatusServiceUnavailable)
		if round == 2 {
			w.fails.Store(0)
		}
		w.looks(engine.SubRepoUpdate)
		if n := w.events(engine.EvListTagsFailed); n != want {
			t.Errorf("round %d: %d events, want %d", round, n, want)
		}
	}
	if v := w.sub(key, engine.SubRepoUpdate); v.LastError == "" || valueOf(t, v).TagCount != 1 {
		t.Errorf("%+v", v)
	}
}

// Tags that are of no use to this engine are looked at once; those that are not
// there yet, again.
func TestRepositoryWithOddTags(t *testing.T) {
	w := newWorld(t, registry.Options{})
	w.push("team/app:good", 1)
	arm := enginetest.Image(t, enginetest.Files{"a": "1"})
	w.reg.PushIndex(t, "team/app:arm", mutate.AppendManifests(empty.Index, mutate.IndexAddendum{Add: arm, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "arm64"}}}))
	key := w.reg.Host + "/team/app"
	w.repo(engine.AddRepository{})
	w.drain(engine.SubRepoUpdate)
	if n := w.count(`SELECT count(*) FROM image_tags`); n != 1 {
		t.Errorf("%d tags added", n)
	}
	v := w.sub(key, engine.SubRepoUpdate)
	if !strings.Contains(v.LastError, "arm was passed over") || w.events(engine.EvRegistryLookupFailed) != 1 {
		t.Errorf("%+v, %d events", v, w.events(engine.EvRegistryLookupFailed))
	}
	gets := w.gets.Load()
	w.looks(engine.SubRepoUpdate)
	if got := w.gets.Load() - gets; got != 0 {
		t.Errorf("the odd tag cost %d manifests again", got)
	}
	// A client may give the value as it likes, or none at all.
	for text, want := range map[string]string{
		`{"autosubscribe":"True","repotags":[],"mine":[1]}`: "",
		``:                   "",
		`nonsense`:           "the value of the subscription is not a JSON object",
		`{"repotags":"all"}`: "repotags in the value of the subscription has the wrong type",
	} {
		p := &text
		if _, err := w.store.UpdateSubscription(t.Context(), "admin", v.ID, engine.SubscriptionUpdate{Value: &p}); err != nil {
			t.Fatal(err)
		}
		w.drain(engine.SubRepoUpdate)
		now := w.sub(key, engine.SubRepoUpdate)
		if want == "" {
			if got := valueOf(t, now); got.TagCount != 2 || strings.Contains(text, "mine") && (!got.AutoSubscribe || !strings.Contains(*now.Value, `"mine":[1]`)) {
				t.Errorf("%s becomes %s", text, *now.Value)
			}
		} else if now.LastError != want || *now.Value != text {
			t.Errorf("%s: %q, value %s", text, now.LastError, *now.Value)
		}
	}
}

// manyTags lists more tags than it has.
func manyTags(n int) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if !strings.HasSuffix(r.URL.Path, "/tags/list") {
				next.ServeHTTP(rw, r)
				return
			}
			fmt.Fprint(rw, `{"tags":["one"`)
			for k := range n - 1 {
				fmt.Fprintf(rw, `,"t%05d"`, k)
			}
			fmt.Fprint(rw, `]}`)
		})
	}
}

func TestRepositoryOfManyTagsIsTakenInTurns(t *testing.T) {
	const n = repoBatch + 20
	w := newWorld(t, registry.Options{})
	img := enginetest.Image(t, enginetest.Files{"a": "1"})
	w.reg = enginetest.Registry(t, func(next http.Handler) http.Handler {
		return manyTags(n)(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			// Every tag names the same image.
			if strings.Contains(r.URL.Path, "/manifests/t") {
				r.URL.Path = "/v2/team/app/manifests/one"
			}
			next.ServeHTTP(rw, r)
		}))
	})
	w.reg.Push(t, "team/app:one", img)
	w.repo(engine.AddRepository{})
	if looks := w.drain(engine.SubRepoUpdate); looks != 2 {
		t.Errorf("%d looks, want 2", looks)
	}
	if got := w.count(`SELECT count(*) FROM image_tags`); got != n {
		t.Errorf("%d tags, want %d", got, n)
	}
	if got := w.count(`SELECT cardinality(pending) FROM subscriptions WHERE type = 'repo_update'`); got != 0 {
		t.Errorf("%d are still pending", got)
	}
	if got := w.count(`SELECT count(*) FROM subscriptions WHERE type = 'vuln_update'`); got != n {
		t.Errorf("%d have subscriptions, want %d", got, n)
	}
}

// A registry that goes away in the middle of a turn, or a program that is
// killed there, costs nothing but time.
func TestRepositoryWhoseRegistryGoesAwayInTheMiddle(t *testing.T) {
	w := newWorld(t, registry.Options{})
	const n = 12
	for k := range n {
		w.push(fmt.Sprintf("team/app:%02d", k), k)
	}
	key := w.reg.Host + "/team/app"
	v := w.repo(engine.AddRepository{})
	w.failAfter.Store(int32(w.gets.Load()) + 5)
	w.drain(engine.SubRepoUpdate)
	some := w.count(`SELECT count(*) FROM image_tags`)
	if some == 0 || some >= n || w.sub(key, engine.SubRepoUpdate).LastError == "" {
		t.Fatalf("%d tags were added before the registry went away", some)
	}
	// What the killed one had not stored yet is done again, and found done.
	w.exec(`UPDATE subscriptions SET pending = (SELECT array_agg(lpad(k::text, 2, '0')) FROM generate_series(0, $2) k) WHERE id = $1`, v.ID, n-1)
	w.exec(`UPDATE subscriptions SET lease = 'dead/1', leased_until = now() + interval '1 hour' WHERE id = $1`, v.ID)
	w.failAfter.Store(0)
	if looks := w.looks(engine.SubRepoUpdate); looks != 0 {
		t.Errorf("%d looks at what another holds", looks)
	}
	w.exec(`UPDATE subscriptions SET leased_until = now() - interval '1 second' WHERE id = $1`, v.ID)
	w.looks(engine.SubRepoUpdate)
	if all := w.count(`SELECT count(*) FROM image_tags`); all != n || w.count(`SELECT count(*) FROM images`) != n || w.count(`SELECT count(*) FROM jobs`) != n {
		t.Errorf("%d tags in the end, want %d", all, n)
	}
	if v := w.sub(key, engine.SubRepoUpdate); v.LastError != "" || valueOf(t, v).TagCount != n || w.count(`SELECT cardinality(pending) FROM subscriptions WHERE id = $1`, v.ID) != 0 {
		t.Errorf("%+v", v)
	}
}

func FuzzRepoValue(f *testing.F) {
	for _, s := range []string{`{"autosubscribe":true,"lookuptag":"latest","repotags":["a"],"tagcount":1}`, `{}`, `null`, `[]`, ``, `{"repotags":null,"x":{"y":[]}}`, `{"autosubscribe":"False"}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, err := parseRepoValue(&s)
		if err != nil {
			return
		}
		text := v.with([]string{"new"}, registry.Tags{More: true}).text()
		again, err := parseRepoValue(&text)
		if err != nil || !slices.Contains(again.Tags, "new") && len(v.Tags) < registry.MaxTags || again.AutoSubscribe != v.AutoSubscribe || again.LookupTag != v.LookupTag {
			t.Errorf("%q becomes %q, %v", s, text, err)
		}
	})
}
