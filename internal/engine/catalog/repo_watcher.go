package catalog

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"windlass/internal/engine"
	"windlass/internal/engine/registry"
	"windlass/internal/engine/store"
)

const (
	// repoTurn is how long one look adds tags. What is left is taken up at
	// once in the next, from what this one has stored: a stop loses nothing,
	// and one large repository does not keep the others waiting.
	repoTurn = 2 * time.Minute
	// repoAdders is how many tags of one repository are looked up at once.
	repoAdders = 4
	// repoBatch is how many tags a turn takes at most.
	repoBatch = 500
)

// checkRepository lists the tags of a repository and adds those that are new.
func (c *Catalog) checkRepository(ctx context.Context, w store.Watched) (store.WatchResult, error) {
	ref, err := parseRepository(w.Key)
	if err != nil {
		return store.WatchResult{Error: "the key is not the name of a repository"}, nil
	}
	v, err := parseRepoValue(w.Value)
	if err != nil {
		return store.WatchResult{Error: engine.MessageOf(err, "the value cannot be read")}, nil
	}
	creds, err := c.Credentials(ctx, w.Account)
	if err != nil {
		return store.WatchResult{}, err
	}
	listed, err := c.Registry.Tags(ctx, ref, creds)
	if err != nil {
		return c.failed(ctx, w, ref, creds, err, c.listFailed(w.Account, w.Key, err))
	}
	todo := v.missing(listed.Names, w.Pending)
	if len(todo) > repoBatch {
		// Tags that cannot be added must not stand before all others forever.
		rand.Shuffle(len(todo), func(i, j int) { todo[i], todo[j] = todo[j], todo[i] })
	}
	turn := repoAdd{c: c, w: &w, ref: ref, creds: creds, watch: v.AutoSubscribe}
	if err := turn.run(ctx, todo[:min(len(todo), repoBatch)]); err != nil {
		return store.WatchResult{}, err
	}
	r := store.WatchResult{Error: turn.problem}
	if listed.More && r.Error == "" {
		r.Error = fmt.Sprintf("the repository has more than %d tags: the first %d are watched", registry.MaxTags, registry.MaxTags)
	}
	if len(turn.done) > 0 && len(turn.done)+turn.skipped < len(todo) {
		r.Next = time.Millisecond // the rest, now
	}
	if len(turn.done) > 0 || len(w.Pending) > 0 || len(v.Tags) != len(v.with(nil, listed).Tags) {
		r.Change = func(value *string, pending []string) (*string, []string) {
			now, err := parseRepoValue(value)
			if err != nil {
				return value, pending // somebody has just broken it; the next look will say so
			}
			text := now.with(turn.done, listed).text()
			return &text, remaining(pending, turn.done, listed)
		}
	}
	if turn.broken != nil {
		// The rest would fail in the same way.
		f, err := c.failed(ctx, w, ref, creds, turn.broken, c.lookupFailed(w.Account, turn.at, turn.broken))
		f.Change = r.Change
		return f, err
	}
	return r, nil
}

// remaining are the tags that are still to be added: those that were, without
// those that have been or are gone.
func remaining(pending, done []string, listed registry.Tags) []string {
	out := make(map[string]bool, len(done))
	for _, t := range done {
		out[t] = true
	}
	has := make(map[string]bool, len(listed.Names))
	for _, t := range listed.Names {
		has[t] = true
	}
	return slices.DeleteFunc(pending, func(t string) bool { return out[t] || !has[t] })
}

// repoAdd adds tags of one repository, several at once.
type repoAdd struct {
	c     *Catalog
	w     *store.Watched
	ref   registry.Reference
	creds []engine.Registry
	watch bool

	mu      sync.Mutex
	done    []string // need not be looked at again
	skipped int      // to be tried again in the next period
	problem string   // the first, for who looks at the subscription
	broken  error    // the registry gives nothing more
	at      registry.Reference
}

func (a *repoAdd) run(ctx context.Context, tags []string) error {
	end := time.Now().Add(repoTurn)
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(repoAdders)
	for _, tag := range tags {
		if time.Now().After(end) || ctx.Err() != nil || a.isBroken() {
			break
		}
		g.Go(func() error { return a.one(ctx, tag) })
	}
	return g.Wait()
}

func (a *repoAdd) isBroken() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.broken != nil
}

// one adds a tag. What will not change by itself, such as an image for another
// platform, is told once and then taken for done.
func (a *repoAdd) one(ctx context.Context, tag string) error {
	ref := a.ref
	ref.Tag = tag
	found, err := a.c.Registry.Resolve(ctx, ref, a.creds)
	if err == nil {
		add := newImage(a.w.Account, ref, tag, found)
		add.Watch, add.AutoSubscribe = a.w, a.watch
		if _, err = a.c.record(ctx, add); err == nil {
			a.finish(tag, "")
			return nil
		}
	}
	var f *engine.Fault
	if !errors.As(err, &f) || ctx.Err() != nil {
		return err
	}
	cause, _ := engine.CauseOf(err)
	switch {
	case cause.WholeRegistry(), cause.Code == engine.CauseRegistryAuth:
		a.mu.Lock()
		defer a.mu.Unlock()
		if a.broken == nil {
			a.broken, a.at = err, ref
		}
		return nil
	case cause.Code == engine.CauseManifestUnknown, cause.Code == engine.CauseDigest, cause.Code == "":
		// Listed and not there: it is being pushed or removed. Or it is not the
		// registry that will not have it.
		a.skip(f.Message)
		return nil
	}
	if !isTooLarge(err) {
		if err := a.c.Store.AddEvent(ctx, a.c.lookupFailed(a.w.Account, ref, err)); err != nil {
			return err
		}
	}
	a.c.Log.WarnContext(ctx, "tag passed over", "account", a.w.Account, "tag", ref.Full(), "err", err)
	a.finish(tag, ref.Full()+" was passed over: "+f.Message)
	return nil
}

func (a *repoAdd) finish(tag, problem string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.done = append(a.done, tag)
	if a.problem == "" {
		a.problem = problem
	}
}

func (a *repoAdd) skip(problem string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.skipped++
	if a.problem == "" {
		a.problem = problem
	}
}

// listFailed is the event of a repository whose tags could not be listed.
func (c *Catalog) listFailed(account, key string, err error) engine.Event {
	return engine.NewEvent(engine.EvListTagsFailed, account, key, failureDetails(err), c.Source)
}
