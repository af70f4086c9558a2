package catalog

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"golang.org/x/sync/errgroup"

	"windlass/internal/engine"
	"windlass/internal/engine/registry"
	"windlass/internal/engine/store"
	"windlass/internal/engine/supervise"
)

// The watchers look at what has been subscribed to: which image a tag names,
// and which tags a repository holds. There is no sweep over all at once: each
// subscription is due at a time of its own, and whoever is free takes the one
// that is due for longest and holds it under a lease. So any number of hosts
// share the work without doing any of it twice, thousands of tags spread over
// the period, and a watcher that dies leaves nothing but a lease that lapses.

const (
	// watchPoll is how soon what became due is taken up.
	watchPoll = 2 * time.Second
	// watchFirst lets a starting engine settle.
	watchFirst = 5 * time.Second
	// watchLease is longer than any look takes; see repoTurn.
	watchLease = 6 * time.Minute
	tagHands   = 4
	repoHands  = 2
	// restFor is how long a registry or a credential that has just failed is
	// left alone.
	restFor = time.Minute
)

// Bounds of the watchers' periods.
const (
	TagWatchMin, TagWatchMax   = 5 * time.Minute, 7 * 24 * time.Hour
	RepoWatchMin, RepoWatchMax = time.Minute, 7 * 24 * time.Hour
)

// Watches is what the watchers ask of the database.
type Watches interface {
	LeaseWatch(ctx context.Context, t engine.SubscriptionType, holder string, ttl time.Duration) (store.Watched, bool, error)
	FinishWatch(ctx context.Context, w store.Watched, r store.WatchResult) error
	ReleaseWatch(ctx context.Context, w store.Watched) error
	ReleaseWatches(ctx context.Context, t engine.SubscriptionType, host, holder string) error
	PostponeWatches(ctx context.Context, account string, t engine.SubscriptionType, prefix string, pause time.Duration) error
	PutRepository(ctx context.Context, v engine.Subscription, pending []string, change func(value *string) string) (engine.Subscription, error)
	CheckNow(ctx context.Context, account, id string) (engine.Subscription, error)
	ImagesByTag(ctx context.Context, account string, t engine.ImageTag, f engine.ImageFilter) ([]engine.Image, string, error)
}

// WatchTags looks at the images of subscribed tags until ctx ends; each about
// once a period, never when that is 0.
func (c *Catalog) WatchTags(ctx context.Context, period time.Duration) error {
	return c.watch(ctx, engine.SubTagUpdate, tagHands, period, c.checkTag)
}

// WatchRepositories looks for new tags of subscribed repositories until ctx
// ends; in each about once a period, never when that is 0.
func (c *Catalog) WatchRepositories(ctx context.Context, period time.Duration) error {
	return c.watch(ctx, engine.SubRepoUpdate, repoHands, period, c.checkRepository)
}

// look is one look at a subscription. It gives Next only where that is not to
// be a whole period.
type look func(context.Context, store.Watched) (store.WatchResult, error)

func (c *Catalog) watch(ctx context.Context, t engine.SubscriptionType, hands int, period time.Duration, look look) error {
	if period == 0 {
		<-ctx.Done()
		return nil
	}
	if err := c.Watches.ReleaseWatches(ctx, t, c.Host, c.Holder); err != nil {
		return err
	}
	if !pause(ctx, watchFirst) {
		return nil
	}
	g, ctx := errgroup.WithContext(ctx)
	free := make(chan struct{}, hands)
	g.Go(func() error {
		return supervise.Every(ctx, watchPoll, func(ctx context.Context) error {
			for {
				select {
				case <-ctx.Done():
					return nil
				case free <- struct{}{}:
				}
				w, ok, err := c.Watches.LeaseWatch(ctx, t, c.Holder, watchLease)
				if err != nil || !ok {
					<-free
					return err
				}
				g.Go(func() error {
					defer func() { <-free }()
					return c.lookAt(ctx, w, period, look)
				})
			}
		})
	})
	return g.Wait()
}

// lookAt looks at a leased subscription and stores what it came to.
func (c *Catalog) lookAt(ctx context.Context, w store.Watched, period time.Duration, look look) error {
	held, cancel := context.WithTimeout(ctx, watchLease-30*time.Second)
	defer cancel()
	r, err := look(held, w)
	// What it came to is stored even when all is to stop.
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	switch {
	case errors.Is(err, engine.ErrLeaseLost):
		// Switched off, removed or changed hands meanwhile: what was found is
		// nobody's any more.
		c.Log.InfoContext(ctx, "watch given up", "type", w.Type, "account", w.Account, "key", w.Key)
		return c.Watches.ReleaseWatch(end, w)
	case err != nil && ctx.Err() != nil:
		return c.Watches.ReleaseWatch(end, w)
	case err != nil:
		// Not its turn again at once: one that never ends well must not keep
		// the others waiting.
		c.Log.ErrorContext(ctx, "watch broken", "type", w.Type, "account", w.Account, "key", w.Key, "err", err)
		r = store.WatchResult{Error: engine.MessageOf(err, "the look ended with an internal error")}
	}
	if r.Next == 0 {
		r.Next = jittered(period)
	}
	err = c.Watches.FinishWatch(end, w, r)
	if errors.Is(err, engine.ErrLeaseLost) {
		err = nil
	}
	return err
}

// jittered is a period with a tenth more or less, so that what began together
// does not stay together.
func jittered(period time.Duration) time.Duration {
	return period*9/10 + rand.N(period/5+1)
}

// pause waits; false when ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// failed is the result of a look whose registry did not give what was asked
// for. When it is the registry or the credential that is to blame, all that
// depends on it is left alone for a while.
func (c *Catalog) failed(ctx context.Context, w store.Watched, ref registry.Reference, creds []engine.Registry, err error, e engine.Event) (store.WatchResult, error) {
	var f *engine.Fault
	if ctx.Err() != nil || !errors.As(err, &f) {
		return store.WatchResult{}, err
	}
	c.Log.WarnContext(ctx, "watch failed", "type", w.Type, "account", w.Account, "key", w.Key, "err", err)
	r := store.WatchResult{Error: f.Message, Event: &e}
	cause, _ := engine.CauseOf(err)
	choice := registry.Choose(creds, ref.Registry, ref.Repository)
	prefix := ""
	switch {
	case cause.WholeRegistry():
		prefix = ref.Registry + "/"
	case cause.Code == engine.CauseRegistryAuth:
		// One repository may be closed to a credential that is good for all
		// others: only the registry's own refusal of it counts.
		if choice.Found && choice.Registry.User != "" && c.Registry.Verify(ctx, choice.Registry) != nil {
			prefix = credentialPrefix(choice.Registry.Name)
		}
	}
	if prefix != "" {
		r.Next = restFor + rand.N(restFor/2)
		return r, c.Watches.PostponeWatches(ctx, w.Account, w.Type, prefix, restFor)
	}
	return r, nil
}

// credentialPrefix is how the keys begin for which a stored credential is used.
func credentialPrefix(name string) string {
	if n := len(name) - 1; n >= 0 && name[n] == '*' {
		return name[:n]
	}
	for _, c := range name {
		if c == '/' {
			return name // one repository
		}
	}
	return name + "/"
}
